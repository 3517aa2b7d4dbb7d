//! Dropping a foreign key locks the other table, too.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use super::brief_lock;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-foreign-key",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "ban-drop-constraint"),
        ("pgfence", "drop-constraint"),
        ("pgsafe", "drop-constraint"),
    ],
    severity: Severity::Warning,
    page: include_str!("drop_foreign_key.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    brief_lock::check(context, &[Cause::DropForeignKey], problems, |_, lock| {
        format!("dropping the foreign key takes {lock}")
    });
}
