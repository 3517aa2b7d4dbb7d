//! A new restrictive policy, which hides rows from running code.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{Attachment, ObjectKind, Verb};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "restrictive-policy",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("restrictive_policy.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterAttachment(Attachment {
        verb: Verb::Create,
        kind: ObjectKind::Policy,
        name,
        table,
        clauses,
        ..
    }) = context.command
    else {
        return;
    };
    let Some(existing) = context.existing(table).filter(|_| clauses.starts_with("as restrictive")) else {
        return;
    };
    if existing.policies_are_idle() {
        return;
    }
    let message = format!(
        "the restrictive policy {name} takes rows of {} from running code, without an error",
        existing.name
    );
    let remedy = format!(
        "Count first what it takes away, as the role that the code has, and grant it to a role that only the new code has:\n\
         CREATE POLICY … AS RESTRICTIVE … TO role …;\n-- SELECT count(*) FROM {} WHERE NOT (the condition);",
        existing.sql
    );
    problems.push(Problem::new(message, remedy, existing.brief_claim(LockMode::AccessExclusive)));
}
