//! `SET NOT NULL` that reads the whole table.

use plimsoll_core::{LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::quote_identifier;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "adding-not-nullable-field",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "adding-not-nullable-field"),
        ("eugene", "E2"),
        ("strong_migrations", "change_column_null"),
    ],
    severity: Severity::Error,
    page: include_str!("adding_not_nullable_field.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::SetNotNull { column } = &action.kind else { continue };
        if table.relation.is_some_and(|relation| relation.proves_not_null(column)) {
            continue;
        }
        let (name, sql, column_sql) = (&table.name, &table.sql, quote_identifier(column));
        let check = made_up_name(&[&alter.name.name, column, "not_null"]);
        problems.push(Problem {
            severity: None,
            fix: None,
            range: Some(action.range.clone()),
            message: format!("SET NOT NULL on {name}.{column} reads the whole table while nobody can read or write it"),
            remedy: format!(
                "Let a check that is validated without blocking prove it first, each step in a transaction of its \
                 own:\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {check} CHECK ({column_sql} IS NOT NULL) NOT VALID;\n\
                 ALTER TABLE {sql} VALIDATE CONSTRAINT {check};\n\
                 ALTER TABLE {sql} ALTER COLUMN {column_sql} SET NOT NULL;\n\
                 ALTER TABLE {sql} DROP CONSTRAINT {check};"
            ),
            claim: table.claim(LockMode::AccessExclusive, Work::Scan),
        });
    }
}
