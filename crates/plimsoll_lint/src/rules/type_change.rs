//! What the rules about type changes share: the change that a hazard comes from.

use plimsoll_sql::command::ActionKind;
use plimsoll_sql::effects::{ColumnTypeChange, column_type_change, without_dropped};
use plimsoll_sql::{Command, DataType, ObjectName};

use crate::context::{Context, Hazard};

/// A changed column.
pub(super) struct Changed<'a> {
    pub(super) table: &'a ObjectName,
    pub(super) column: &'a str,
    pub(super) data_type: &'a DataType,
    pub(super) change: ColumnTypeChange,
}

/// The change of a column's type that a hazard comes from.
pub(super) fn of<'a>(context: &Context<'a>, hazard: &Hazard) -> Option<Changed<'a>> {
    let Command::AlterTable(alter) = context.command else { return None };
    let name = &alter.name;
    let ActionKind::AlterColumnType { column, data_type, using, collation } =
        &context.action_of(hazard)?.kind
    else {
        return None;
    };
    let known = context.schema.relation(name).map(|known| without_dropped(known, alter));
    let change = column_type_change(
        context.schema,
        known.as_deref(),
        column,
        data_type,
        using.as_ref(),
        collation.as_ref(),
        context.environment(),
    );
    Some(Changed { table: name, column, data_type, change })
}
