//! Foreign tables that no policy protects.

use plimsoll_core::Severity;
use plimsoll_sql::schema::{Grantable, PUBLIC, RelationKind};

use super::row_security::has_protected_tables;
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "foreign-table-exposed",
    other_tools: &[("splinter", "foreign_table_in_api")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("foreign_table_exposed.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in
        context.schema.relations().filter(|(_, table)| table.kind == RelationKind::ForeignTable)
    {
        let roles = context.schema.privileges().granted.get(&Grantable::Relation(name.clone()));
        let roles: Vec<&str> = roles
            .into_iter()
            .flat_map(|roles| roles.keys())
            .map(String::as_str)
            .filter(|role| table.owner.as_deref() != Some(role))
            .collect();
        let is_exposed = roles.contains(&PUBLIC)
            || (!roles.is_empty() && has_protected_tables(context.schema, name.schema.as_deref()));
        if !is_exposed {
            continue;
        }
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!("{} can reach another server through {name}, which can have no row-level security", roles.join(", ")),
            "Keep foreign tables in a schema of their own, and give roles a view or a function that shows what they may see.",
        ));
    }
}
