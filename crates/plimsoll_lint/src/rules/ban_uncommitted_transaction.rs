//! A transaction that the script opens and never ends.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::{Command, TransactionHabit};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-uncommitted-transaction",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[("squawk", "ban-uncommitted-transaction"), ("pgfence", "unclosed-transaction")],
    severity: Severity::Error,
    page: include_str!("ban_uncommitted_transaction.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Begin = context.command else { return };
    // Around a whole file the tool sends the COMMIT.
    if context.migration.habit == TransactionHabit::File || context.session.has_begun() {
        return;
    }
    let ends = |command: &Command| {
        matches!(command, Command::Commit { chain: false } | Command::Rollback { chain: false })
    };
    let later = context.migration.statements.iter().skip(context.index + 1);
    if later.filter_map(|statement| statement.command()).any(ends) {
        return;
    }
    let message = "no COMMIT follows: with the connection's end all that this transaction did is undone, and until then it holds its \
                   locks";
    let remedy = "Write COMMIT; at the file's end.";
    problems.push(Problem::new(message, remedy, Claim::Nothing));
}
