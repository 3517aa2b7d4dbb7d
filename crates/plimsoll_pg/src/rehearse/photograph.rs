//! A photograph of a session between two of its statements: locks held, files, scans, WAL.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::LockMode;
use tokio_postgres::Client;

use super::catalog::{Catalog, CatalogEntry, ENTRY_COLUMNS, ENTRY_TABLES, IS_USERS, entry, number, rows};

/// Locks by relation and mode.
pub(super) type Locks = BTreeSet<(u32, LockMode)>;

/// Sequential scans and rows that they read, by relation.
pub(super) type Scans = BTreeMap<u32, (u64, u64)>;

/// What a session's own eyes see of the relations that it has locked.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) entries: BTreeMap<u32, CatalogEntry>,
    pub(super) scans: Scans,
    /// Insert position of the write-ahead log, in bytes.
    pub(super) wal: u64,
    /// `lock_timeout` in force, in milliseconds.
    pub(super) lock_timeout_ms: u64,
}

/// Locks that the session of process `pid` holds on relations of this database, or waits for, seen
/// from another session.
pub(super) async fn locks_of(observer: &Client, pid: i32) -> Result<Locks, tokio_postgres::Error> {
    let query = format!(
        "SELECT relation, mode FROM pg_catalog.pg_locks WHERE pid = {pid} AND locktype = 'relation' AND \
         relation >= 16384"
    );
    let read = rows(observer.simple_query(&query).await?)
        .filter_map(|row| Some((number(&row, "relation"), LockMode::from_pg_locks(row.get("mode")?)?)));
    Ok(read.collect())
}

/// What the session itself sees. Its catalog changes are uncommitted and its counters private, so
/// nobody else can look.
///
/// Counters are those since the session last flushed them: see [`flush_counters`].
pub(super) async fn inside(session: &Client) -> Result<Inside, tokio_postgres::Error> {
    let query = format!(
        "SELECT {ENTRY_COLUMNS}, pg_catalog.pg_stat_get_xact_numscans(c.oid) AS scans, \
         pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) AS rows_read FROM {ENTRY_TABLES} WHERE {IS_USERS} AND \
         c.oid IN (SELECT relation FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND locktype = \
         'relation'); SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint AS wal, (SELECT setting FROM \
         pg_catalog.pg_settings WHERE name = 'lock_timeout') AS lock_timeout"
    );
    let mut inside = Inside::default();
    for row in rows(session.simple_query(&query).await?) {
        if row.columns().len() == 2 {
            inside.wal = number(&row, "wal");
            inside.lock_timeout_ms = number(&row, "lock_timeout");
            continue;
        }
        let (oid, entry) = entry(&row);
        if matches!(entry.kind, 'r' | 'm') {
            inside.scans.insert(oid, (number(&row, "scans"), number(&row, "rows_read")));
        }
        inside.entries.insert(oid, entry);
    }
    Ok(inside)
}

/// What another session sees of all relations: for statements that commit by themselves.
pub(super) async fn outside(observer: &Client) -> Result<(Catalog, Scans, u64), tokio_postgres::Error> {
    let catalog = Catalog::read(observer).await?;
    let query = "SELECT c.oid, pg_catalog.pg_stat_get_numscans(c.oid) AS scans, \
                 pg_catalog.pg_stat_get_tuples_returned(c.oid) AS rows_read FROM pg_catalog.pg_class c WHERE c.oid >= \
                 16384 AND c.relkind IN ('r', 'm')";
    let read = rows(observer.simple_query(query).await?);
    let scans =
        read.map(|row| (number(&row, "oid"), (number(&row, "scans"), number(&row, "rows_read")))).collect();
    Ok((catalog, scans, wal_position(observer).await?))
}

/// Insert position of the write-ahead log, in bytes.
pub(super) async fn wal_position(observer: &Client) -> Result<u64, tokio_postgres::Error> {
    let query = "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint AS wal";
    Ok(rows(observer.simple_query(query).await?).map(|row| number(&row, "wal")).next().unwrap_or(0))
}

/// The referencing relations of foreign keys, by name, with the rows that the planner believes
/// them to have.
pub(super) async fn referencing_relations(
    session: &Client,
    foreign_keys: &[String],
) -> Result<Vec<(u32, u64)>, tokio_postgres::Error> {
    let list: Vec<String> =
        foreign_keys.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    let query = format!(
        "SELECT DISTINCT c.oid, greatest(c.reltuples, 0)::bigint AS rows FROM pg_catalog.pg_constraint k JOIN \
         pg_catalog.pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' AND c.relkind = 'r' AND k.conname IN ({})",
        list.join(", ")
    );
    let read = rows(session.simple_query(&query).await?);
    Ok(read.map(|row| (number(&row, "oid"), number(&row, "rows"))).collect())
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

/// Makes the session hand its counters over, so that they start from zero and others see them.
/// Must run outside a transaction.
pub(super) async fn flush_counters(session: &Client) -> Result<(), tokio_postgres::Error> {
    session.batch_execute("SELECT pg_catalog.pg_stat_force_next_flush()").await
}
