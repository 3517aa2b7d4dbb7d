//! A DO block whose branches nobody followed.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "unchecked-do-block",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("unchecked_do_block.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Do { body: Some(body) } = context.command else { return };
    let inner = &context.migration.statements[context.index].inner;
    let acts = inner
        .iter()
        .any(|inner| !matches!(inner.command, Command::Query { .. } | Command::DynamicSql { .. }));
    let Some(text) = context.sql().get(body.clone()).filter(|_| acts) else { return };
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let branches = ["if", "case", "loop", "while", "for", "exception"];
    let Some(branch) = words.find(|word| branches.contains(word)) else { return };
    problems.push(Problem::new(
        format!("the statements of this block were judged as if each ran once, whatever its {} decides", branch.to_uppercase()),
        "Where it can be, write them as plain statements with IF EXISTS or IF NOT EXISTS; else look through the branches, and rehearse.",
        Claim::Nothing,
    ));
}
