//! `CREATE TABLE` and `ALTER TABLE`.

use std::ops::Range;

use plimsoll_core::LockMode;
use squawk_syntax::SyntaxKind;
use squawk_syntax::ast::{self, AstNode};

use super::{expression, has_word, index, names, range_of, types, words};
use crate::command::{
    ActionKind, AlterTable, ColumnBytes, ColumnDefinition, Constraint, ConstraintKind, CreateTable,
    Generated, KeyConstraint, Like, ObjectKind, PartitionBound, PartitionKey, TableAction,
};
use crate::name::ObjectName;

pub(super) fn create_table(node: &ast::CreateTable) -> Option<CreateTable> {
    let mut table = CreateTable {
        name: names::of(node.table_name()?.path()?),
        if_not_exists: node.if_not_exists().is_some(),
        temporary: matches!(node.persistence(), Some(ast::Persistence::Temp(_))),
        unlogged: matches!(node.persistence(), Some(ast::Persistence::Unlogged(_))),
        foreign: false,
        columns: Vec::new(),
        constraints: Vec::new(),
        partition_of: node.partition_of().and_then(|parent| names::all_below(&parent).pop()),
        bound: node.partition_type().and_then(|node| bound(&node)),
        partition_by: node.partition_by().and_then(|node| partition_key(&node)),
        inherits: node.inherits().map(|parents| names::all_below(&parents)).unwrap_or_default(),
        like: Vec::new(),
        of_type: node.of_type().and_then(|of| names::first_below(&of)),
    };
    let arguments = node.table_arg_list().map(|list| list.args().collect::<Vec<_>>()).unwrap_or_default();
    for argument in arguments {
        match argument {
            ast::TableArg::Column(column) => table.columns.extend(column_of(&column)),
            ast::TableArg::LikeClause(node) => table.like.extend(like(&node)),
            ast::TableArg::TableConstraint(node) => {
                if let Some(node) = ast::Constraint::cast(node.syntax().clone()) {
                    table.constraints.extend(constraint(&node, ""));
                }
            }
        }
    }
    Some(table)
}

/// A foreign table holds no rows here, but may be a partition.
pub(super) fn create_foreign_table(node: &ast::CreateForeignTable) -> Option<CreateTable> {
    let arguments = node.table_arg_list().map(|list| list.args().collect::<Vec<_>>()).unwrap_or_default();
    let columns = arguments.iter().filter_map(|argument| match argument {
        ast::TableArg::Column(column) => column_of(column),
        _ => None,
    });
    Some(CreateTable {
        name: names::of(node.table_name()?.path()?),
        if_not_exists: node.if_not_exists().is_some(),
        temporary: false,
        unlogged: false,
        foreign: true,
        columns: columns.collect(),
        constraints: Vec::new(),
        partition_of: node.partition_of().and_then(|parent| names::all_below(&parent).pop()),
        bound: node.partition_type().and_then(|node| bound(&node)),
        partition_by: None,
        inherits: node.inherits().map(|parents| names::all_below(&parents)).unwrap_or_default(),
        like: Vec::new(),
        of_type: None,
    })
}

fn like(node: &ast::LikeClause) -> Option<Like> {
    let including = node.like_options().filter_map(|option| match option {
        ast::LikeOption::IncludingProperty(node) => {
            words(&node).strip_prefix("including ").map(str::to_owned)
        }
        ast::LikeOption::ExcludingProperty(_) => None,
    });
    Some(Like { table: names::of_ref(node.relation_name_ref()?.path_ref()?), including: including.collect() })
}

fn partition_key(node: &ast::PartitionBy) -> Option<PartitionKey> {
    let words = words(node);
    let strategy = words.strip_prefix("partition by ")?.split(' ').next()?.to_owned();
    let items = node.partition_item_list()?;
    let keys =
        items.partition_items().map(|item| index::key(&item)).map(|key| key.column.unwrap_or(key.text));
    Some(PartitionKey { strategy, keys: keys.collect() })
}

