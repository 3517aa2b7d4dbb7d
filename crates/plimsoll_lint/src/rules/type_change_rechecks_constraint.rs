//! A type change that leaves the rows as they are and tests a check on them again.

use plimsoll_core::Severity;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use super::type_change;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "type-change-rechecks-constraint",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "changing-column-type"), ("strong_migrations", "change_column")],
    severity: Severity::Error,
    page: include_str!("type_change_rechecks_constraint.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::TypeChangeConstraint]) {
        let Some(changed) = type_change::of(context, &hazard) else { continue };
        let relation = hazard.relation();
        let message = format!(
            "changing {relation}.{} to {} tests {} again on all of {}{} while {}",
            changed.column,
            changed.data_type,
            changed.change.checks.join(", "),
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let (sql, column) = (quote_name(changed.table), quote_identifier(changed.column));
        let known = context.schema.relation(changed.table);
        let mut actions = Vec::new();
        let mut added = Vec::new();
        let mut validated = String::new();
        for check in &changed.change.checks {
            let expression = match known.and_then(|known| known.constraint(check)).map(|known| &known.kind) {
                Some(ConstraintKind::Check { expression, .. }) => expression.as_str(),
                _ => "…",
            };
            let check = quote_identifier(check);
            actions.push(format!("DROP CONSTRAINT {check}"));
            added.push(format!("ADD CONSTRAINT {check} CHECK ({expression}) NOT VALID"));
            validated.push_str(&format!("\nALTER TABLE {sql} VALIDATE CONSTRAINT {check};"));
        }
        actions.push(format!("ALTER COLUMN {column} TYPE {}", changed.data_type));
        actions.append(&mut added);
        let remedy = format!(
            "Take the check off for the moment of the change, then check it without blocking anyone, in two transactions:\n\
             ALTER TABLE {sql} {};{validated}",
            actions.join(", ")
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
