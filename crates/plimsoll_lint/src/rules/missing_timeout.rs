//! What the rules about timeouts share: they speak of the first strong lock of a file that is
//! taken without theirs.

use plimsoll_core::{Claim, LockMode};
use plimsoll_sql::effects::strongest_locks;

use crate::context::{Context, Problem};

/// A timeout: the rule that asks for it, its parameter, a value, and what happens without it.
pub(super) struct Missing {
    pub(super) rule: &'static str,
    pub(super) parameter: &'static str,
    pub(super) value: &'static str,
    pub(super) otherwise: &'static str,
}

pub(super) fn check(missing: &Missing, context: &Context, problems: &mut Vec<Problem>) {
    let Missing { rule, parameter, value, otherwise } = missing;
    if context.session.timeout_ms(parameter) > 0 || context.session.told_in_file(rule) {
        return;
    }
    let locks = strongest_locks(&context.effects);
    let Some(lock) = locks.into_iter().find(|lock| lock.mode >= LockMode::ShareRowExclusive) else { return };
    let message =
        format!("this takes {} on {} without {parameter}: {otherwise}", lock.mode.sql(), lock.relation);
    let remedy = format!("At the file's head:\nSET {parameter} = '{value}';");
    let claim = Claim::Lock { relation: lock.relation.to_string(), mode: lock.mode, work: None };
    let set = format!("SET {parameter} = '{value}';\n");
    problems.push(Problem::new(message, remedy, claim).fix(&format!("Set {parameter}"), vec![(0..0, set)]));
}