fn bound(node: &ast::PartitionType) -> Option<PartitionBound> {
    let value = |node: ast::Expr| {
        expression::constant(&node).unwrap_or_else(|| node.syntax().text().to_string().to_ascii_lowercase())
    };
    Some(match node {
        ast::PartitionType::PartitionDefault(_) => PartitionBound::Default,
        ast::PartitionType::PartitionForValuesWith(_) => PartitionBound::Hash,
        ast::PartitionType::PartitionForValuesIn(node) => {
            PartitionBound::List(node.exprs().map(value).collect())
        }
        ast::PartitionType::PartitionForValuesFrom(node) => {
            let to = node.to_token()?.text_range().start();
            let values = |after: bool| {
                node.syntax()
                    .children()
                    .filter(|child| (child.text_range().start() > to) == after)
                    .flat_map(|child| match ast::Expr::cast(child.clone()) {
                        Some(one) => vec![one],
                        None => child.children().filter_map(ast::Expr::cast).collect(),
                    })
                    .map(value)
                    .collect()
            };
            PartitionBound::Range { from: values(false), to: values(true) }
        }
    })
}

pub(super) fn alter_table(node: &ast::AlterTable) -> Option<AlterTable> {
    let relation = node.table_relation_name()?;
    Some(AlterTable {
        kind: ObjectKind::Table,
        only: has_word(&relation, "only"),
        name: names::all_below(&relation).pop()?,
        if_exists: node.if_exists().is_some(),
        actions: node.actions().map(|node| action(&node)).collect(),
    })
}

/// `ALTER VIEW`, `ALTER MATERIALIZED VIEW`, `ALTER SEQUENCE`, `ALTER FOREIGN TABLE`: the name,
/// and the actions that they share with `ALTER TABLE`.
pub(super) fn alter_other(statement: &ast::Stmt) -> Option<AlterTable> {
    let syntax = statement.syntax();
    let name = names::all_below(statement).into_iter().next()?;
    let kind = match statement {
        ast::Stmt::AlterView(_) => ObjectKind::View,
        ast::Stmt::AlterMaterializedView(_) => ObjectKind::MaterializedView,
        ast::Stmt::AlterSequence(_) => ObjectKind::Sequence,
        _ => ObjectKind::ForeignTable,
    };
    let if_exists = syntax.children().any(|child| ast::IfExists::can_cast(child.kind()));
    let mut actions: Vec<TableAction> =
        syntax.children().filter_map(ast::AlterTableAction::cast).map(|node| action(&node)).collect();
    if let Some(rename) = syntax.children().find_map(ast::ViewRenameTo::cast) {
        let to = names::of(rename.view()?.path()?).name;
        actions.push(TableAction { range: range_of(&rename), kind: ActionKind::RenameTo { to } });
    }
    if let Some(rename) = syntax.children().find_map(ast::SequenceRenameTo::cast) {
        let to = names::first_below(&rename)?.name;
        actions.push(TableAction { range: range_of(&rename), kind: ActionKind::RenameTo { to } });
    }
    let words = words(statement);
    let options = [" set (", " reset ("].iter().find_map(|clause| words.find(clause));
    if let (ObjectKind::View, Some(at)) = (kind, options) {
        let kind = ActionKind::ViewOptions { words: words[at + 1..].to_owned() };
        actions = vec![TableAction { range: range_of(statement), kind }];
    }
    if actions.is_empty() {
        let kind = ActionKind::Other(LockMode::AccessExclusive);
        actions.push(TableAction { range: range_of(statement), kind });
    }
    Some(AlterTable { kind, only: false, name, if_exists, actions })
}

/// The mode that `LOCK TABLE` asks for.
pub(super) fn lock_mode(node: &ast::Lock) -> LockMode {
    match node.lock_mode_clause().and_then(|clause| clause.lock_mode()) {
        Some(ast::LockMode::AccessShare(_)) => LockMode::AccessShare,
        Some(ast::LockMode::RowShare(_)) => LockMode::RowShare,
        Some(ast::LockMode::RowExclusive(_)) => LockMode::RowExclusive,
        Some(ast::LockMode::ShareUpdateExclusive(_)) => LockMode::ShareUpdateExclusive,
        Some(ast::LockMode::Share(_)) => LockMode::Share,
        Some(ast::LockMode::ShareRowExclusive(_)) => LockMode::ShareRowExclusive,
        Some(ast::LockMode::Exclusive(_)) => LockMode::Exclusive,
        Some(ast::LockMode::AccessExclusive(_)) | None => LockMode::AccessExclusive,
    }
}

fn action(node: &ast::AlterTableAction) -> TableAction {
    let kind = action_kind(node).unwrap_or(ActionKind::Other(LockMode::AccessExclusive));
    TableAction { range: range_of(node), kind }
}

