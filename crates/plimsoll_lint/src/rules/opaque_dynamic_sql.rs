//! SQL that is put together at run time.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "opaque-dynamic-sql",
    group: Group::Style,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("opaque_dynamic_sql.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::DynamicSql { text } = context.command else { return };
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = one_line.chars().take(60).collect();
    let cut = if short.len() < one_line.len() { "…" } else { "" };
    problems.push(Problem::new(
        format!("what {short}{cut} runs is put together at run time, and nobody has judged it"),
        "Write the statement out, or as one text without parts (EXECUTE '…'), which is read; else rehearse it against a copy.",
        Claim::Nothing,
    ));
}
