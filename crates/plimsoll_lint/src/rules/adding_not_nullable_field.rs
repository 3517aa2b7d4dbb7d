//! `SET NOT NULL` that reads the whole table.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

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
    for hazard in context.hazards(&[Cause::SetNotNull]) {
        let column = alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::SetNotNull { column } if hazard.effect.range.as_ref() == Some(&action.range) => {
                Some(column)
            }
            _ => None,
        });
        let Some(column) = column else { continue };
        let (sql, column_sql) = (quote_name(&alter.name), quote_identifier(column));
        let check = made_up_name(&[&alter.name.name, column, "not_null"]);
        let relation = &hazard.effect.relation;
        let message = format!(
            "SET NOT NULL on {relation}.{column} reads all of {} while {}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let remedy = if context.settings.server_major.is_some_and(|major| major >= 18) {
            format!(
                "Say it of new rows first, then check the old ones without blocking anyone, in two transactions:\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {check} NOT NULL {column_sql} NOT VALID;\n\
                 ALTER TABLE {sql} VALIDATE CONSTRAINT {check};"
            )
        } else {
            format!(
                "Let a check that is validated without blocking prove it first, each step in a transaction of its \
                 own:\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {check} CHECK ({column_sql} IS NOT NULL) NOT VALID;\n\
                 ALTER TABLE {sql} VALIDATE CONSTRAINT {check};\n\
                 ALTER TABLE {sql} ALTER COLUMN {column_sql} SET NOT NULL;\n\
                 ALTER TABLE {sql} DROP CONSTRAINT {check};"
            )
        };
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
