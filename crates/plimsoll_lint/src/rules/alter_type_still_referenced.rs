//! A type that cannot be changed, since something needs the column.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::{quote_identifier, quote_name};

use super::dependents;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "alter-type-still-referenced",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("alter_type_still_referenced.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    if !context.surely_runs() || context.schema.relation(&alter.name).is_none() {
        return;
    }
    let table = context.schema.resolve(&alter.name);
    for action in &alter.actions {
        let ActionKind::AlterColumnType { column, data_type, .. } = &action.kind else { continue };
        let needed_by = dependents::of_column(context, &alter.name, column);
        let (message, remedy) = if dependents::partitions_by(context, &alter.name, column) {
            (
                format!("this statement fails: {table} is partitioned by {column}"),
                "Copy the rows to a table whose key has the new type, partition by partition, then swap names.".to_owned(),
            )
        } else if needed_by.is_empty() {
            continue;
        } else {
            (
                format!(
                    "this statement fails: {} needs {table}.{column} as it is",
                    dependents::listed(&needed_by)
                ),
                format!(
                    "Drop what needs it, change the type and make it anew, in one transaction:\n\
                     BEGIN;\n{}\nALTER TABLE {} ALTER COLUMN {} TYPE {data_type};\n-- and CREATE what was dropped\nCOMMIT;",
                    dependents::drops(&needed_by),
                    quote_name(&alter.name),
                    quote_identifier(column)
                ),
            )
        };
        problems.push(Problem::new(message, remedy, Claim::Fails).at(&action.range));
    }
}
