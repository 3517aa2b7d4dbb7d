//! A strong lock that waits without end, and lets everybody queue behind it.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::effects::{Cause, Effect, strongest_locks};

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
    if !context.waits_unguarded() || context.effects.iter().any(|effect| has_own_rule(effect.cause)) {
        return;
    }
    let locks = strongest_locks(&context.effects);
    let strong =
        |lock: &&Effect| lock.mode >= LockMode::ShareRowExclusive && context.session.takes_newly(lock);
    let Some(lock) = locks.into_iter().find(strong) else { return };
    let blocked = match lock.mode {
        LockMode::AccessExclusive => "every read and write",
        _ => "every write",
    };
    let message = format!(
        "this takes {} on {} and may wait for it without end, with {blocked} of the table queued behind it",
        lock.mode.sql(),
        lock.relation
    );
    let claim = Claim::Lock { relation: lock.relation.to_string(), mode: lock.mode, work: None };
    problems.push(
        Problem::new(message, REMEDY, claim)
            .fix("Set lock_timeout before it", vec![(0..0, "SET lock_timeout = '2s';\n".into())]),
    );
}

/// Whether a rule of its own tells of a brief lock for this cause.
fn has_own_rule(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Trigger
            | Cause::DropTrigger
            | Cause::DropForeignKey
            | Cause::DropTableForeignKey
            | Cause::CreateTableReferences
            | Cause::ColumnReferences
            | Cause::LockTable
    )
}

/// What guards any brief strong lock.
pub(super) const REMEDY: &str = "Give up early and try again instead of making everybody wait; at the file's head:\nSET lock_timeout = '2s';";
