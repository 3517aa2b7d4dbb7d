//! Transaction control that doesn't fit the transaction that is open.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::transaction::Block;
use plimsoll_sql::{Command, Statement};

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
    if !is_control(context.command) {
        return;
    }
    // A BEGIN that is too many brings a COMMIT with it; a pair around all of the file changes nothing.
    if context.session.told_in_transaction(ID) || wraps_the_file(context) {
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

/// Whether the file is one BEGIN, what it does, and one COMMIT.
fn wraps_the_file(context: &Context) -> bool {
    let statements = &context.migration.statements;
    let controls: Vec<&Command> = statements.iter().filter_map(control).collect();
    matches!(controls.as_slice(), [Command::Begin, Command::Commit { chain: false }])
        && statements.first().is_some_and(|first| control(first).is_some())
        && statements.last().is_some_and(|last| control(last).is_some())
}

/// The command, if it begins or ends a transaction.
fn control(statement: &Statement) -> Option<&Command> {
    statement.command().filter(|command| is_control(command))
}

fn is_control(command: &Command) -> bool {
    matches!(command, Command::Begin | Command::Commit { .. } | Command::Rollback { .. })
}
