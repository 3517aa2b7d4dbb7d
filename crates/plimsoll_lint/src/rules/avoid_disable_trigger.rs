//! Switching a trigger on or off blocks writers.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::effects::Cause;

use super::brief_lock;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "avoid-disable-trigger",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "ban-disable-trigger"),
        ("postgres-language-server", "avoidEnableDisableTrigger"),
        ("pgfence", "enable-disable-trigger"),
    ],
    severity: Severity::Warning,
    page: include_str!("avoid_disable_trigger.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    if !matches!(context.command, Command::AlterTable(_)) {
        return;
    }
    brief_lock::check(context, &[Cause::Trigger], problems, |hazard, lock| {
        let verb = match context.action_of(hazard).map(|action| &action.kind) {
            Some(ActionKind::TriggerFiring { disabled: false, .. }) => "on",
            _ => "off",
        };
        format!("switching triggers {verb} takes {lock}")
    });
}
