//! A changed policy.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{Attachment, ObjectKind, Verb};
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-policy",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-policy-condition"), ("squawk", "ban-alter-policy-roles")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_policy.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterAttachment(Attachment {
        verb: Verb::Alter,
        kind: ObjectKind::Policy,
        name,
        table,
        clauses,
        ..
    }) = context.command
    else {
        return;
    };
    let Some(existing) = context.existing(table) else { return };
    if existing.policies_are_idle()
        || context.schema.is_new_policy(table, name)
        || clauses.starts_with("rename to ")
    {
        return;
    }
    let message = format!(
        "running code sees and may write other rows of {} from this moment on, by the policy {name}",
        existing.name
    );
    let remedy = format!(
        "Add a permissive policy beside it, which only ever shows more, deploy the code, then drop the old one:\n\
         CREATE POLICY {} ON {} {clauses};",
        quote_identifier(&format!("{name}_new")),
        quote_name(table)
    );
    problems.push(Problem::new(message, remedy, existing.brief_claim(LockMode::AccessExclusive)));
}
