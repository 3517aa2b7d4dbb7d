//! A statement that PostgreSQL refuses within a transaction block.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::{ActionKind, ObjectChange, ObjectKind, ReindexTarget, Verb};
use plimsoll_sql::schema::RelationKind;
use plimsoll_sql::transaction::Block;
use plimsoll_sql::{Command, ObjectName};

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
    let Some(words) = refused_in_transaction(context) else { return };
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
pub(super) fn refused_in_transaction(context: &Context) -> Option<&'static str> {
    let is_partitioned = |name: &ObjectName| {
        context.schema.relation(name).is_some_and(|known| known.kind == RelationKind::PartitionedTable)
    };
    match context.command {
        Command::CreateIndex(index) if index.concurrently => Some("CREATE INDEX CONCURRENTLY"),
        Command::Drop(drop) if drop.concurrently => Some("DROP INDEX CONCURRENTLY"),
        Command::Drop(drop) if drop.kind == ObjectKind::Subscription => {
            (!is_slot_given_up(context)).then_some("DROP SUBSCRIPTION")
        }
        Command::Reindex { concurrently: true, .. } => Some("REINDEX CONCURRENTLY"),
        Command::Reindex { target, .. } => match target {
            ReindexTarget::Schema(_) | ReindexTarget::System => Some("REINDEX SCHEMA, DATABASE or SYSTEM"),
            ReindexTarget::Table(table) => is_partitioned(table).then_some("REINDEX of a partitioned table"),
            ReindexTarget::Index(index) => context
                .schema
                .table_of_index(index)
                .is_some_and(is_partitioned)
                .then_some("REINDEX of a partitioned index"),
        },
        Command::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| matches!(action.kind, ActionKind::DetachPartition { concurrently: true, .. }))
            .then_some("DETACH PARTITION CONCURRENTLY"),
        Command::Vacuum { .. } => Some("VACUUM"),
        Command::Cluster { name: None } => Some("CLUSTER of all tables"),
        Command::Cluster { name: Some(table) } => {
            is_partitioned(table).then_some("CLUSTER of a partitioned table")
        }
        Command::OutsideTransactionOnly { words } => Some(words),
        Command::Object(change) => refused_object(change),
        Command::Other => [
            (&["discard", "all"], "DISCARD ALL"),
            (&["commit", "prepared"], "COMMIT PREPARED"),
            (&["rollback", "prepared"], "ROLLBACK PREPARED"),
        ]
        .into_iter()
        .find(|(words, _)| context.behind(*words).is_some())
        .map(|(_, words)| words),
        _ => None,
    }
}

/// Subscriptions that make a replication slot or ask the publisher; databases that move.
fn refused_object(change: &ObjectChange) -> Option<&'static str> {
    let says = |words: &str| change.words.contains(words);
    match (change.kind, change.verb) {
        (ObjectKind::Database, Verb::Alter) => {
            says(" set tablespace ").then_some("ALTER DATABASE SET TABLESPACE")
        }
        (ObjectKind::Subscription, Verb::Create) => {
            (!says("create_slot = false") && !says("connect = false")).then_some("CREATE SUBSCRIPTION")
        }
        (ObjectKind::Subscription, Verb::Alter) => {
            let publication =
                [" set publication ", " add publication ", " drop publication "].into_iter().any(says);
            (says(" refresh publication") || (publication && !says("refresh = false")))
                .then_some("ALTER SUBSCRIPTION that refreshes")
        }
        _ => None,
    }
}

/// Whether the file lets a subscription's slot go before it drops it.
fn is_slot_given_up(context: &Context) -> bool {
    context.migration.statements.iter().take(context.index).any(|statement| match statement.command() {
        Some(Command::Object(change)) => {
            change.kind == ObjectKind::Subscription && change.words.contains("slot_name = none")
        }
        _ => false,
    })
}
