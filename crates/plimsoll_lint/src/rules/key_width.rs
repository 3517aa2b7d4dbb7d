//! What prefer-bigint-over-int and prefer-bigint-over-smallint share: keys that run out of numbers.

use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ConstraintKind, Generated};

use super::new_columns::{self, NewColumn};
use crate::context::{Context, Problem};

/// Reports key columns of this type: `integer` or `smallint`, in words of PostgreSQL, with the
/// number at which it ends.
pub(super) fn check(context: &Context, problems: &mut Vec<Problem>, narrow: &str, most: &str) {
    if !matches!(context.command, Command::CreateTable(_) | Command::AlterTable(_)) {
        return;
    }
    for column in new_columns::of(context) {
        if column.definition.is_none()
            || column.data_type.stored().name.name != narrow
            || column.data_type.array
        {
            continue;
        }
        let Some(what) = key(context, &column) else { continue };
        let wide = if column.data_type.is_serial() { "bigserial" } else { "bigint" };
        let message =
            format!("{} is {what} and ends at {most}, after which every insert fails", column.shown());
        let remedy = format!(
            "Give it 64 bits now; later it takes a rewrite of the table, and of each that references it:\n{} {wide}",
            plimsoll_sql::name::quote_identifier(column.name)
        );
        let mut problem = column.problem(message, remedy);
        if let Some(edit) = column.retyped(wide) {
            problem = problem.fix(&format!("Make it {wide}"), vec![edit]);
        }
        problems.push(problem);
    }
}

/// What kind of key a column is, if it is one that counts upwards or references such a one.
fn key(context: &Context, column: &NewColumn) -> Option<&'static str> {
    let definition = column.definition?;
    if definition.generated == Some(Generated::Identity) || column.data_type.is_serial() {
        return Some("numbered by a sequence");
    }
    if column.is_primary_key(context) {
        return Some("the primary key");
    }
    references_new_key(context, column).then_some("a reference to a key that is made with it")
}

/// Whether it references a table that the change itself makes, whose key is to be widened too.
fn references_new_key(context: &Context, column: &NewColumn) -> bool {
    let inline = column.definition.iter().flat_map(|column| &column.constraints);
    let of_table = column.created.iter().flat_map(|table| &table.constraints);
    let of_alter = match context.command {
        Command::AlterTable(alter) => alter.actions.as_slice(),
        _ => &[],
    };
    let added = of_alter.iter().filter_map(|action| match &action.kind {
        ActionKind::AddConstraint(constraint) => Some(constraint),
        _ => None,
    });
    inline.chain(of_table).chain(added).any(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { columns, references, .. } => {
            columns.len() == 1
                && columns[0] == column.name
                && (context.schema.is_new(references) || references == column.table)
        }
        _ => false,
    })
}
