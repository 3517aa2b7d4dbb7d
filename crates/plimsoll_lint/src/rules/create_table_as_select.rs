//! A table made from a query.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "create-table-as-select",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("create_table_as_select.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateTableAs { name, temporary: false, .. } = context.command else { return };
    problems.push(Problem::new(
        format!("{name} gets names and types of a query's columns and nothing else: no key, no NOT NULL, no default, no index"),
        format!("Define it, then fill it in batches:\nCREATE TABLE {0} (…);\nINSERT INTO {0} SELECT …;", plimsoll_sql::name::quote_name(name)),
        Claim::Nothing,
    ));
}
