//! `DETACH PARTITION` that locks the whole partitioned table.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, AlterTable};
use plimsoll_sql::effects::Cause;

use super::require_lock_timeout;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-concurrent-partition-detach",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "require-concurrent-partition-detach"),
        ("postgres-language-server", "requireConcurrentDetachPartition"),
        ("pgfence", "detach-partition"),
        ("pgsafe", "detach-partition-non-concurrent"),
    ],
    severity: Severity::Warning,
    page: include_str!("require_concurrent_partition_detach.md"),
    check,
};

/// The first version that detaches concurrently.
const CONCURRENTLY: u32 = 14;

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    refused(context, alter, problems);
    for hazard in context.brief_locks(&[Cause::DetachPartition]) {
        let parent = context.schema.resolve(&alter.name);
        let relation = hazard.relation();
        let message = format!(
            "detaching this partition waits for every query on {}{}, and from then until its transaction ends {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let default = context.schema.default_partition(&parent);
        if default.is_some() || !context.environment().is_at_least(CONCURRENTLY) {
            // PostgreSQL refuses CONCURRENTLY beside a default partition.
            if context.session.waits_forever() {
                let problem = Problem::new(message, require_lock_timeout::REMEDY, hazard.claim()).of(&hazard);
                problems.push(
                    problem
                        .fix("Set lock_timeout before it", vec![(0..0, "SET lock_timeout = '2s';\n".into())]),
                );
            }
            continue;
        }
        let Some(action) = context.action_of(&hazard) else { continue };
        let remedy = format!(
            "Detach it without blocking anyone, {}:\n{} CONCURRENTLY;",
            context.outside(),
            context.text(&(0..action.range.end)).unwrap_or("ALTER TABLE … DETACH PARTITION …")
        );
        let end = action.range.end;
        let edits = vec![(end..end, " CONCURRENTLY".into())];
        problems.push(
            Problem::new(message, remedy, hazard.claim())
                .of(&hazard)
                .severity(context.brief_severity())
                .maybe_fix("Add CONCURRENTLY", Some(edits).filter(|_| !context.place.in_transaction())),
        );
    }
}

/// `CONCURRENTLY` beside a default partition, of which PostgreSQL says no.
fn refused(context: &Context, alter: &AlterTable, problems: &mut Vec<Problem>) {
    let parent = context.schema.resolve(&alter.name);
    let Some(default) = context.schema.default_partition(&parent) else { return };
    let concurrent = alter
        .actions
        .iter()
        .find(|action| matches!(action.kind, ActionKind::DetachPartition { concurrently: true, .. }));
    let Some(action) = concurrent else { return };
    let message = format!(
        "this statement fails: PostgreSQL detaches no partition concurrently where there is a default partition, as {default} is"
    );
    let remedy =
        "Detach it without CONCURRENTLY, behind SET lock_timeout = '2s', and try again when that runs out.";
    problems.push(Problem::new(message, remedy, Claim::Fails).at(&action.range).severity(Severity::Error));
}
