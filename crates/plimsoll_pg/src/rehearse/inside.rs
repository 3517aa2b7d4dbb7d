//! What is asked in the session that runs the change: its catalog changes are uncommitted and its counters private, so
//! nobody else can look.
//!
//! A question is a text, its answer rows of text: whoever drives the session can put the one and read the other.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::facts::ValidatedForeignKey;
use tokio_postgres::Client;

use super::catalog::{CatalogEntry, ENTRY_COLUMNS, ENTRY_TABLES, IS_USERS, TextRow, entry, number, rows};
use super::photograph::{Counters, CountersOf};

/// Settings of the session that runs the change: parallel workers' scans wouldn't be counted; at `debug1` the server
/// tells of work that leaves no other trace, and of temporary files; calls of trigger functions are counted.
pub(super) const SESSION_SETTINGS: &str = "SET max_parallel_maintenance_workers = 0; SET max_parallel_workers_per_gather = 0; \
     SET client_min_messages = debug1; SET log_temp_files = 0; SET track_functions = 'all'";

/// Those of these settings that a program's sessions have from their start, as settings of the database: a program need
/// not be one that may set them.
pub(super) const DATABASE_SETTINGS: [(&str, &str); 4] = [
    ("max_parallel_maintenance_workers", "0"),
    ("max_parallel_workers_per_gather", "0"),
    ("log_temp_files", "0"),
    ("track_functions", "'all'"),
];

/// What a session's own eyes see of the relations that it has locked.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) entries: BTreeMap<u32, CatalogEntry>,
    /// Counters since the session last flushed them: see [`FLUSH_COUNTERS`].
    pub(super) counters: Counters,
    /// Last values of the sequences that it has written to.
    pub(super) sequences: BTreeMap<u32, Option<i64>>,
    /// Insert position of the write-ahead log, in bytes.
    pub(super) wal: u64,
    /// `lock_timeout` in force, in milliseconds.
    pub(super) lock_timeout_ms: u64,
}

/// Makes the session hand its counters over, so that they start from zero and others see them. Outside a transaction.
pub(super) const FLUSH_COUNTERS: &str = "SELECT pg_catalog.pg_stat_force_next_flush()";

/// Asks for all of [`Inside`].
pub(super) fn question() -> String {
    // To read a sequence locks it ROW EXCLUSIVE, so only those that the session has locked that much; and only if its
    // role of the moment may.
    format!(
        "SELECT 'relation' AS part, {ENTRY_COLUMNS}, {}, CASE WHEN c.relkind = 'S' AND \
         pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT') AND c.oid IN (SELECT relation FROM \
         pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND mode IN ('RowExclusiveLock', \
         'ShareRowExclusiveLock', 'AccessExclusiveLock')) THEN coalesce(pg_catalog.pg_sequence_last_value(c.oid)::text, \
         'none') END AS sequence_value FROM {ENTRY_TABLES} WHERE {IS_USERS} AND c.oid IN (SELECT relation FROM \
         pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation'); {}; SELECT 'session' AS \
         part, (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint AS wal, (extract(epoch FROM \
         pg_catalog.current_setting('lock_timeout')::interval) * 1000)::bigint AS lock_timeout",
        CountersOf::Transaction.relation_columns(),
        CountersOf::Transaction.further_questions()
    )
}

impl Inside {
    /// Reads the answer to [`question`].
    pub(super) fn answer<Row: TextRow>(rows: impl Iterator<Item = Row>) -> Self {
        let mut inside = Self::default();
        for row in rows {
            match row.text("part") {
                Some("relation") => inside.note_relation(&row),
                Some("session") => {
                    inside.wal = number(&row, "wal");
                    inside.lock_timeout_ms = number(&row, "lock_timeout");
                }
                _ => inside.counters.note_further(&row),
            }
        }
        inside
    }

    fn note_relation(&mut self, row: &impl TextRow) {
        let (oid, entry) = entry(row);
        if matches!(entry.kind, 'r' | 'm') {
            self.counters.note_relation(row);
        }
        if let Some(value) = row.text("sequence_value") {
            self.sequences.insert(oid, value.parse().ok());
        }
        self.entries.insert(oid, entry);
    }
}

