//! What the rules about columns' types share: the columns that a statement makes, and edits of
//! their types.

use std::ops::Range;

use plimsoll_core::Claim;
use plimsoll_sql::command::{ActionKind, ColumnDefinition, ConstraintKind, CreateTable};
use plimsoll_sql::{Command, DataType, ObjectName};

use crate::context::{Context, Problem};

/// A column that a statement makes, or one to which it gives another type.
#[derive(Clone)]
pub(super) struct NewColumn<'a> {
    pub(super) table: &'a ObjectName,
    pub(super) name: &'a str,
    pub(super) data_type: &'a DataType,
    /// Bytes in the statement.
    pub(super) range: Range<usize>,
    /// Its definition; none where an existing column is retyped.
    pub(super) definition: Option<&'a ColumnDefinition>,
    /// The table that is made with it; none for a table that there is.
    pub(super) created: Option<&'a CreateTable>,
}

/// The columns that a statement makes or retypes, but for those of temporary tables.
pub(super) fn of<'a>(context: &Context<'a>) -> Vec<NewColumn<'a>> {
    let defined = |table: &'a ObjectName, column: &'a ColumnDefinition, created: Option<&'a CreateTable>| {
        Some(NewColumn {
            table,
            name: &column.name,
            data_type: column.data_type.as_ref()?,
            range: column.bytes.whole(),
            definition: Some(column),
            created,
        })
    };
    match context.command {
        Command::CreateTable(table) if !table.temporary => {
            let table = table.as_ref();
            table.columns.iter().filter_map(|column| defined(&table.name, column, Some(table))).collect()
        }
        Command::AlterTable(alter) => alter
            .actions
            .iter()
            .filter_map(|action| match &action.kind {
                ActionKind::AddColumn { column, .. } => defined(&alter.name, column, None),
                ActionKind::AlterColumnType { column, data_type, .. } => Some(NewColumn {
                    table: &alter.name,
                    name: column,
                    data_type,
                    range: action.range.clone(),
                    definition: None,
                    created: None,
                }),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl NewColumn<'_> {
    /// Whether it has one of these types, by PostgreSQL's name; not where it is an array of them.
    pub(super) fn is_a(&self, names: &[&str]) -> bool {
        !self.data_type.array
            && self.data_type.name.schema.is_none()
            && names.contains(&self.data_type.name.name.as_str())
    }

    /// `ships.flag`.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }

    /// A problem of this column.
    pub(super) fn problem(&self, message: String, remedy: String) -> Problem {
        Problem::new(message, remedy, Claim::Nothing).at(&self.range)
    }

    /// The edit that gives it another type.
    pub(super) fn retyped(&self, to: &str) -> Option<(Range<usize>, String)> {
        let range = self.definition?.bytes.data_type()?;
        Some((range, to.to_owned()))
    }

    /// Whether it is the only column of the table's primary key.
    pub(super) fn is_primary_key(&self, context: &Context) -> bool {
        let own = |kind: &ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey(key) if matches!(key.columns.as_slice(), [only] if only == self.name));
        let inline = self.definition.iter().flat_map(|column| &column.constraints);
        let of_table = self.created.iter().flat_map(|table| &table.constraints);
        inline.chain(of_table).any(|constraint| own(&constraint.kind))
            || self.created.is_some_and(|created| {
                context.later(as_created(context, created)).any(|command| {
                    match command {
                    Command::AlterTable(alter) => alter.actions.iter().any(|action| {
                        matches!(&action.kind, ActionKind::AddConstraint(constraint) if own(&constraint.kind))
                    }),
                    _ => false,
                }
                })
            })
    }
}

/// The name of the table that the statement makes.
fn as_created<'a>(context: &Context<'a>, created: &CreateTable) -> &'a ObjectName {
    match context.command {
        Command::CreateTable(table) => &table.name,
        _ => unreachable!("only a CREATE TABLE makes {}", created.name),
    }
}
