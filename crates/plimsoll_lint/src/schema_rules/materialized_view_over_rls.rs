//! Materialized views of protected rows.

use plimsoll_core::Severity;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::RelationKind;

use super::row_security::protected_table;
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "materialized-view-over-rls",
    other_tools: &[("splinter", "materialized_view_in_api")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("materialized_view_over_rls.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, view) in
        context.schema.relations().filter(|(_, view)| view.kind == RelationKind::MaterializedView)
    {
        let Some(table) = protected_table(context.schema, name) else { continue };
        let _ = view;
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!("{name} holds rows of {table} that no policy protects any more"),
            format!("Grant nothing on {} to roles that see rows by policy, or keep it in a schema that they can't use.", quote_name(name)),
        ));
    }
}
