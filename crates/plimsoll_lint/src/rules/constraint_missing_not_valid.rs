//! A check that is verified while the table is locked.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

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
    for hazard in context.hazards(&[Cause::Check]) {
        let constraint = alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::AddConstraint(constraint) if hazard.effect.range.as_ref() == Some(&action.range) => {
                Some(constraint)
            }
            _ => None,
        });
        let Some(Constraint { name, kind: ConstraintKind::Check { expression, .. }, range, .. }) = constraint
        else {
            continue;
        };
        let made_up = || made_up_name(&[&alter.name.name, "check"]);
        let name = name.as_ref().map_or_else(made_up, |name| quote_identifier(name));
        let sql = quote_name(&alter.name);
        let relation = &hazard.effect.relation;
        let message = format!(
            "adding this check reads all of {}{} while {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let remedy = format!(
            "Add it unchecked, then check it without blocking anyone, in two transactions:\n\
             ALTER TABLE {sql} ADD CONSTRAINT {name} CHECK ({expression}) NOT VALID;\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {name};"
        );
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        problems.push(problem.fix("Add NOT VALID", vec![(range.end..range.end, " NOT VALID".into())]));
    }
}
