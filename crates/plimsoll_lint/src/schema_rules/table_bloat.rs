//! Tables that hold more room than rows.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_core::units;
use plimsoll_sql::name::quote_name;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "table-bloat",
    other_tools: &[("splinter", "table_bloat")],
    severity: Severity::Note,
    needs: Needs::Counters,
    page: include_str!("table_bloat.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    /// Share of a table that may be room before it is told.
    const MOST_ROOM: f64 = 0.5;
    for (name, facts) in &context.facts.tables {
        let (Some(bytes), Some(expected)) = (facts.main_bytes, facts.expected_bytes) else { continue };
        let room = bytes.saturating_sub(expected);
        if room <= context.settings.small_bytes || (room as f64) < bytes as f64 * MOST_ROOM {
            continue;
        }
        let percent = (room as f64 / bytes as f64 * 100.0).round();
        problems.push(SchemaProblem::new(
            Subject::Relation(name.clone()),
            format!("about {} of the {} of {name} ({percent} %) hold no rows", units::bytes(room), units::bytes(bytes)),
            format!("Let autovacuum run more often there (autovacuum_vacuum_scale_factor); to give the room back, pg_repack {}, or VACUUM FULL while nobody needs it.", quote_name(name)),
        ));
    }
}
