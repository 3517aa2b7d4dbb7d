//! A new policy on a table that running code uses.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{Attachment, ObjectKind, Verb};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-create-policy",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-create-policy"), ("pgfence", "create-policy")],
    severity: Severity::Warning,
    page: include_str!("ban_create_policy.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterAttachment(Attachment {
        verb: Verb::Create,
        kind: ObjectKind::Policy,
        name,
        table,
        ..
    }) = context.command
    else {
        return;
    };
    let Some(existing) = context.existing(table) else { return };
    if existing.policies_are_idle() {
        return;
    }
    let message = format!(
        "running code sees and may write more rows of {} from this moment on, by the policy {name}",
        existing.name
    );
    let remedy = "Grant the policy to a role that only the new code has (TO role), or deploy code first that bears the additional rows.";
    problems.push(Problem::new(message, remedy, existing.brief_claim(LockMode::AccessExclusive)));
}
