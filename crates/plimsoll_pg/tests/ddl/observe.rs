//! Runs every kind on a server and says what was seen, as the rehearsal records it.
//!
//! A single statement runs within BEGIN and ROLLBACK in one database for all. What refuses that, or consists of several
//! statements, gets a copy of the database for itself.

use std::collections::BTreeMap;

use plimsoll_core::{ChangeScope, HeldLock, LockMode, SourceFile, StatementRecord, Work};
use plimsoll_pg::rehearse::{analyze, rehearse, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Command, Migration, TransactionHabit};

use crate::table::{Kind, Observed, SCHEMA};

/// What a server does with each kind, in order; nothing where it doesn't know the kind.
pub(crate) async fn observe(server: &PrivateServer, major: u32, kinds: &[Kind]) -> Vec<(String, Observed)> {
    server.create_database("harbour").await.expect("a database");
    run_script(server, "harbour", &SourceFile::new("schema.sql", SCHEMA)).await.expect("the schema");
    analyze(server, "harbour", None).await.expect("statistics");
    let relations = Relations::read(server).await;
    let known: Vec<&Kind> = kinds.iter().filter(|kind| kind.since <= major).collect();
    let mut observed = observe_together(server, &relations, &known).await;
    let mut rows = Vec::new();
    for kind in known {
        let observed = match observed.remove(kind.name.as_str()) {
            Some(observed) if !refuses_transactions(&observed) => observed,
            _ => observe_alone(server, &relations, kind).await,
        };
        rows.push((kind.name.clone(), observed));
    }
    rows
}

/// Observes all kinds of one statement in one database, each undone before the next.
async fn observe_together(
    server: &PrivateServer,
    relations: &Relations,
    kinds: &[&Kind],
) -> BTreeMap<String, Observed> {
    let single: Vec<&&Kind> = kinds.iter().filter(|kind| is_single(kind)).collect();
    let sql: String = single.iter().map(|kind| format!("begin;\n{}rollback;\n", kind.sql)).collect();
    let records = run(server, "harbour", &sql).await;
    let observed = single.iter().zip(records.chunks(3)).map(|(kind, records)| {
        assert_eq!(records[2].line, records[0].line + 1 + kind.sql.lines().count(), "{}", kind.name);
        (kind.name.clone(), relations.observed(&records[..2]))
    });
    observed.collect()
}

/// Whether the kind is one statement, and one that a transaction block wouldn't help to succeed.
fn is_single(kind: &Kind) -> bool {
    let (statements, _) = parse_script(&kind.sql);
    statements.len() == 1 && !matches!(statements[0].command(), Some(Command::LockTable { .. }))
}

fn refuses_transactions(observed: &Observed) -> bool {
    matches!(observed.sqlstate.as_deref(), Some("25001" | "2D000"))
}

async fn observe_alone(server: &PrivateServer, relations: &Relations, kind: &Kind) -> Observed {
    let client = server.connect("postgres").await.expect("a connection");
    client.batch_execute("CREATE DATABASE alone TEMPLATE harbour STRATEGY file_copy").await.expect("a copy");
    let records = run(server, "alone", &kind.sql).await;
    client.batch_execute("DROP DATABASE alone WITH (FORCE)").await.expect("the copy's end");
    relations.observed(&records)
}

async fn run(server: &PrivateServer, database: &str, sql: &str) -> Vec<StatementRecord> {
    let migration =
        Migration::new(SourceFile::new("kinds.sql", sql), 0..sql.len(), TransactionHabit::Statement);
    let rehearsal = rehearse(server, database, &[&migration], ChangeScope::Together, &|_, _, _| {}).await;
    rehearsal.expect("a rehearsal").statements
}

/// The schema's relations, as far as their locks are told of.
struct Relations {
    /// The tables of indexes, both as `schema.name`.
    indexes: BTreeMap<String, String>,
    /// Sequences and composite types.
    others: Vec<String>,
}

impl Relations {
    async fn read(server: &PrivateServer) -> Self {
        let client = server.connect("harbour").await.expect("a connection");
        let mut relations = Self { indexes: BTreeMap::new(), others: Vec::new() };
        let query = "SELECT n.nspname || '.' || c.relname, c.relkind, tn.nspname || '.' || t.relname FROM pg_class c \
                     JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid \
                     LEFT JOIN pg_class t ON t.oid = i.indrelid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace \
                     WHERE c.relkind IN ('i', 'I', 'S', 'c')";
        for message in client.simple_query(query).await.expect("the relations") {
            let tokio_postgres::SimpleQueryMessage::Row(row) = message else { continue };
            let name = row.get(0).expect("a name").to_owned();
            match row.get(2) {
                Some(table) => drop(relations.indexes.insert(name, table.to_owned())),
                None => relations.others.push(name),
            }
        }
        relations
    }

    /// What the last statement did, and what its transaction holds after it.
    fn observed(&self, records: &[StatementRecord]) -> Observed {
        let last = records.last().expect("a record");
        if let Some(error) = &last.error {
            return Observed { sqlstate: Some(error.sqlstate.clone()), ..Observed::default() };
        }
        let held = strongest(records, last);
        let mode_on = |relation: &String| held.get(relation).copied();
        let (indexes, tables): (Vec<_>, Vec<_>) =
            held.iter().partition(|(relation, _)| self.indexes.contains_key(*relation));
        let tables = tables.into_iter().filter(|(relation, _)| !self.others.contains(relation));
        let indexes = indexes
            .into_iter()
            .filter(|(index, mode)| mode_on(&self.indexes[*index]).is_none_or(|of_table| of_table < **mode));
        let told = |locks: &mut dyn Iterator<Item = (&String, &LockMode)>| {
            let strong = locks.filter(|(_, mode)| **mode >= LockMode::ShareUpdateExclusive);
            strong.map(|(relation, mode)| (relation.clone(), *mode)).collect::<Vec<_>>()
        };
        let (locks, index_locks) = (told(&mut tables.into_iter()), told(&mut indexes.into_iter()));
        Observed { sqlstate: None, locks, index_locks, works: works(last) }
    }
}

/// The strongest mode on each existing relation that the last record's transaction holds.
fn strongest(records: &[StatementRecord], last: &StatementRecord) -> BTreeMap<String, LockMode> {
    let in_transaction =
        |record: &&StatementRecord| std::ptr::eq(*record, last) || record.transaction == last.transaction;
    let mut held: BTreeMap<String, LockMode> = BTreeMap::new();
    for HeldLock { relation, mode, existing } in
        records.iter().filter(in_transaction).flat_map(|record| &record.locks)
    {
        if *existing {
            let known = held.entry(relation.clone()).or_insert(*mode);
            *known = (*known).max(*mode);
        }
    }
    held
}

fn works(record: &StatementRecord) -> Vec<(String, Work)> {
    let rewrites = record.rewrites.iter().map(|relation| (relation.clone(), Work::Rewrite));
    let scans = record.scans.iter().map(|scan| (scan.relation.clone(), Work::Scan));
    let builds = record.index_builds.iter().filter(|build| build.existing);
    let builds = builds.map(|build| (build.relation.clone(), Work::IndexBuild));
    let mut works: Vec<(String, Work)> = rewrites.chain(scans).chain(builds).collect();
    works.dedup();
    works
}
