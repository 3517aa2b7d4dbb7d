//! A concurrent index build without a name, which a second try makes twice.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "unnamed-concurrent-index",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("unnamed_concurrent_index.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateIndex(index) = context.command else { return };
    if !index.concurrently || index.name.is_some() || context.existing(&index.table).is_none() {
        return;
    }
    let columns: Vec<&str> = index.keys.iter().map(|key| key.column.as_deref().unwrap_or("expr")).collect();
    let name = made_up_name(&[&index.table.name, &columns.join("_"), "idx"]);
    let message = "PostgreSQL makes the index's name up: if the build fails and is tried again, a second index gets another name, and \
                   the broken one stays and costs every write";
    let sql = context.sql();
    let at = context.text(&(index.index_word.end..sql.len())).and_then(|tail| {
        let word = "concurrently";
        let start = tail.to_ascii_lowercase().find(word)?;
        Some(index.index_word.end + start + word.len())
    });
    let named = at.and_then(|at| Some((sql.get(..at)?, sql.get(at..)?)));
    let remedy = match named {
        Some((head, tail)) => format!("Name it:\n{head} {name}{tail};"),
        None => format!("Name it, for instance {name}."),
    };
    problems.push(
        Problem::new(message, remedy, Claim::Nothing)
            .maybe_fix("Name the index", at.map(|at| vec![(at..at, format!(" {name}"))])),
    );
}
