//! What the rules about foreign keys share: the keys that a statement adds, with what is known of
//! their columns and of the table they reference.

use std::ops::Range;

use plimsoll_sql::command::{ActionKind, ColumnDefinition, Constraint, ConstraintKind, CreateTable};
use plimsoll_sql::{Command, DataType, ObjectName};

use crate::context::Context;

/// A foreign key that a statement adds.
pub(super) struct NewKey<'a> {
    pub(super) table: &'a ObjectName,
    pub(super) columns: &'a [String],
    pub(super) references: &'a ObjectName,
    pub(super) referenced_columns: &'a [String],
    /// Bytes in the statement.
    pub(super) range: &'a Range<usize>,
    /// The table that is made with it, if it is.
    pub(super) created: Option<&'a CreateTable>,
    /// Columns that the statement adds.
    added: Vec<&'a ColumnDefinition>,
}

/// The foreign keys that a statement adds, but for those of temporary tables.
pub(super) fn of<'a>(context: &Context<'a>) -> Vec<NewKey<'a>> {
    let (table, created, added, constraints): (_, _, Vec<&ColumnDefinition>, Vec<&Constraint>) =
        match context.command {
            Command::CreateTable(table) if !table.temporary => {
                let added: Vec<&ColumnDefinition> = table.columns.iter().collect();
                let inline = added.iter().flat_map(|column| &column.constraints);
                let all = inline.chain(&table.constraints).collect();
                (&table.name, Some(table), added, all)
            }
            Command::AlterTable(alter) => {
                let added: Vec<&ColumnDefinition> = alter
                    .actions
                    .iter()
                    .filter_map(|action| match &action.kind {
                        ActionKind::AddColumn { column, .. } => Some(column.as_ref()),
                        _ => None,
                    })
                    .collect();
                let alone = alter.actions.iter().filter_map(|action| match &action.kind {
                    ActionKind::AddConstraint(constraint) => Some(constraint),
                    _ => None,
                });
                let all = added.iter().flat_map(|column| &column.constraints).chain(alone).collect();
                (&alter.name, None, added, all)
            }
            _ => return Vec::new(),
        };
    constraints
        .into_iter()
        .filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { columns, references, referenced_columns } => Some(NewKey {
                table,
                columns,
                references,
                referenced_columns,
                range: &constraint.range,
                created: created.map(AsRef::as_ref),
                added: added.clone(),
            }),
            _ => None,
        })
        .collect()
}

impl NewKey<'_> {
    /// A column's type and whether it takes a null, where that is known.
    pub(super) fn column(&self, context: &Context, name: &str) -> Option<(DataType, Nulls)> {
        if let Some(column) = self.added.iter().find(|column| column.name == name) {
            let constraints =
                self.created.iter().flat_map(|table| &table.constraints).chain(&column.constraints);
            let forbids = constraints.into_iter().any(|constraint| match &constraint.kind {
                ConstraintKind::NotNull { column } => column == name,
                ConstraintKind::PrimaryKey(key) => key.columns.iter().any(|key| key == name),
                _ => false,
            });
            let forbids = forbids || column.data_type.as_ref().is_some_and(DataType::is_serial);
            let nulls = if forbids { Nulls::Forbidden } else { Nulls::Allowed };
            return Some((column.data_type.as_ref()?.stored(), nulls));
        }
        let relation = context.schema.relation(self.table)?;
        let column = relation.column(name)?;
        let nulls = if relation.proves_not_null(name) { Nulls::Forbidden } else { Nulls::Allowed };
        Some((column.data_type.clone()?, nulls))
    }

    /// The type of the column that the first one references, where that is known, with its name.
    pub(super) fn referenced(&self, context: &Context) -> Option<(DataType, String)> {
        if self.references == self.table
            && let Some(created) = self.created
        {
            let own = |constraint: &Constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey(key) => key.columns.first().cloned(),
                _ => None,
            };
            let inline = created.columns.iter().flat_map(|column| &column.constraints);
            let primary = inline.chain(&created.constraints).find_map(own);
            let name = self.referenced_columns.first().cloned().or(primary)?;
            let column = created.columns.iter().find(|column| column.name == name)?;
            return Some((column.data_type.as_ref()?.stored(), name));
        }
        let relation = context.schema.relation(self.references)?;
        let primary = || {
            relation.constraints.iter().find_map(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey(key) => key.columns.first().cloned(),
                _ => None,
            })
        };
        let name = self.referenced_columns.first().cloned().or_else(primary)?;
        Some((relation.column(&name)?.data_type.clone()?, name))
    }
}

/// Whether a column takes nulls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    Allowed,
    Forbidden,
}
