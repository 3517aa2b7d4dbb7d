//! A new table without a comment.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-comment",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("require_comment.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateTable(table) = context.command else { return };
    let commented = || context.later(&table.name).any(|command| matches!(command, Command::Comment { .. }));
    if table.temporary || table.partition_of.is_some() || commented() {
        return;
    }
    problems.push(Problem::new(
        format!("nothing says what a row of {} is", table.name),
        format!(
            "Say it where everybody finds it:\nCOMMENT ON TABLE {} IS '…';",
            plimsoll_sql::name::quote_name(&table.name)
        ),
        Claim::Nothing,
    ));
}
