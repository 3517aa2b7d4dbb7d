//! Making a trigger blocks writers.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;

use super::brief_lock;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "avoid-create-trigger",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("postgres-language-server", "avoidCreateTrigger"),
        ("pgfence", "create-trigger"),
        ("pgsafe", "add-trigger"),
    ],
    severity: Severity::Warning,
    page: include_str!("avoid_create_trigger.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateTrigger { name, .. } = context.command else { return };
    brief_lock::check(context, &[Cause::Trigger], problems, |_, lock| {
        format!("making the trigger {name} takes {lock}")
    });
}
