//! A statement that PostgreSQL refuses in a file that is sent as one query.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::transaction::Block;

use super::ban_concurrent_in_transaction::refused_in_transaction;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "concurrent-in-implicit-transaction",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("concurrent_in_implicit_transaction.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some(words) = refused_in_transaction(context) else { return };
    if context.place.block != Block::Batch {
        return;
    }
    problems.push(Problem {
        range: None,
        message: format!(
            "{words} fails here: the migration tool sends this file's {} statements as one query, which makes them one \
             transaction",
            context.migration.statements.len()
        ),
        remedy: "Put it in a file of its own: a file of one statement is no transaction.".into(),
        claim: Claim::Fails,
        ..Problem::default()
    });
}
