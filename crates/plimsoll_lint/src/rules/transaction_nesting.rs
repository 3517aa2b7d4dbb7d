//! Transaction control that doesn't fit the transaction that is open.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::transaction::Block;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

const ID: &str = "transaction-nesting";

pub(super) const RULE: Rule = Rule {
    id: ID,
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[("squawk", "transaction-nesting"), ("postgres-language-server", "transactionNesting")],
    severity: Severity::Warning,
    page: include_str!("transaction_nesting.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    // A BEGIN that is too many brings a COMMIT with it.
    if context.session.told_in_transaction(ID) {
        return;
    }
    let of_tool = context.place.block == Block::Tool;
    let message = match context.command {
        Command::Begin if of_tool => {
            "the migration tool has opened a transaction already: this BEGIN only gives a warning, and the script's COMMIT ends \
             the tool's transaction"
        }
        Command::Begin if context.session.has_begun() => {
            "a transaction is open already: PostgreSQL doesn't nest them, this BEGIN only gives a warning"
        }
        Command::Commit { .. } if of_tool => {
            "this ends the migration tool's transaction: what follows runs without one, and if it fails, what came before stays"
        }
        Command::Rollback { .. } if of_tool => {
            "this rolls the migration tool's transaction back: the tool notes the migration as done all the same"
        }
        _ => return,
    };
    let remedy = match of_tool {
        true => {
            "Leave transactions to the tool, or turn its transaction off for this file and write BEGIN and COMMIT yourself."
        }
        false => "Take it out, or use SAVEPOINT and ROLLBACK TO for a part that may fail.",
    };
    problems.push(Problem::new(message, remedy, Claim::Nothing));
}
