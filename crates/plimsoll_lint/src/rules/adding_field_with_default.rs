//! A new column whose default has to be computed for each row.

use plimsoll_core::{LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::quote_identifier;
use plimsoll_sql::volatility::volatile_call;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "adding-field-with-default",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "adding-field-with-default"), ("strong_migrations", "add_column_default")],
    severity: Severity::Error,
    page: include_str!("adding_field_with_default.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::AddColumn { column, if_not_exists } = &action.kind else { continue };
        let Some(default) = &column.default else { continue };
        let Some(function) = volatile_call(default, context.schema) else { continue };
        let exists = table.relation.is_some_and(|relation| relation.column(&column.name).is_some());
        if *if_not_exists && exists {
            continue;
        }
        let (name, sql, column_sql) = (&table.name, &table.sql, quote_identifier(&column.name));
        let data_type = column.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
        problems.push(Problem {
            severity: None,
            fix: None,
            range: Some(default.range.clone()),
            message: format!(
                "the default of {name}.{} calls {function}(), which is volatile: the whole table is rewritten while \
                 nobody can read or write it",
                column.name
            ),
            remedy: format!(
                "Add the column without the default, set the default for new rows, fill the old ones in batches:\n\
                 ALTER TABLE {sql} ADD COLUMN {column_sql} {data_type};\n\
                 ALTER TABLE {sql} ALTER COLUMN {column_sql} SET DEFAULT {};",
                default.text
            ),
            claim: table.claim(LockMode::AccessExclusive, Work::Rewrite),
        });
    }
}
