//! A photograph of a session between two of its statements: locks held, counters, WAL. Half of it is asked by another
//! session (`outside`), half by the session itself (`inside`).

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::LockMode;

use super::catalog::{TextRow, number};

/// Locks by relation and mode.
pub(super) type Locks = BTreeSet<(u32, LockMode)>;

/// Sequential scans and rows that they read, by relation.
pub(super) type Scans = BTreeMap<u32, (u64, u64)>;

/// What the server counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) scans: Scans,
    /// Rows inserted, updated, deleted, by relation.
    pub(super) writes: BTreeMap<u32, [u64; 3]>,
    /// Calls of trigger functions.
    pub(super) functions: BTreeMap<u32, u64>,
    /// Rows written in system catalogs.
    pub(super) catalog_rows: u64,
}

/// What was seen of a session in an open transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Photograph {
    pub(super) locks: Locks,
    pub(super) counters: Counters,
    /// Insert position of the write-ahead log, in bytes.
    pub(super) wal: u64,
}

/// Which counters are asked for: those of the session's transaction so far, or those of everybody, committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountersOf {
    /// Only the session itself sees them.
    Transaction,
    /// Anybody sees them.
    Everybody,
}

impl CountersOf {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Transaction => "pg_catalog.pg_stat_get_xact_",
            Self::Everybody => "pg_catalog.pg_stat_get_",
        }
    }

    /// The columns of a relation's counters, from `c` = `pg_class`.
    pub(super) fn relation_columns(self) -> String {
        let of = self.prefix();
        format!(
            "{of}numscans(c.oid) AS scans, {of}tuples_returned(c.oid) AS rows_read, {of}tuples_inserted(c.oid) AS \
             inserted, {of}tuples_updated(c.oid) AS updated, {of}tuples_deleted(c.oid) AS deleted"
        )
    }

    /// Questions about trigger functions and about system catalogs, each an answer of its own.
    pub(super) fn further_questions(self) -> String {
        let of = self.prefix();
        format!(
            "SELECT 'function' AS part, p.oid, {of}function_calls(p.oid) AS calls FROM pg_catalog.pg_proc p WHERE p.oid \
             >= 16384 AND p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype); SELECT 'catalogs' AS part, \
             sum({of}tuples_inserted(c.oid) + {of}tuples_updated(c.oid) + {of}tuples_deleted(c.oid)) AS catalog_rows \
             FROM pg_catalog.pg_class c WHERE c.oid < 16384 AND c.relkind = 'r'"
        )
    }
}

impl Counters {
    /// Takes note of a row with a relation's counters.
    pub(super) fn note_relation(&mut self, row: &impl TextRow) {
        let oid = number(row, "oid");
        self.scans.insert(oid, (number(row, "scans"), number(row, "rows_read")));
        self.writes.insert(oid, ["inserted", "updated", "deleted"].map(|column| number(row, column)));
    }

    /// Takes note of a row that answers one of the further questions.
    pub(super) fn note_further(&mut self, row: &impl TextRow) {
        match row.text("part") {
            Some("function") => drop(self.functions.insert(number(row, "oid"), number(row, "calls"))),
            Some("catalogs") => self.catalog_rows = number(row, "catalog_rows"),
            _ => {}
        }
    }

    /// Relations that were read in full since, with the rows of one scan.
    pub(super) fn scanned_since(&self, before: &Self) -> Vec<(u32, u64)> {
        let scanned = self.scans.iter().filter_map(|(oid, (scans, rows))| {
            let (scans_before, rows_before) = before.scans.get(oid).copied().unwrap_or_default();
            let times = scans.saturating_sub(scans_before);
            // A rewrite reads the table once for itself and once for each index: the rows of one scan.
            (times > 0).then(|| (*oid, rows.saturating_sub(rows_before) / times))
        });
        scanned.collect()
    }

    /// Rows written since.
    pub(super) fn written_since(&self, before: &Self) -> Vec<(u32, [u64; 3])> {
        let written = self.writes.iter().map(|(oid, now)| {
            let then = before.writes.get(oid).copied().unwrap_or_default();
            (*oid, std::array::from_fn(|kind| now[kind].saturating_sub(then[kind])))
        });
        written.filter(|(_, written)| written.iter().any(|rows| *rows > 0)).collect()
    }

    /// Trigger functions called since.
    pub(super) fn called_since(&self, before: &Self) -> Vec<(u32, u64)> {
        let called = self.functions.iter().map(|(oid, now)| {
            (*oid, now.saturating_sub(before.functions.get(oid).copied().unwrap_or_default()))
        });
        called.filter(|(_, calls)| *calls > 0).collect()
    }
}
