//! A statement that PostgreSQL refuses within a transaction block.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ReindexTarget};
use plimsoll_sql::transaction::Block;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-concurrent-in-transaction",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[("squawk", "ban-concurrent-index-creation-in-transaction")],
    severity: Severity::Error,
    page: include_str!("ban_concurrent_in_transaction.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some(words) = refused_in_transaction(context.command) else { return };
    let (who, remedy) = match context.place.block {
        Block::Tool => (
            "the migration tool runs this file in a transaction",
            "Put it in a file of its own and turn the transaction off by the tool's marker (dbmate `-- migrate:up \
             transaction:false`, goose `-- +goose NO TRANSACTION`, sqlx `-- no-transaction`, Diesel \
             `run_in_transaction = false`, Flyway `executeInTransaction=false`).",
        ),
        Block::Explicit => ("it stands between BEGIN and COMMIT", "Move it behind the COMMIT."),
        Block::Batch | Block::None => return,
    };
    problems.push(Problem {
        range: None,
        message: format!("{words} fails in a transaction, and {who}"),
        remedy: remedy.into(),
        claim: Claim::Fails,
        ..Problem::default()
    });
}

/// The words of a statement that can't run in a transaction block
/// (`PreventInTransactionBlock` in PostgreSQL's `utility.c` and the commands' own files).
pub(super) fn refused_in_transaction(command: &Command) -> Option<&'static str> {
    match command {
        Command::CreateIndex(index) if index.concurrently => Some("CREATE INDEX CONCURRENTLY"),
        Command::Drop(drop) if drop.concurrently => Some("DROP INDEX CONCURRENTLY"),
        Command::Reindex { concurrently: true, .. } => Some("REINDEX CONCURRENTLY"),
        Command::Reindex { target: ReindexTarget::Schema(_) | ReindexTarget::System, .. } => {
            Some("REINDEX SCHEMA, DATABASE or SYSTEM")
        }
        Command::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| matches!(action.kind, ActionKind::DetachPartition { concurrently: true, .. }))
            .then_some("DETACH PARTITION CONCURRENTLY"),
        Command::Vacuum { .. } => Some("VACUUM"),
        Command::Cluster { name: None } => Some("CLUSTER of all tables"),
        Command::OutsideTransactionOnly { words } => Some(words),
        _ => None,
    }
}
