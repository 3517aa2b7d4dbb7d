//! Dropping a trigger locks the table.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;

use super::brief_lock;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-trigger",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "ban-drop-trigger"),
        ("postgres-language-server", "banDropTrigger"),
        ("pgfence", "drop-trigger"),
    ],
    severity: Severity::Warning,
    page: include_str!("ban_drop_trigger.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterAttachment(attachment) = context.command else { return };
    brief_lock::check(context, &[Cause::DropTrigger], problems, |_, lock| {
        format!("dropping the trigger {} takes {lock}", attachment.name)
    });
}
