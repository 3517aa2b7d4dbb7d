//! What is known of the database and of the change so far, and the records of its statements.
//!
//! It doesn't ask: whoever runs the change hands over what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plimsoll_core::facts::SequenceMove;
use plimsoll_core::rehearsal::{Outcome, StatementRecord};
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::transaction::Place;
use plimsoll_sql::{Command, Migration, Statement};

use super::catalog::{Catalog, CatalogEntry};
use super::deed::{Deed, Known};

#[derive(Default)]
pub(super) struct Ledger {
    /// All relations as of the last photograph.
    pub(super) catalog: Catalog,
    /// Oids of relations that existed before the change.
    pub(super) existing: BTreeSet<u32>,
    /// Last values of sequences as they were last seen.
    pub(super) sequences: BTreeMap<u32, Option<i64>>,
    pub(super) records: Vec<StatementRecord>,
    /// Time spent in statements so far.
    pub(super) clock: Duration,
    /// Number of the transaction that runs.
    pub(super) transaction: usize,
}

impl Ledger {
    /// What exists now is what existed before the change.
    pub(super) fn take_stock(&mut self, catalog: Catalog, sequences: BTreeMap<u32, Option<i64>>) {
        self.existing = catalog.entries.keys().copied().collect();
        self.catalog = catalog;
        self.sequences = sequences;
    }

    /// Relations that are new, renamed or have another file, by what was known of them.
    pub(super) fn changed(
        &self,
        entries: impl IntoIterator<Item = (u32, CatalogEntry)>,
    ) -> Vec<(u32, CatalogEntry)> {
        entries.into_iter().filter(|(oid, entry)| self.catalog.entries.get(oid) != Some(entry)).collect()
    }

    /// Sequences whose last value is another than it was when it was last seen.
    pub(super) fn moved(&mut self, values: BTreeMap<u32, Option<i64>>) -> Vec<(u32, SequenceMove)> {
        let mut moved = Vec::new();
        for (oid, to) in values {
            let from = self.sequences.insert(oid, to).flatten();
            let name = self.catalog.name(oid).unwrap_or_default().to_owned();
            if from != to {
                moved.push((oid, SequenceMove { sequence: name, from, to }));
            }
        }
        moved
    }

    /// Everything that the current transaction did since a savepoint is undone by the statement at this index.
    pub(super) fn undo(&mut self, savepoint: &str, by: usize, failures: Failures) {
        let transaction = self.transaction;
        let of_transaction = |record: &&mut StatementRecord| record.transaction == transaction;
        // Of savepoints with one name the last that wasn't released is meant.
        let mut released = 0;
        for record in self.records.iter_mut().take(by).rev().filter(of_transaction) {
            match savepoint_command(record) {
                Some(Command::Savepoint(name)) if name == savepoint && released == 0 => return,
                Some(Command::Savepoint(name)) if name == savepoint => released -= 1,
                Some(Command::ReleaseSavepoint(name)) if name == savepoint => released += 1,
                _ => {}
            }
            if record.error.is_none() || failures == Failures::Undone {
                record.undone_by.get_or_insert(by);
            }
        }
    }

    /// Writes down what a statement did.
    pub(super) fn record(&mut self, subject: Subject, deed: Deed) {
        let known = Known { catalog: &self.catalog, existing: &self.existing };
        self.records.push(StatementRecord {
            file: subject.file,
            statement: subject.index,
            line: subject.line,
            sql: subject.sql,
            outcome: if deed.error.is_some() { Outcome::Error } else { Outcome::Ok },
            duration_ms: milliseconds(deed.duration),
            started_ms: milliseconds(self.clock),
            in_transaction: subject.in_transaction,
            transaction: self.transaction,
            locks: deed.locks(&known),
            rewrites: deed.rewrites(&known),
            scans: deed.scans(&known),
            index_builds: deed.index_builds(&known),
            works_concurrently: subject.works_concurrently,
            wal_bytes: deed.wal_bytes,
            lock_timeout_ms: deed.lock_timeout_ms,
            renames: deed.renames(&known),
            lock_spans: deed.lock_spans(&known),
            undone_by: None,
            further: deed.further(&known),
            error: deed.error,
        });
        self.clock += deed.duration;
        for (oid, entry) in deed.changed {
            self.catalog.insert(oid, entry);
        }
    }
}

/// What becomes of failures when a savepoint is gone back to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Failures {
    /// They are failures all the same.
    Stay,
    /// They are undone with the rest: whoever sent the statements went back of its own accord.
    Undone,
}

/// The statement that a record is of.
pub(super) struct Subject {
    pub(super) file: String,
    /// Index in the file.
    pub(super) index: usize,
    /// Line in the file, from 1.
    pub(super) line: usize,
    pub(super) sql: String,
    pub(super) in_transaction: bool,
    pub(super) works_concurrently: bool,
}

impl Subject {
    /// A statement of a migration.
    pub(super) fn of(migration: &Migration, index: usize, statement: &Statement, place: Place) -> Self {
        Self {
            file: migration.source.name(),
            index,
            line: migration.source.line_column(statement.range.start).0,
            sql: migration.sql(statement).to_owned(),
            in_transaction: place.in_transaction(),
            works_concurrently: works_concurrently(statement),
        }
    }
}

/// Whether the statement holds locks that block only before or after its work: `REINDEX CONCURRENTLY` of a partitioned
/// table begins with `SHARE` on every partition (`ReindexPartitions` in `indexcmds.c`). Or whether they block nobody.
pub(super) fn works_concurrently(statement: &Statement) -> bool {
    match statement.command() {
        Some(Command::Reindex { concurrently, .. } | Command::Refresh { concurrently, .. }) => *concurrently,
        Some(Command::CreateIndex(index)) => index.concurrently,
        _ => false,
    }
}

/// The command that makes a savepoint or releases one.
fn savepoint_command(record: &StatementRecord) -> Option<Command> {
    if !record.locks.is_empty() {
        return None;
    }
    parse_script(&record.sql).0.first().and_then(Statement::command).cloned()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
