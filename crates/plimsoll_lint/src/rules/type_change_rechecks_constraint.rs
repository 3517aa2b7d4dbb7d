//! A type change that leaves the rows as they are and tests a check on them again.

use plimsoll_core::Severity;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::{ResolvedName, TableConstraint};

use super::type_change::{self, Changed};
use crate::context::{Context, Hazard, Problem};
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
        if changed.change.checks.is_empty() {
            problems.push(of_foreign_keys(context, &hazard, &changed));
            continue;
        }
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

/// Foreign keys on a column whose rows change are looked up again.
fn of_foreign_keys(context: &Context, hazard: &Hazard, changed: &Changed) -> Problem {
    let table = context.schema.resolve(changed.table);
    let relation = hazard.relation();
    let message = format!(
        "changing {table}.{} to {} looks its foreign keys up again, which reads all of {}{}, too, while {}",
        changed.column,
        changed.data_type,
        context.sized(relation),
        hazard.and_others(),
        context.kept_out(relation, hazard.effect.mode)
    );
    let mut remedy = "Take the foreign key off before, add it again NOT VALID, and validate it in a transaction of its own:".to_owned();
    let names = |owner: &ResolvedName, references: Option<&ResolvedName>| -> Vec<(String, String)> {
        let known =
            context.schema.relation(owner).map(|known| known.constraints.as_slice()).unwrap_or_default();
        let concerned = |constraint: &&TableConstraint| match &constraint.kind {
            ConstraintKind::ForeignKey { columns, references: to, .. } => {
                let to = context.schema.resolve(to);
                references.map_or_else(
                    || to == *relation && columns.iter().any(|column| column == changed.column),
                    |wanted| to == *wanted,
                )
            }
            _ => false,
        };
        let named = known.iter().filter(concerned);
        named.map(|constraint| (quote_name(owner), quote_identifier(&constraint.name))).collect()
    };
    for (owner, name) in names(&table, None).into_iter().chain(names(relation, Some(&table))) {
        remedy.push_str(&format!("\nALTER TABLE {owner} DROP CONSTRAINT {name};"));
    }
    Problem::new(message, remedy, hazard.claim()).of(hazard)
}
