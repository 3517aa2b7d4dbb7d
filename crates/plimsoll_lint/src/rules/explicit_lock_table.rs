//! `LOCK TABLE` in a strong mode.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use super::brief_lock;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "explicit-lock-table",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("explicit_lock_table.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    brief_lock::check(context, &[Cause::LockTable], problems, |_, lock| format!("this takes {lock}"));
}
