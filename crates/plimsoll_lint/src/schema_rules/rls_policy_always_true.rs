//! Policies that let every write through.

use super::policy_clauses::{PolicyClauses, inside};
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "rls-policy-always-true",
    other_tools: &[("splinter", "rls_policy_always_true")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("rls_policy_always_true.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        for policy in &table.policies {
            let clauses = PolicyClauses::read(&policy.clauses);
            let is_open =
                clauses.permissive && clauses.command != "select" && clauses.conditions().any(always_true);
            if !is_open {
                continue;
            }
            problems.push(SchemaProblem::new(
                Subject::Policy(name.clone(), policy.name.clone()),
                format!("the policy {} lets {} write any row of {name}: its condition always holds", policy.name, clauses.roles.join(", ")),
                "Say whose rows they may write, such as USING (owner = current_user); where all rows are meant, revoke the policy and keep it to a role that bypasses row-level security.",
            ));
        }
    }
}

fn always_true(condition: &str) -> bool {
    let condition: String = inside(condition).split_whitespace().collect();
    ["true", "1=1", "(1=1)", "true::boolean", "1<2", "'t'::boolean"].contains(&condition.as_str())
}
