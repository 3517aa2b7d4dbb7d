//! An index of more than three columns.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "wide-index",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[("strong_migrations", "add_index_columns")],
    severity: Severity::Note,
    page: include_str!("wide_index.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateIndex(index) = context.command else { return };
    if index.unique || index.keys.len() <= MOST_KEYS || index.method != "btree" {
        return;
    }
    let first: Vec<&str> = index.keys[..MOST_KEYS].iter().map(|key| key.text.as_str()).collect();
    problems.push(Problem::new(
        format!("an index of {} columns on {} is written by nearly every update, and few queries narrow down by all of them", index.keys.len(), index.table),
        format!("Begin with the columns that narrow down most, and put what is only read into INCLUDE:\n… ({}) INCLUDE (…)", first.join(", ")),
        Claim::Nothing,
    ));
}

/// Columns up to which an index is not wide.
const MOST_KEYS: usize = 3;
