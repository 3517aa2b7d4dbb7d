//! `CREATE INDEX` that blocks writers while it builds.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-concurrent-index-creation",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "require-concurrent-index-creation"),
        ("eugene", "E6"),
        ("strong_migrations", "add_index"),
    ],
    severity: Severity::Error,
    page: include_str!("require_concurrent_index_creation.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateIndex(index) = context.command else { return };
    for hazard in context.hazards(&[Cause::CreateIndex]) {
        let relation = &hazard.effect.relation;
        let message = format!(
            "building this index reads all of {} while {}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = context.sql();
        let at = index.index_word.end.min(sql.len());
        let (head, tail) = sql.split_at(at);
        let remedy =
            format!("Build it without blocking writers, outside a transaction:\n{head} CONCURRENTLY{tail};");
        let problem = Problem::new(message, remedy, hazard.claim());
        problems.push(match context.place.in_transaction() {
            // There CONCURRENTLY would fail: the statement has to move first.
            true => problem,
            false => problem.fix("Add CONCURRENTLY", vec![(at..at, " CONCURRENTLY".into())]),
        });
    }
}
