//! Indexes that no query has used.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_core::units;
use plimsoll_sql::ObjectName;
use plimsoll_sql::name::quote_name;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "unused-index",
    other_tools: &[("splinter", "unused_index"), ("pglinter", "B004")],
    severity: Severity::Note,
    needs: Needs::Counters,
    page: include_str!("unused_index.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        for index in table.indexes.iter().filter(|index| !index.unique && index.valid) {
            let full = ObjectName { schema: name.schema.clone(), name: index.name.clone() };
            let Some(known) = context.facts.indexes.get(&full) else { continue };
            if known.scans != Some(0) || known.bytes <= context.settings.small_bytes {
                continue;
            }
            problems.push(SchemaProblem::new(
                Subject::Index(name.clone(), index.name.clone()),
                format!("nothing has used {full} ({}){}, and each write to {name} pays for it", units::bytes(known.bytes), context.since()),
                format!("Look at the replicas' counters too, which count for themselves; then DROP INDEX CONCURRENTLY {};", quote_name(&full)),
            ));
        }
    }
}
