//! Constraints that were never validated.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::name::{quote_identifier, quote_name};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "not-valid-constraint-left",
    other_tools: &[],
    severity: Severity::Note,
    needs: Needs::Definitions,
    page: include_str!("not_valid_constraint_left.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations().filter(|(_, table)| table.partition_of.is_none()) {
        for constraint in table.constraints.iter().filter(|one| one.enforced && !one.validated) {
            problems.push(SchemaProblem::new(
                Subject::Constraint(name.clone(), constraint.name.clone()),
                format!(
                    "old rows of {} may break {}: it was never validated, and the planner doesn't rely on it",
                    context.sized(name),
                    constraint.name
                ),
                format!(
                    "ALTER TABLE {} VALIDATE CONSTRAINT {};",
                    quote_name(name),
                    quote_identifier(&constraint.name)
                ),
            ));
        }
    }
}