fn action_kind(node: &ast::AlterTableAction) -> Option<ActionKind> {
    use ast::AlterTableAction as Node;
    Some(match node {
        Node::AddColumn(node) => ActionKind::AddColumn {
            column: Box::new(added_column(node)?),
            if_not_exists: node.if_not_exists().is_some(),
        },
        Node::DropColumn(node) => ActionKind::DropColumn {
            name: names::folded(node.column_name_ref()?.syntax()),
            if_exists: node.if_exists().is_some(),
            cascade: words(node).ends_with(" cascade"),
        },
        Node::AddConstraint(node) => ActionKind::AddConstraint(constraint(&node.constraint()?, "")?),
        Node::DropConstraint(node) => ActionKind::DropConstraint {
            name: names::of_ref(node.constraint_name_ref()?.path_ref()?).name,
            if_exists: node.if_exists().is_some(),
            cascade: words(node).ends_with(" cascade"),
        },
        Node::AlterConstraint(node) => {
            let enforced = words(node).ends_with(" enforced") && !words(node).ends_with(" not enforced");
            ActionKind::AlterConstraint { name: names::of_ref(names::path_below(node)?).name, enforced }
        }
        Node::ValidateConstraint(node) => ActionKind::ValidateConstraint {
            name: names::of_ref(node.constraint_name_ref()?.path_ref()?).name,
        },
        Node::RenameConstraint(node) => ActionKind::RenameConstraint {
            from: names::of_ref(node.constraint_name_ref()?.path_ref()?).name,
            to: names::folded(node.constraint_name()?.syntax()),
        },
        Node::RenameColumn(node) => ActionKind::RenameColumn {
            from: names::folded(node.column_name_ref()?.syntax()),
            to: names::folded(node.column_name()?.syntax()),
        },
        Node::TableRenameTo(node) => ActionKind::RenameTo { to: names::of(node.table_name()?.path()?).name },
        Node::SetSchema(node) => ActionKind::SetSchema { schema: names::folded(node.schema_ref()?.syntax()) },
        Node::AttachPartition(node) => ActionKind::AttachPartition {
            name: names::of_ref(node.table_name_ref()?.path_ref()?),
            bound: node.partition_type().and_then(|node| bound(&node)),
        },
        Node::DetachPartition(node) => ActionKind::DetachPartition {
            name: names::of_ref(node.table_name_ref()?.path_ref()?),
            concurrently: matches!(
                node.detach_partition_option(),
                Some(ast::DetachPartitionOption::DetachConcurrently(_))
            ),
            finalize: matches!(
                node.detach_partition_option(),
                Some(ast::DetachPartitionOption::DetachFinalize(_))
            ),
        },
        Node::InheritTable(node) => {
            ActionKind::Inherit { parent: names::of_ref(node.table_name_ref()?.path_ref()?), leaves: false }
        }
        Node::NoInheritTable(node) => {
            ActionKind::Inherit { parent: names::of_ref(names::path_below(node)?), leaves: true }
        }
        Node::OwnerTo(node) => ActionKind::OwnerTo { role: last_name(node) },
        Node::SetLogged(_) => ActionKind::SetLogged { logged: true },
        Node::SetUnlogged(_) => ActionKind::SetLogged { logged: false },
        Node::SetTablespace(node) => ActionKind::SetTablespace { tablespace: last_name(node) },
        Node::SetAccessMethod(node) => {
            ActionKind::SetAccessMethod { method: Some(last_name(node)).filter(|name| name != "default") }
        }
        Node::EnableRls(_) => ActionKind::RowSecurity { words: "enable" },
        Node::DisableRls(_) => ActionKind::RowSecurity { words: "disable" },
        Node::ForceRls(_) => ActionKind::RowSecurity { words: "force" },
        Node::NoForceRls(_) => ActionKind::RowSecurity { words: "no force" },
        Node::ReplicaIdentity(_) => ActionKind::ReplicaIdentity,
        Node::AlterColumn(node) => alter_column(node)?,
        Node::DisableTrigger(_) => ActionKind::TriggerFiring { disabled: true, trigger: last_name(node) },
        Node::EnableTrigger(_) | Node::EnableReplicaTrigger(_) | Node::EnableAlwaysTrigger(_) => {
            ActionKind::TriggerFiring { disabled: false, trigger: last_name(node) }
        }
        Node::SetOptions(_) | Node::ResetOptions(_) if words(node).contains("user_catalog_table") => {
            ActionKind::Other(LockMode::AccessExclusive)
        }
        Node::ClusterOn(_) => ActionKind::Cluster { on: true },
        Node::SetWithoutCluster(_) => ActionKind::Cluster { on: false },
        Node::SetOptions(_) | Node::ResetOptions(_) => ActionKind::Other(LockMode::ShareUpdateExclusive),
        _ => return None,
    })
}