/// Asks and reads [`Inside`] through our own client.
pub(super) async fn inside(session: &Client) -> Result<Inside, tokio_postgres::Error> {
    Ok(Inside::answer(rows(session.simple_query(&question()).await?)))
}

/// The session's counters of all relations, and the insert position of the write-ahead log: after a rollback it counts what it
/// did to relations that it no longer locks.
pub(super) async fn all_counters(session: &Client) -> Result<(Counters, u64), tokio_postgres::Error> {
    let question = format!(
        "SELECT 'relation' AS part, c.oid, {} FROM pg_catalog.pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm'); \
         {}; SELECT 'session' AS part, (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint AS wal",
        CountersOf::Transaction.relation_columns(),
        CountersOf::Transaction.further_questions()
    );
    let (mut counters, mut wal) = (Counters::default(), 0);
    for row in rows(session.simple_query(&question).await?) {
        match row.text("part") {
            Some("relation") => counters.note_relation(&row),
            Some("session") => wal = number(&row, "wal"),
            _ => counters.note_further(&row),
        }
    }
    Ok((counters, wal))
}

/// The referencing relations of foreign keys, by name, with the rows that the planner believes them to have.
pub(super) async fn validated_foreign_keys(
    session: &Client,
    names: &[String],
) -> Result<Vec<(u32, u64, ValidatedForeignKey)>, tokio_postgres::Error> {
    let list: Vec<String> = names.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    let query = format!(
        "SELECT DISTINCT c.oid, greatest(c.reltuples, 0)::bigint AS rows, n.nspname || '.' || c.relname AS relation, \
         k.conname FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND c.relkind = 'r' AND k.conname IN \
         ({}) ORDER BY 3, 4",
        list.join(", ")
    );
    let keys = rows(session.simple_query(&query).await?).map(|row| {
        let text = |column: &str| row.text(column).unwrap_or_default().to_owned();
        let key = ValidatedForeignKey { relation: text("relation"), constraint: text("conname") };
        (number(&row, "oid"), number(&row, "rows"), key)
    });
    Ok(keys.collect())
}

/// Which of the tables have a file without a block.
pub(super) async fn without_rows(
    session: &Client,
    tables: &BTreeSet<u32>,
) -> Result<BTreeSet<u32>, tokio_postgres::Error> {
    let list: Vec<String> = tables.iter().map(u32::to_string).collect();
    let query = format!(
        "SELECT oid FROM pg_catalog.unnest('{{{}}}'::oid[]) oid WHERE pg_catalog.pg_relation_size(oid) = 0",
        list.join(", ")
    );
    Ok(rows(session.simple_query(&query).await?).map(|row| number(&row, "oid")).collect())
}

/// The names of trigger functions and of the triggers that call them.
pub(super) async fn trigger_functions(
    client: &Client,
    functions: &[u32],
) -> Result<BTreeMap<u32, (String, Vec<String>)>, tokio_postgres::Error> {
    let list: Vec<String> = functions.iter().map(u32::to_string).collect();
    let query = format!(
        "SELECT p.oid, n.nspname || '.' || p.proname AS name, coalesce(g.tgname || ' on ' || gn.nspname || '.' || \
         gc.relname, e.evtname) AS caller FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = \
         p.pronamespace LEFT JOIN pg_catalog.pg_trigger g ON g.tgfoid = p.oid LEFT JOIN pg_catalog.pg_class gc ON gc.oid = \
         g.tgrelid LEFT JOIN pg_catalog.pg_namespace gn ON gn.oid = gc.relnamespace LEFT JOIN \
         pg_catalog.pg_event_trigger e ON e.evtfoid = p.oid WHERE p.oid IN ({}) ORDER BY 2, 3",
        list.join(", ")
    );
    let mut named: BTreeMap<u32, (String, Vec<String>)> = BTreeMap::new();
    for row in rows(client.simple_query(&query).await?) {
        let (_, callers) = named
            .entry(number(&row, "oid"))
            .or_insert_with(|| (row.text("name").unwrap_or_default().to_owned(), Vec::new()));
        callers.extend(row.text("caller").map(ToOwned::to_owned));
    }
    Ok(named)
}
