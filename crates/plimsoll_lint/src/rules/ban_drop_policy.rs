//! A dropped policy that let running code see rows, or kept them from it.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::command::{Attachment, ObjectKind, Verb};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::{Command, ObjectName};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-policy",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-policy")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_policy.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterAttachment(Attachment {
        verb: Verb::Drop,
        kind: ObjectKind::Policy,
        name,
        table,
        if_exists,
        ..
    }) = context.command
    else {
        return;
    };
    let Some(existing) = context.existing(table) else { return };
    if context.schema.is_new_policy(table, name) || made_anew(context, table, name) {
        return;
    }
    let policy = existing
        .relation
        .map(|relation| (relation, relation.policies.iter().find(|policy| policy.name == *name)));
    let missing = *if_exists && matches!(policy, Some((_, None)));
    // A policy of a table without row-level security does nothing.
    if missing || policy.is_some_and(|(relation, _)| !relation.row_security) {
        return;
    }
    let restricts =
        policy.and_then(|(_, policy)| policy).is_some_and(|policy| policy.clauses.contains("restrictive"));
    let message = match restricts {
        true => format!(
            "without the policy {name} running code sees and writes rows of {} that were kept from it",
            existing.name
        ),
        false => format!(
            "without the policy {name} running code no longer sees the rows of {} that it let through",
            existing.name
        ),
    };
    let (policy, sql) = (quote_identifier(name), quote_name(table));
    let remedy = format!(
        "Replace it in one transaction, so that no session runs between the two:\nBEGIN;\nDROP POLICY {policy} ON {sql};\nCREATE POLICY {policy} ON {sql} …;\nCOMMIT;"
    );
    problems.push(Problem::new(message, remedy, existing.brief_claim(LockMode::AccessExclusive)));
}

/// Whether the file makes a policy of the same name later: that one is told of.
fn made_anew<'a>(context: &Context<'a>, table: &'a ObjectName, name: &str) -> bool {
    context.later(table).any(|command| {
        matches!(command, Command::AlterAttachment(later) if later.verb == Verb::Create && later.kind == ObjectKind::Policy && later.name == name)
    })
}
