//! What is asked by another session: locks, which the server shows to anybody; what statements left that commit by
//! themselves; what a process waits for. A session that runs the change never knows.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::LockMode;
use tokio_postgres::Client;

use super::catalog::{Catalog, IS_USERS, TextRow, number, rows};
use super::photograph::{Counters, CountersOf, Locks};

/// Locks that the session of process `pid` holds on relations of this database, or waits for.
pub(super) async fn locks_of(observer: &Client, pid: i32) -> Result<Locks, tokio_postgres::Error> {
    let query = format!(
        "SELECT relation, mode FROM pg_catalog.pg_locks WHERE pid = {pid} AND locktype = 'relation' AND \
         relation >= 16384"
    );
    let read = rows(observer.simple_query(&query).await?)
        .filter_map(|row| Some((number(&row, "relation"), LockMode::from_pg_locks(row.text("mode")?)?)));
    Ok(read.collect())
}

/// Locks that the session of process `pid` holds, by the names of their relations.
pub(crate) async fn locks_by_name(
    observer: &Client,
    pid: i32,
) -> Result<BTreeSet<(String, LockMode)>, tokio_postgres::Error> {
    let query = format!(
        "SELECT n.nspname || '.' || c.relname AS name, l.mode FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON \
         c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE l.pid = {pid} AND l.locktype \
         = 'relation' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = \
         pg_catalog.current_database()) AND {IS_USERS}"
    );
    let read = rows(observer.simple_query(&query).await?)
        .filter_map(|row| Some((row.text("name")?.to_owned(), LockMode::from_pg_locks(row.text("mode")?)?)));
    Ok(read.collect())
}

/// Name, pages and rows of tables, partitions and materialized views.
pub(crate) async fn relation_sizes(
    observer: &Client,
) -> Result<Vec<(String, u64, u64)>, tokio_postgres::Error> {
    let query = format!(
        "SELECT n.nspname || '.' || c.relname AS name, pg_catalog.pg_relation_size(c.oid) / \
         pg_catalog.current_setting('block_size')::int AS pages, greatest(c.reltuples, 0)::bigint AS rows FROM \
         pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND \
         {IS_USERS} ORDER BY 1"
    );
    let sizes = rows(observer.simple_query(&query).await?).map(|row| {
        (row.text("name").unwrap_or_default().to_owned(), number(&row, "pages"), number(&row, "rows"))
    });
    Ok(sizes.collect())
}

/// The process of a session.
pub(crate) async fn backend_pid(session: &Client) -> Result<i32, tokio_postgres::Error> {
    let answer = session.simple_query("SELECT pg_catalog.pg_backend_pid() AS pid").await?;
    Ok(rows(answer).map(|row| number(&row, "pid")).next().unwrap_or(0))
}

/// All relations, everybody's counters, and the position of the write-ahead log: for statements that commit by
/// themselves.
pub(super) async fn outside(observer: &Client) -> Result<(Catalog, Counters, u64), tokio_postgres::Error> {
    let catalog = Catalog::read(observer).await?;
    let query = format!(
        "SELECT 'relation' AS part, c.oid, {} FROM pg_catalog.pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', \
         'm'); {}",
        CountersOf::Everybody.relation_columns(),
        CountersOf::Everybody.further_questions()
    );
    let mut counters = Counters::default();
    for row in rows(observer.simple_query(&query).await?) {
        match row.text("part") {
            Some("relation") => counters.note_relation(&row),
            _ => counters.note_further(&row),
        }
    }
    Ok((catalog, counters, wal_position(observer).await?))
}

/// Insert position of the write-ahead log, in bytes.
pub(super) async fn wal_position(observer: &Client) -> Result<u64, tokio_postgres::Error> {
    let query = "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint AS wal";
    Ok(rows(observer.simple_query(query).await?).map(|row| number(&row, "wal")).next().unwrap_or(0))
}

/// The last value of every sequence, none where it has given out none; without those on which somebody holds a lock that
/// this would wait for.
pub(super) async fn sequence_values(
    observer: &Client,
) -> Result<BTreeMap<u32, Option<i64>>, tokio_postgres::Error> {
    let query = format!(
        "SELECT c.oid, pg_catalog.pg_sequence_last_value(c.oid) AS value FROM pg_catalog.pg_class c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND {IS_USERS} AND NOT EXISTS (SELECT \
         FROM pg_catalog.pg_locks l WHERE l.relation = c.oid AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', \
         'ExclusiveLock', 'AccessExclusiveLock'))"
    );
    let values = rows(observer.simple_query(&query).await?)
        .map(|row| (number(&row, "oid"), row.text("value").and_then(|value| value.parse().ok())));
    Ok(values.collect())
}

/// Whether sessions besides this one and that of process `pid` are in a transaction of this database.
pub(super) async fn others_are_in_transactions(
    observer: &Client,
    pid: i32,
) -> Result<bool, tokio_postgres::Error> {
    let query = format!(
        "SELECT count(*) AS others FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND \
         xact_start IS NOT NULL AND backend_type = 'client backend' AND pid NOT IN ({pid}, pg_catalog.pg_backend_pid())"
    );
    Ok(rows(observer.simple_query(&query).await?).any(|row| number::<u32>(&row, "others") > 0))
}

/// What a process waits for at this moment, as `IO:DataFileRead`; `CPU` for nothing. None if it runs no statement.
pub(super) async fn wait_event(observer: &Client, pid: i32) -> Result<Option<String>, tokio_postgres::Error> {
    let query = format!(
        "SELECT coalesce(wait_event_type || ':' || wait_event, 'CPU') AS event FROM \
         pg_catalog.pg_stat_get_activity({pid}) WHERE state = 'active'"
    );
    let event = rows(observer.simple_query(&query).await?).next();
    Ok(event.and_then(|row| row.text("event").map(ToOwned::to_owned)))
}
