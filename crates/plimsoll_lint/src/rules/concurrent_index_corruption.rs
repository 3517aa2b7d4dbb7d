//! A concurrent index build on a version that may corrupt it.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::effects::Cause;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "concurrent-index-corruption",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("strong_migrations", "add_index_corruption"),
        ("online_migrations", "add_index_corruption"),
    ],
    severity: Severity::Note,
    page: include_str!("concurrent_index_corruption.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    if context.settings.server_major != Some(14) {
        return;
    }
    for hazard in context.hazards(&[Cause::ConcurrentIndex]) {
        let message = format!(
            "on PostgreSQL 14.0 to 14.3 an index of {} that is built concurrently may lack rows that were written meanwhile",
            hazard.relation()
        );
        let remedy = "Make sure that the servers run 14.4 or newer. Where they didn't, look for damage with amcheck \
                      (bt_index_check with heapallindexed), and rebuild what it finds.";
        problems.push(Problem::new(message, remedy, Claim::Nothing));
    }
}
