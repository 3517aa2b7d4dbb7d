//! A strong lock that waits without end, and lets everybody queue behind it.

use plimsoll_core::{Claim, LockMode, Severity};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-lock-timeout",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[
        ("squawk", "require-timeout-settings"),
        ("eugene", "E9"),
        ("strong_migrations", "lock_timeout"),
    ],
    severity: Severity::Warning,
    page: include_str!("require_lock_timeout.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    // One `SET lock_timeout` cures a file, so one finding tells it.
    if !context.session.waits_forever() || context.session.unguarded_lock_seen() {
        return;
    }
    let locks = context.locks_on_existing();
    let Some(lock) = locks.into_iter().find(|lock| lock.mode >= LockMode::ShareRowExclusive) else { return };
    let blocked = match lock.mode {
        LockMode::AccessExclusive => "every read and write",
        _ => "every write",
    };
    problems.push(Problem {
        severity: None,
        fix: None,
        range: None,
        message: format!(
            "this takes {} on {} and may wait for it without end, with {blocked} of the table queued behind it",
            lock.mode.sql(),
            lock.relation
        ),
        remedy: "Give up early and try again instead of making everybody wait; at the file's head:\nSET lock_timeout = '2s';".into(),
        claim: Claim::Lock { relation: lock.relation.to_string(), mode: lock.mode, work: None },
    });
}
