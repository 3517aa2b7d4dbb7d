//! Tables without row-level security among tables with it.

use plimsoll_core::Severity;
use plimsoll_sql::name::quote_name;

use super::row_security::has_protected_tables;
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "rls-disabled",
    other_tools: &[("splinter", "rls_disabled_in_public")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("rls_disabled.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.tables() {
        if table.row_security
            || !table.policies.is_empty()
            || !has_protected_tables(context.schema, name.schema.as_deref())
        {
            continue;
        }
        let schema = name.schema.as_deref().unwrap_or_default();
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!("{name} has no row-level security, and other tables of the schema {schema} do"),
            format!(
                "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY;\nCREATE POLICY … ON {0} …;\nor keep it in a schema of its own, away from roles that see rows by policy.",
                quote_name(name)
            ),
        ));
    }
}
