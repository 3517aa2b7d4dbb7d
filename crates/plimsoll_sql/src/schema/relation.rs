//! A table, view or sequence in memory, and what `ALTER TABLE` does to it.

use super::ResolvedName;
use crate::command::{
    ActionKind, ColumnDefinition, Constraint, ConstraintKind, Generated, IndexKey, PartitionBound,
    PartitionKey,
};
use crate::data_type::DataType;
use crate::name::ObjectName;

/// A table, view, materialized view or sequence.
#[derive(Clone, Debug, Default)]
pub struct Relation {
    /// What it is.
    pub kind: RelationKind,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Constraints in the order in which they were made.
    pub constraints: Vec<TableConstraint>,
    /// Indexes that aren't a constraint's.
    pub indexes: Vec<TableIndex>,
    /// Number of the change that made it; 0 if it was there before all of them.
    pub made_by: u32,
    /// Whether all its columns are known.
    pub columns_known: bool,
    /// The partitioned table that it is a partition of.
    pub partition_of: Option<ResolvedName>,
    /// Which of that table's rows it takes.
    pub bound: Option<PartitionBound>,
    /// How it is partitioned itself.
    pub partition_key: Option<PartitionKey>,
    /// Tables that it inherits from.
    pub inherits: Vec<ResolvedName>,
    /// Whether it is unlogged.
    pub unlogged: bool,
    /// Whether `CLUSTER` without a name rewrites it.
    pub clustered: bool,
    /// Its triggers.
    pub triggers: Vec<Trigger>,
    /// Its row-level security policies.
    pub policies: Vec<Policy>,
    /// Whether row-level security is switched on.
    pub row_security: bool,
    /// Its owner, where that was said.
    pub owner: Option<String>,
    /// Relations that a view's query reads.
    pub reads: Vec<ResolvedName>,
    /// Names in a view's query, most of them columns.
    pub names_read: Vec<String>,
    /// Whether a view's query selects `*`.
    pub reads_star: bool,
    /// Whether a view's query holds further queries, so that names in it may be theirs.
    pub reads_nested: bool,
    /// A view's options as written, in lower case.
    pub options: String,
    /// The composite type that it is a table of.
    pub of_type: Option<ResolvedName>,
    /// Its tablespace, where that was said.
    pub tablespace: Option<String>,
    /// Size in bytes with TOAST and without indexes, where a snapshot told it.
    pub size_bytes: Option<u64>,
    /// Rows as the planner estimates them, where a snapshot told it.
    pub rows: Option<u64>,
}

/// What a relation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RelationKind {
    /// A plain table.
    #[default]
    Table,
    /// A table with partitions.
    PartitionedTable,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A sequence.
    Sequence,
    /// A foreign table.
    ForeignTable,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, if it is known.
    pub data_type: Option<DataType>,
    /// Whether it is `NOT NULL`.
    pub not_null: bool,
    /// Its default's text, if it has one.
    pub default: Option<String>,
    /// How it is generated.
    pub generated: Option<Generated>,
    /// Columns that its generation expression reads.
    pub generated_from: Vec<String>,
    /// Its collation, where one was named.
    pub collation: Option<Box<ObjectName>>,
}

/// A constraint in force.
#[derive(Clone, Debug)]
pub struct TableConstraint {
    /// Its name, given or made up as PostgreSQL does.
    pub name: String,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Whether all rows are known to obey.
    pub validated: bool,
    /// Whether it is enforced at all (PostgreSQL 18).
    pub enforced: bool,
}

/// An index.
#[derive(Clone, Debug, Default)]
pub struct TableIndex {
    /// Its name.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Number of the change that made it; 0 if it was there before all of them.
    pub made_by: u32,
    /// Whether queries may use it: a failed concurrent build leaves one that they may not.
    pub valid: bool,
    /// Its access method.
    pub method: String,
    /// Its keys.
    pub keys: Vec<IndexKey>,
    /// Whether it has a `WHERE`.
    pub partial: bool,
    /// Names in its `WHERE`, most of them columns.
    pub predicate_columns: Vec<String>,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The function that it runs.
    pub function: Option<ObjectName>,
    /// Whether it is switched off.
    pub disabled: bool,
}

