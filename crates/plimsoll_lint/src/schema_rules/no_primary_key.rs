//! Tables without a primary key.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::schema::RelationKind;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "no-primary-key",
    other_tools: &[("splinter", "no_primary_key"), ("pglinter", "B001")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("no_primary_key.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.tables() {
        let has_key = table.constraints.iter().any(|one| matches!(one.kind, ConstraintKind::PrimaryKey(_)));
        // A child has its rows in common with its parent, which no key spans.
        if has_key || !table.inherits.is_empty() || table.kind == RelationKind::ForeignTable {
            continue;
        }
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!("{} has no primary key, so that nothing tells its rows apart", context.sized(name)),
            "Add one: CREATE UNIQUE INDEX CONCURRENTLY on columns that are NOT NULL, then ALTER TABLE … ADD PRIMARY KEY USING INDEX ….",
        ));
    }
}
