//! A column that `ALTER TABLE` adds, in the words of the statement.

use std::ops::Range;

use plimsoll_sql::ObjectName;
use plimsoll_sql::command::{ActionKind, ColumnDefinition, Constraint, TableAction};
use plimsoll_sql::name::{quote_identifier, quote_name};

/// A column that `ALTER TABLE` adds.
#[derive(Clone, Copy)]
pub(crate) struct AddedColumn<'a> {
    /// The table as the statement names it.
    pub(crate) table: &'a ObjectName,
    pub(crate) action: &'a TableAction,
    pub(crate) column: &'a ColumnDefinition,
    /// The constraint that is looked at.
    pub(crate) constraint: Option<&'a Constraint>,
}

impl AddedColumn<'_> {
    /// The table as SQL writes it.
    pub(crate) fn table_sql(&self) -> String {
        quote_name(self.table)
    }

    /// The column as SQL writes it.
    pub(crate) fn column_sql(&self) -> String {
        quote_identifier(&self.column.name)
    }

    /// What the column really stores: `bigint` for `bigserial`.
    pub(crate) fn stored_type(&self) -> String {
        self.column.data_type.as_ref().map(|data_type| data_type.stored().to_string()).unwrap_or_default()
    }

    /// `c bigint DEFAULT 1`: the column without its constraints.
    pub(crate) fn plain(&self) -> String {
        let default = self.column.default.as_ref().map(|default| format!(" DEFAULT {}", default.text));
        format!("{} {}{}", self.column_sql(), self.stored_type(), default.unwrap_or_default())
    }

    /// Edits that move the constraint behind the column, as an action of its own.
    pub(crate) fn moved(&self, sql: &str, constraint: &str) -> Vec<(Range<usize>, String)> {
        let Some(Constraint { range, .. }) = self.constraint else { return Vec::new() };
        // IF NOT EXISTS is said of the column alone.
        if matches!(self.action.kind, ActionKind::AddColumn { if_not_exists: true, .. }) {
            return Vec::new();
        }
        let head = sql.get(..range.start).unwrap_or_default();
        let cut = head.trim_end().len()..range.end;
        let added = format!(", ADD {constraint}");
        match range.end == self.action.range.end {
            true => vec![(cut, added)],
            false => vec![(cut, String::new()), (self.action.range.end..self.action.range.end, added)],
        }
    }
}
