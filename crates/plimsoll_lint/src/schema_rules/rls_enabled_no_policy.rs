//! Tables whose rows nobody but the owner sees.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::name::quote_name;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "rls-enabled-no-policy",
    other_tools: &[("splinter", "rls_enabled_no_policy")],
    severity: Severity::Note,
    needs: Needs::Definitions,
    page: include_str!("rls_enabled_no_policy.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        if !table.row_security || !table.policies.is_empty() || table.partition_of.is_some() {
            continue;
        }
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!(
                "nobody but its owner sees a row of {name}: row-level security is on, and there is no policy"
            ),
            format!(
                "If others are to see some: CREATE POLICY … ON {} FOR SELECT TO … USING (…);",
                quote_name(name)
            ),
        ));
    }
}
