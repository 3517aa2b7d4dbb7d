//! `CREATE TABLE` and `ALTER TABLE`.

use plimsoll_core::LockMode;
use squawk_syntax::ast::{self, AstNode};

use super::{expression, names, range_of, types};
use crate::command::{
    ActionKind, AlterTable, ColumnDefinition, Constraint, ConstraintKind, CreateTable, Generated,
    KeyConstraint, TableAction,
};

pub(super) fn create_table(node: &ast::CreateTable) -> Option<CreateTable> {
    let mut table = CreateTable {
        name: names::of(node.table_name()?.path()?),
        if_not_exists: node.if_not_exists().is_some(),
        temporary: matches!(node.persistence(), Some(ast::Persistence::Temp(_))),
        columns: Vec::new(),
        constraints: Vec::new(),
        partition_of: node.partition_of().and_then(|parent| names::all_below(&parent).pop()),
        partitioned: node.partition_by().is_some(),
        inherits: node.inherits().map(|parents| names::all_below(&parents)).unwrap_or_default(),
        like: Vec::new(),
    };
    let arguments = node.table_arg_list().map(|list| list.args().collect::<Vec<_>>()).unwrap_or_default();
    for argument in arguments {
        match argument {
            ast::TableArg::Column(column) => table.columns.extend(column_of(&column)),
            ast::TableArg::LikeClause(like) => table.like.extend(names::all_below(&like).into_iter().next()),
            ast::TableArg::TableConstraint(node) => {
                if let Some(node) = ast::Constraint::cast(node.syntax().clone()) {
                    table.constraints.extend(constraint(&node, ""));
                }
            }
        }
    }
    Some(table)
}

pub(super) fn alter_table(node: &ast::AlterTable) -> Option<AlterTable> {
    Some(AlterTable {
        name: names::all_below(&node.table_relation_name()?).pop()?,
        if_exists: node.if_exists().is_some(),
        actions: node.actions().map(|node| action(&node)).collect(),
    })
}

/// `ALTER VIEW`, `ALTER MATERIALIZED VIEW`, `ALTER SEQUENCE`, `ALTER FOREIGN TABLE`: the name,
/// and the actions that they share with `ALTER TABLE`.
pub(super) fn alter_other(statement: &ast::Stmt) -> Option<AlterTable> {
    let syntax = statement.syntax();
    let name = names::all_below(statement).into_iter().next()?;
    let if_exists = syntax.children().any(|child| ast::IfExists::can_cast(child.kind()));
    let mut actions: Vec<TableAction> =
        syntax.children().filter_map(ast::AlterTableAction::cast).map(|node| action(&node)).collect();
    if let Some(rename) = syntax.children().find_map(ast::ViewRenameTo::cast) {
        let to = names::of(rename.view()?.path()?).name;
        actions.push(TableAction { range: range_of(&rename), kind: ActionKind::RenameTo { to } });
    }
    if actions.is_empty() {
        let kind = ActionKind::Other(LockMode::AccessExclusive);
        actions.push(TableAction { range: range_of(statement), kind });
    }
    Some(AlterTable { name, if_exists, actions })
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
            column: added_column(node)?,
            if_not_exists: node.if_not_exists().is_some(),
        },
        Node::DropColumn(node) => {
            ActionKind::DropColumn { name: names::folded(node.column_name_ref()?.syntax()) }
        }
        Node::AddConstraint(node) => ActionKind::AddConstraint(constraint(&node.constraint()?, "")?),
        Node::DropConstraint(node) => {
            ActionKind::DropConstraint { name: names::of_ref(node.constraint_name_ref()?.path_ref()?).name }
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
        Node::AttachPartition(node) => {
            ActionKind::AttachPartition { name: names::of_ref(node.table_name_ref()?.path_ref()?) }
        }
        Node::DetachPartition(node) => ActionKind::DetachPartition {
            name: names::of_ref(node.table_name_ref()?.path_ref()?),
            concurrently: matches!(
                node.detach_partition_option(),
                Some(
                    ast::DetachPartitionOption::DetachConcurrently(_)
                        | ast::DetachPartitionOption::DetachFinalize(_)
                )
            ),
        },
        Node::AlterColumn(node) => alter_column(node)?,
        Node::EnableTrigger(_)
        | Node::EnableReplicaTrigger(_)
        | Node::EnableAlwaysTrigger(_)
        | Node::DisableTrigger(_) => ActionKind::Other(LockMode::ShareRowExclusive),
        Node::ClusterOn(_) | Node::SetWithoutCluster(_) | Node::SetOptions(_) | Node::ResetOptions(_) => {
            ActionKind::Other(LockMode::ShareUpdateExclusive)
        }
        _ => return None,
    })
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
            }
        }
        ast::AlterColumnOption::SetStatistics(_)
        | ast::AlterColumnOption::SetOptions(_)
        | ast::AlterColumnOption::ResetOptions(_) => ActionKind::Other(LockMode::ShareUpdateExclusive),
        _ => return None,
    })
}

fn added_column(node: &ast::AddColumn) -> Option<ColumnDefinition> {
    let name = names::folded(node.column_name()?.syntax());
    let data_type = node.ty().and_then(|node| types::data_type(&node));
    Some(with_constraints(name, data_type, node.constraints()))
}

fn column_of(node: &ast::Column) -> Option<ColumnDefinition> {
    let name = names::folded(node.name()?.syntax());
    let data_type = node.ty().and_then(|node| types::data_type(&node));
    Some(with_constraints(name, data_type, node.syntax().children().filter_map(ast::Constraint::cast)))
}

fn with_constraints(
    name: String,
    data_type: Option<crate::DataType>,
    nodes: impl Iterator<Item = ast::Constraint>,
) -> ColumnDefinition {
    let mut column =
        ColumnDefinition { name, data_type, default: None, generated: None, constraints: Vec::new() };
    for node in nodes {
        match &node {
            ast::Constraint::DefaultConstraint(default) => {
                column.default = default.expr().map(|node| expression::default_expression(&node));
            }
            ast::Constraint::GeneratedConstraint(generated) => {
                column.generated = generated.generated_as().map(|node| generated_kind(&node));
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
fn constraint(node: &ast::Constraint, column: &str) -> Option<Constraint> {
    let kind = constraint_kind(node, column)?;
    let name = node.constraint_name().map(|name| names::folded(name.syntax()));
    Some(Constraint { name, kind, not_valid: node.is_not_valid(), range: range_of(node) })
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
