//! Tables that a crash empties.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::name::quote_name;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "unlogged-table",
    other_tools: &[],
    severity: Severity::Note,
    needs: Needs::Definitions,
    page: include_str!("unlogged_table.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, _) in context.schema.relations().filter(|(_, table)| table.unlogged) {
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!("{} is emptied by a crash, and empty on every replica", context.sized(name)),
            format!(
                "If its rows matter: ALTER TABLE {} SET LOGGED; which rewrites it while nobody can use it.",
                quote_name(name)
            ),
        ));
    }
}