/// The last name of a clause, folded.
fn last_name(node: &impl AstNode) -> String {
    let last = node
        .syntax()
        .descendants_with_tokens()
        .filter_map(|element| element.into_token())
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
        .last();
    last.map(|token| expression::fold_identifier(token.text())).unwrap_or_default()
}

fn alter_column(node: &ast::AlterColumn) -> Option<ActionKind> {
    let column = names::folded(node.column_name_ref()?.syntax());
    Some(match node.option()? {
        ast::AlterColumnOption::SetNotNull(_) => ActionKind::SetNotNull { column },
        ast::AlterColumnOption::DropNotNull(_) => ActionKind::DropNotNull { column },
        ast::AlterColumnOption::SetType(node) => {
            let type_node = node.ty()?;
            let type_text = type_node.syntax().text().to_string();
            let using = node.using_expr().and_then(|using| using.expr());
            ActionKind::AlterColumnType {
                using: using.map(|using| expression::using_expression(&using, &column, &type_text)),
                column,
                data_type: types::data_type(&type_node)?,
                collation: node.collate().and_then(|collate| collation(&collate)),
            }
        }
        ast::AlterColumnOption::SetDefault(node) => ActionKind::SetDefault {
            column,
            default: node.expr().map(|default| expression::expression(&default)),
        },
        ast::AlterColumnOption::DropDefault(_) => ActionKind::DropDefault { column },
        ast::AlterColumnOption::SetExpression(_) => ActionKind::SetExpression { column },
        ast::AlterColumnOption::DropExpression(_) => ActionKind::DropExpression { column },
        ast::AlterColumnOption::AddGenerated(_) => ActionKind::AddIdentity { column },
        ast::AlterColumnOption::DropIdentity(_) => ActionKind::AlterIdentity { column, dropped: true },
        ast::AlterColumnOption::SetGenerated(_)
        | ast::AlterColumnOption::SetGeneratedOptions(_)
        | ast::AlterColumnOption::SetSequenceOption(_)
        | ast::AlterColumnOption::Restart(_) => ActionKind::AlterIdentity { column, dropped: false },
        ast::AlterColumnOption::SetStatistics(_)
        | ast::AlterColumnOption::SetOptions(_)
        | ast::AlterColumnOption::ResetOptions(_) => ActionKind::Other(LockMode::ShareUpdateExclusive),
        _ => return None,
    })
}

fn added_column(node: &ast::AddColumn) -> Option<ColumnDefinition> {
    let name = names::folded(node.column_name()?.syntax());
    let data_type = node.ty().and_then(|node| types::data_type(&node));
    let collation = node.collate().and_then(|collate| collation(&collate));
    // The action's own words, `ADD COLUMN`, aren't the column's.
    let start = node.column_name()?.syntax().text_range().start().into();
    let bytes = bytes(&(start..range_of(node).end), node.ty());
    Some(with_constraints(name, data_type, collation, bytes, node.constraints()))
}

fn column_of(node: &ast::Column) -> Option<ColumnDefinition> {
    let name = names::folded(node.name()?.syntax());
    let data_type = node.ty().and_then(|node| types::data_type(&node));
    let children = || node.syntax().children();
    let collation = children().find_map(ast::Collate::cast).and_then(|collate| collation(&collate));
    let bytes = bytes(&range_of(node), node.ty());
    Some(with_constraints(name, data_type, collation, bytes, children().filter_map(ast::Constraint::cast)))
}

fn bytes(whole: &Range<usize>, data_type: Option<ast::Type>) -> ColumnBytes {
    ColumnBytes::new(whole, data_type.map(|node| range_of(&node)).as_ref())
}

fn collation(node: &ast::Collate) -> Option<ObjectName> {
    Some(names::of_ref(names::path_below(&node.collation_ref()?)?))
}

