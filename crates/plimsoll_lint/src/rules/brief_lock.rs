//! What the rules about brief strong locks share: they speak of the first statement of a file that
//! takes one without a `lock_timeout`, since one `SET lock_timeout` cures the file.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::effects::Cause;

use super::require_lock_timeout::REMEDY;
use crate::context::{Context, Hazard, Problem, is_strong};

/// Reports brief strong locks for these causes. `what` says what takes `SHARE ROW EXCLUSIVE on
/// public.a`; the sentence goes on by itself.
pub(super) fn check(
    context: &Context,
    causes: &[Cause],
    problems: &mut Vec<Problem>,
    what: impl Fn(&Hazard, &str) -> String,
) {
    if !context.waits_unguarded() {
        return;
    }
    let locks = context.brief_locks(causes);
    let strong = |hazard: &&Hazard| is_strong(hazard.effect) && context.session.takes_newly(hazard.effect);
    let Some(hazard) = locks.iter().find(strong) else { return };
    let blocked = match hazard.effect.mode {
        LockMode::AccessExclusive => "every read and write",
        _ => "every write",
    };
    let lock = format!("{} on {}{}", hazard.effect.mode.sql(), hazard.relation(), hazard.and_others());
    let message =
        format!("{} and may wait for it without end, with {blocked} queued behind it", what(hazard, &lock));
    problems.push(
        Problem::new(message, REMEDY, hazard.claim())
            .of(hazard)
            .severity(Severity::Warning)
            .fix("Set lock_timeout before it", vec![(0..0, "SET lock_timeout = '2s';\n".into())]),
    );
}
