//! A NOT NULL constraint by name, verified while the table is locked.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "not-null-constraint-not-valid",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "constraint-missing-not-valid")],
    severity: Severity::Error,
    page: include_str!("not_null_constraint_not_valid.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[Cause::NotNullConstraint]) {
        let Some(ActionKind::AddConstraint(constraint)) =
            context.action_of(&hazard).map(|action| &action.kind)
        else {
            continue;
        };
        let Constraint { name, kind: ConstraintKind::NotNull { column }, range, .. } = constraint else {
            continue;
        };
        let relation = hazard.relation();
        let message = format!(
            "this NOT NULL of {relation}.{column} reads all of {}{} while {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = quote_name(&alter.name);
        let made_up = || made_up_name(&[&alter.name.name, column, "not_null"]);
        let name = name.as_ref().map_or_else(made_up, |name| quote_identifier(name));
        let remedy = format!(
            "Add it unchecked, then check it without blocking anyone, in two transactions:\n\
             ALTER TABLE {sql} ADD CONSTRAINT {name} NOT NULL {} NOT VALID;\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {name};",
            quote_identifier(column)
        );
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        problems.push(problem.fix("Add NOT VALID", vec![(range.end..range.end, " NOT VALID".into())]));
    }
}