fn with_constraints(
    name: String,
    data_type: Option<crate::DataType>,
    collation: Option<ObjectName>,
    bytes: ColumnBytes,
    nodes: impl Iterator<Item = ast::Constraint>,
) -> ColumnDefinition {
    let mut column = ColumnDefinition {
        name,
        data_type,
        collation: collation.map(Box::new),
        default: None,
        generated: None,
        generation: None,
        constraints: Vec::new(),
        bytes,
    };
    for node in nodes {
        match &node {
            ast::Constraint::DefaultConstraint(default) => {
                column.default = default.expr().map(|node| Box::new(expression::expression(&node)));
            }
            ast::Constraint::GeneratedConstraint(generated) => {
                let generated = generated.generated_as();
                column.generated = generated.as_ref().map(generated_kind);
                column.generation = match &generated {
                    Some(ast::GeneratedAs::GeneratedStored(node)) => {
                        node.expr().map(|node| Box::new(expression::expression(&node)))
                    }
                    _ => None,
                };
            }
            _ => column.constraints.extend(constraint(&node, &column.name)),
        }
    }
    column
}

/// `GENERATED … AS (…)` without `STORED` is virtual on PostgreSQL 18 and refused before.
fn generated_kind(node: &ast::GeneratedAs) -> Generated {
    match node {
        ast::GeneratedAs::GeneratedIdentity(_) => Generated::Identity,
        ast::GeneratedAs::GeneratedStored(node) => match node.generated_kind() {
            Some(ast::GeneratedKind::Stored(_)) => Generated::Stored,
            _ => Generated::Virtual,
        },
    }
}

/// A constraint on `column`, or on the table where that is empty. None for `NULL` and the like.
pub(super) fn constraint(node: &ast::Constraint, column: &str) -> Option<Constraint> {
    let kind = constraint_kind(node, column)?;
    let name = node.constraint_name().map(|name| names::folded(name.syntax()));
    let no_inherit =
        node.constraint_options().any(|option| matches!(option, ast::ConstraintOption::NoInherit(_)));
    let not_enforced =
        node.constraint_options().any(|option| matches!(option, ast::ConstraintOption::NotEnforced(_)));
    Some(Constraint {
        name,
        kind,
        not_valid: node.is_not_valid(),
        not_enforced,
        no_inherit,
        range: range_of(node),
    })
}

fn constraint_kind(node: &ast::Constraint, column: &str) -> Option<ConstraintKind> {
    let own_column = || if column.is_empty() { Vec::new() } else { vec![column.to_owned()] };
    Some(match node {
        ast::Constraint::NotNullConstraint(node) => {
            let column = node.column_name_ref().map(|name| names::folded(name.syntax()));
            ConstraintKind::NotNull { column: column.or_else(|| own_column().pop())? }
        }
        ast::Constraint::CheckConstraint(node) => {
            let check = node.expr()?;
            ConstraintKind::Check {
                expression: check.syntax().text().to_string(),
                proves_not_null: expression::proves_not_null(&check),
                columns: expression::names(check.syntax()),
                comparisons: expression::comparisons(&check),
            }
        }
        ast::Constraint::UniqueConstraint(node) => ConstraintKind::Unique(KeyConstraint {
            columns: node.index_parameters().map_or_else(own_column, |node| key_columns(&node, own_column())),
            using_index: node
                .using_index()
                .and_then(|using| names::all_below(&using).pop())
                .map(|name| name.name),
        }),
        ast::Constraint::PrimaryKeyConstraint(node) => ConstraintKind::PrimaryKey(KeyConstraint {
            columns: node.index_parameters().map_or_else(own_column, |node| key_columns(&node, own_column())),
            using_index: node
                .using_index()
                .and_then(|using| names::all_below(&using).pop())
                .map(|name| name.name),
        }),
        ast::Constraint::ForeignKeyConstraint(node) => ConstraintKind::ForeignKey {
            columns: node.from_columns().map(|list| column_names(&list)).unwrap_or_default(),
            references: names::of_ref(node.table_name_ref()?.path_ref()?),
            referenced_columns: node.to_columns().map(|list| column_names(&list)).unwrap_or_default(),
        },
        ast::Constraint::ReferencesConstraint(node) => ConstraintKind::ForeignKey {
            columns: own_column(),
            references: names::of_ref(node.table()?.path_ref()?),
            referenced_columns: node.column().map(|name| names::folded(name.syntax())).into_iter().collect(),
        },
        ast::Constraint::ExcludeConstraint(_) => ConstraintKind::Exclude,
        _ => return None,
    })
}

fn key_columns(parameters: &ast::IndexParameters, own_column: Vec<String>) -> Vec<String> {
    parameters.column_list().map_or(own_column, |list| column_names(&list))
}

fn column_names(list: &impl AstNode) -> Vec<String> {
    list.syntax()
        .children()
        .filter_map(ast::ColumnNameRef::cast)
        .map(|name| names::folded(name.syntax()))
        .collect()
}
