//! A dropped database.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-database",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[
        ("squawk", "ban-drop-database"),
        ("postgres-language-server", "banDropDatabase"),
        ("pgfence", "drop-database"),
        ("pgsafe", "drop-database"),
    ],
    severity: Severity::Error,
    page: include_str!("ban_drop_database.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::OutsideTransactionOnly { words: "DROP DATABASE" } = context.command else { return };
    let words = context.words();
    let mut rest = words.trim_start_matches("drop database ").trim_start_matches("if exists ").split(' ');
    let name = rest.next().unwrap_or_default().trim_end_matches(';');
    problems.push(Problem::new(
        format!("the database {name} is gone with all its data, for every client, and no ROLLBACK brings it back"),
        format!("Let an administrator do it by hand after a last dump, and until then refuse connections:\nALTER DATABASE {name} ALLOW_CONNECTIONS false;"),
        Claim::Nothing,
    ));
}
