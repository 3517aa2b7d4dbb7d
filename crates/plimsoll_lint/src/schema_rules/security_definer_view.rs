//! Views that go round row-level security.

use plimsoll_core::Severity;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::RelationKind;

use super::row_security::{asks_with_callers_rights, protected_table};
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "security-definer-view",
    other_tools: &[("splinter", "security_definer_view")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("security_definer_view.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, view) in context.schema.relations() {
        if view.kind != RelationKind::View || asks_with_callers_rights(&view.options) {
            continue;
        }
        let Some(table) = protected_table(context.schema, name) else { continue };
        let remedy = match context.may_be(15) {
            true => format!("ALTER VIEW {} SET (security_invoker = true);", quote_name(name)),
            false => "Before PostgreSQL 15 no view can: put the policy's condition into the view, or use a function with SECURITY INVOKER.".to_owned(),
        };
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!("{name} shows rows of {table} by the policies for its owner, not for who asks"),
            remedy,
        ));
    }
}
