//! A changed setting of the whole server.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-system-options",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-system-options")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_system_options.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::OutsideTransactionOnly { words: "ALTER SYSTEM" } = context.command else { return };
    problems.push(Problem::new(
        "this changes a setting of the whole server, for every database on it and past any rollback of the deploy",
        "Keep it with the server's configuration, or set it where the code needs it (SET, ALTER ROLE … SET …).",
        Claim::Nothing,
    ));
}
