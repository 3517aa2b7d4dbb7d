//! Functions with their owner's rights that look names up where the caller says.

use plimsoll_core::Severity;

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "security-definer-without-search-path",
    other_tools: &[("splinter", "function_search_path_mutable"), ("pglinter", "S005")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("security_definer_without_search_path.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for function in context.schema.functions().filter(|one| one.security_definer && !one.sets_search_path) {
        problems.push(SchemaProblem::new(
            Subject::Function(function.name.name.clone()),
            format!(
                "{}() runs with its owner's rights and finds its tables and functions where its caller says",
                function.name
            ),
            format!(
                "ALTER FUNCTION {}(…) SET search_path = ''; and write names in it with their schemas.",
                function.name
            ),
        ));
    }
}
