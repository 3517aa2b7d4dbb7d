//! A check that is verified while the table is locked.

use plimsoll_core::{LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind};
use plimsoll_sql::name::quote_identifier;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "constraint-missing-not-valid",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "constraint-missing-not-valid"),
        ("eugene", "E1"),
        ("strong_migrations", "add_check_constraint"),
    ],
    severity: Severity::Error,
    page: include_str!("constraint_missing_not_valid.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::AddConstraint(Constraint { name, kind, not_valid: false, .. }) = &action.kind else {
            continue;
        };
        let ConstraintKind::Check { expression, .. } = kind else { continue };
        let made_up = || made_up_name(&[&alter.name.name, "check"]);
        let name = name.as_ref().map_or_else(made_up, |name| quote_identifier(name));
        let sql = &table.sql;
        problems.push(Problem {
            severity: None,
            fix: None,
            range: Some(action.range.clone()),
            message: format!(
                "adding this check reads all of {} while nobody can read or write it",
                table.name
            ),
            remedy: format!(
                "Add it unchecked, then check it without blocking anyone, in two transactions:\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {name} CHECK ({expression}) NOT VALID;\n\
                 ALTER TABLE {sql} VALIDATE CONSTRAINT {name};"
            ),
            claim: table.claim(LockMode::AccessExclusive, Work::Scan),
        });
    }
}
