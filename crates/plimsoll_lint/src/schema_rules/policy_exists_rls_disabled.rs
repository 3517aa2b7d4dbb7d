//! Policies that protect nothing.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::name::quote_name;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "policy-exists-rls-disabled",
    other_tools: &[("splinter", "policy_exists_rls_disabled")],
    severity: Severity::Error,
    needs: Needs::Definitions,
    page: include_str!("policy_exists_rls_disabled.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        let (false, [first, rest @ ..]) = (table.row_security, table.policies.as_slice()) else { continue };
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        problems.push(SchemaProblem::new(
            Subject::Policy(name.clone(), first.name.clone()),
            format!("the policy {}{more} protects nothing: row-level security of {name} is off", first.name),
            format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY;", quote_name(name)),
        ));
    }
}