/// A row-level security policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Its clauses as written, in lower case.
    pub clauses: String,
}

impl Relation {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The constraint of this name.
    #[must_use]
    pub fn constraint(&self, name: &str) -> Option<&TableConstraint> {
        self.constraints.iter().find(|constraint| constraint.name == name)
    }

    /// The index of this name, if it isn't a constraint's.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&TableIndex> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// Whether it holds rows of its own.
    #[must_use]
    pub fn holds_rows(&self) -> bool {
        matches!(self.kind, RelationKind::Table | RelationKind::MaterializedView)
    }

    /// Tables that its foreign keys reference.
    pub fn references(&self) -> impl Iterator<Item = &ObjectName> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { references, .. } => Some(references),
            _ => None,
        })
    }

    /// Whether a column is known to hold no null: declared so, or proven by a valid CHECK.
    #[must_use]
    pub fn proves_not_null(&self, column: &str) -> bool {
        self.column(column).is_some_and(|column| column.not_null)
            || self.constraints.iter().filter(|constraint| constraint.validated && constraint.enforced).any(
                |constraint| match &constraint.kind {
                    ConstraintKind::Check { proves_not_null, .. } => {
                        proves_not_null.iter().any(|c| c == column)
                    }
                    ConstraintKind::NotNull { column: proven } => proven == column,
                    _ => false,
                },
            )
    }

    pub(super) fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }

    pub(super) fn copy_columns(&mut self, source: &Self) {
        let known = self.columns.len();
        for column in &source.columns {
            if !self.columns[..known].iter().any(|existing| existing.name == column.name) {
                self.columns.push(column.clone());
            }
        }
    }

    /// Copies checks, foreign keys, keys and indexes, as a partition gets them from its parent.
    pub(super) fn copy_constraints(&mut self, table: &str, source: &Self, keys: bool) {
        for constraint in &source.constraints {
            let key = matches!(
                constraint.kind,
                ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude
            );
            if key && !keys {
                continue;
            }
            let name = if key { made_up_name(table, &constraint.kind) } else { constraint.name.clone() };
            self.constraints.push(TableConstraint { name, ..constraint.clone() });
        }
    }

    pub(super) fn add_column(&mut self, table: &str, definition: &ColumnDefinition) {
        if self.column(&definition.name).is_some() {
            return;
        }
        let serial = definition.data_type.as_ref().is_some_and(DataType::is_serial);
        let default = definition.default.as_ref().map(|default| default.text.clone());
        self.columns.push(Column {
            name: definition.name.clone(),
            data_type: definition.data_type.as_ref().map(DataType::stored),
            not_null: serial || definition.generated == Some(Generated::Identity),
            default: default.or_else(|| serial.then(|| "nextval(…)".to_owned())),
            generated: definition.generated,
            generated_from: definition
                .generation
                .as_ref()
                .map(|from| from.columns.clone())
                .unwrap_or_default(),
            collation: definition.collation.clone(),
        });
        for constraint in &definition.constraints {
            self.add_constraint(table, constraint);
        }
    }

    pub(super) fn add_constraint(&mut self, table: &str, constraint: &Constraint) {
        let mut kind = constraint.kind.clone();
        if let ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) = &mut kind
            && let Some(index) = &key.using_index
        {
            // The index becomes the constraint's and takes its name.
            if let Some(index) = self.index(index) {
                key.columns = index.keys.iter().filter_map(|key| key.column.clone()).collect();
            }
            let index = index.clone();
            self.indexes.retain(|existing| existing.name != index);
        }
        let not_null: Vec<String> = match &kind {
            // NOT VALID: new rows obey, the old ones may not (PostgreSQL 18).
            ConstraintKind::NotNull { column } if !constraint.not_valid => vec![column.clone()],
            ConstraintKind::PrimaryKey(key) => key.columns.clone(),
            _ => Vec::new(),
        };
        for column in not_null {
            if let Some(column) = self.column_mut(&column) {
                column.not_null = true;
            }
        }
        let name = constraint.name.clone().unwrap_or_else(|| self.unused_name(made_up_name(table, &kind)));
        self.constraints.push(TableConstraint {
            name,
            kind,
            validated: !constraint.not_valid && !constraint.not_enforced,
            enforced: !constraint.not_enforced,
        });
    }

    /// The name, with the number that PostgreSQL adds where another constraint has it.
    fn unused_name(&self, name: String) -> String {
        if self.constraint(&name).is_none() {
            return name;
        }
        let numbered = |number: &usize| self.constraint(&format!("{name}{number}")).is_none();
        let number = (1..).find(numbered).unwrap_or_default();
        format!("{name}{number}")
    }

    pub(super) fn alter(&mut self, table: &str, action: &ActionKind) {
        match action {
            ActionKind::AddColumn { column, .. } => self.add_column(table, column),
            ActionKind::DropColumn { name, .. } => self.drop_column(name),
            ActionKind::AlterColumnType { column, data_type, collation, .. } => {
                if let Some(column) = self.column_mut(column) {
                    column.data_type = Some(data_type.stored());
                    column.collation = collation.clone().map(Box::new);
                }
            }
            ActionKind::SetNotNull { column } => self.set_not_null(column, Nullability::NotNull),
            ActionKind::DropNotNull { column } => {
                self.constraints.retain(
                    |constraint| !matches!(&constraint.kind, ConstraintKind::NotNull { column: c } if c == column),
                );
                self.set_not_null(column, Nullability::Nullable);
            }
            ActionKind::SetDefault { column, default } => {
                if let Some(column) = self.column_mut(column) {
                    column.default = default.as_ref().map(|default| default.text.clone());
                }
            }
            ActionKind::DropDefault { column } => {
                if let Some(column) = self.column_mut(column) {
                    column.default = None;
                }
            }
            ActionKind::DropExpression { column } | ActionKind::AlterIdentity { column, dropped: true } => {
                if let Some(column) = self.column_mut(column) {
                    column.generated = None;
                }
            }
            ActionKind::AddIdentity { column } => {
                if let Some(column) = self.column_mut(column) {
                    column.generated = Some(Generated::Identity);
                }
            }
            ActionKind::AddConstraint(constraint) => self.add_constraint(table, constraint),
            ActionKind::DropConstraint { name, .. } => self.drop_constraint(name),
            ActionKind::ValidateConstraint { name } => self.validate(name),
            ActionKind::RenameConstraint { from, to } => {
                for constraint in self.constraints.iter_mut().filter(|constraint| constraint.name == *from) {
                    constraint.name = to.clone();
                }
            }
            ActionKind::RenameColumn { from, to } => self.rename_column(from, to),
            ActionKind::SetLogged { logged } => self.unlogged = !logged,
            ActionKind::Cluster { on } => self.clustered = *on,
            ActionKind::OwnerTo { role } => self.owner = Some(role.clone()),
            ActionKind::SetTablespace { tablespace } => self.tablespace = Some(tablespace.clone()),
            ActionKind::TriggerFiring { disabled, trigger } => {
                let named =
                    |one: &&mut Trigger| one.name == *trigger || ["all", "user"].contains(&trigger.as_str());
                self.triggers.iter_mut().filter(named).for_each(|one| one.disabled = *disabled);
            }
            ActionKind::ViewOptions { words } => self.options = format!("{} {words}", self.options),
            ActionKind::RowSecurity { words: "enable" } => self.row_security = true,
            ActionKind::RowSecurity { words: "disable" } => self.row_security = false,
            _ => {}
        }
    }

    fn set_not_null(&mut self, column: &str, nullability: Nullability) {
        if let Some(column) = self.column_mut(column) {
            column.not_null = nullability == Nullability::NotNull;
        }
    }

    fn drop_constraint(&mut self, name: &str) {
        let not_null = self.constraint(name).and_then(|constraint| match &constraint.kind {
            ConstraintKind::NotNull { column } => Some(column.clone()),
            _ => None,
        });
        if let Some(column) = not_null {
            self.set_not_null(&column, Nullability::Nullable);
        }
        self.constraints.retain(|constraint| constraint.name != name);
    }

    fn drop_column(&mut self, name: &str) {
        self.columns.retain(|column| column.name != name);
        self.indexes.retain(|index| !index.keys.iter().any(|key| key.columns.iter().any(|c| c == name)));
        self.constraints
            .retain(|constraint| !constrained_columns(&constraint.kind).iter().any(|c| *c == name));
    }

    fn validate(&mut self, name: &str) {
        let mut proven = None;
        for constraint in self.constraints.iter_mut().filter(|constraint| constraint.name == name) {
            constraint.validated = true;
            if let ConstraintKind::NotNull { column } = &constraint.kind {
                proven = Some(column.clone());
            }
        }
        if let Some(column) = proven {
            self.set_not_null(&column, Nullability::NotNull);
        }
    }

    pub(super) fn rename_column(&mut self, from: &str, to: &str) {
        if let Some(column) = self.column_mut(from) {
            column.name = to.to_owned();
        }
        let rename = |column: &mut String| {
            if *column == from {
                *column = to.to_owned();
            }
        };
        for column in &mut self.columns {
            column.generated_from.iter_mut().for_each(rename);
        }
        for key in self.indexes.iter_mut().flat_map(|index| &mut index.keys) {
            key.columns.iter_mut().chain(&mut key.column).for_each(rename);
        }
        if let Some(key) = &mut self.partition_key {
            key.keys.iter_mut().for_each(rename);
        }
        for constraint in &mut self.constraints {
            match &mut constraint.kind {
                ConstraintKind::NotNull { column } => rename(column),
                ConstraintKind::Check { proves_not_null, columns, comparisons, .. } => {
                    proves_not_null.iter_mut().chain(columns).for_each(rename);
                    comparisons.iter_mut().map(|comparison| &mut comparison.column).for_each(rename);
                }
                ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
                    key.columns.iter_mut().for_each(rename);
                }
                ConstraintKind::ForeignKey { columns, .. } => columns.iter_mut().for_each(rename),
                ConstraintKind::Exclude => {}
            }
        }
    }
}

/// Columns that a constraint looks at.
#[must_use]
pub fn constrained_columns(kind: &ConstraintKind) -> Vec<&String> {
    match kind {
        ConstraintKind::NotNull { column } => vec![column],
        ConstraintKind::Check { columns, .. } | ConstraintKind::ForeignKey { columns, .. } => {
            columns.iter().collect()
        }
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key.columns.iter().collect(),
        ConstraintKind::Exclude => Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nullability {
    NotNull,
    Nullable,
}

/// The name that PostgreSQL makes up for a constraint (`ChooseConstraintName`).
pub(super) fn made_up_name(table: &str, kind: &ConstraintKind) -> String {
    match kind {
        ConstraintKind::NotNull { column } => format!("{table}_{column}_not_null"),
        ConstraintKind::Check { columns, .. } => match columns.as_slice() {
            [column] => format!("{table}_{column}_check"),
            _ => format!("{table}_check"),
        },
        ConstraintKind::Unique(key) => format!("{table}_{}_key", key.columns.join("_")),
        ConstraintKind::PrimaryKey(_) => format!("{table}_pkey"),
        ConstraintKind::ForeignKey { columns, .. } => format!("{table}_{}_fkey", columns.join("_")),
        ConstraintKind::Exclude => format!("{table}_excl"),
    }
}
