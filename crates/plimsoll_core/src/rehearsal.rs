//! What a rehearsal records about each statement that it ran on a private server.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::facts::FurtherFacts;
use crate::hold::holds;
use crate::lock::{Blocks, LockMode};

/// The record of one rehearsal. Serializes to the JSON contract, `rehearsal`, with the holds of its locks.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// As `SHOW server_version` prints it, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub server_version: String,
    /// Whether rows were loaded before the change. Without them durations and row counts mean
    /// nothing; locks, rewrites and scans hold all the same.
    pub seeded: bool,
    /// The change's statements in the order in which they ran.
    pub statements: Vec<StatementRecord>,
    /// What a reader must know to judge the record, such as statements that were not run.
    pub notes: Vec<String>,
}

impl Serialize for Rehearsal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rehearsal = serializer.serialize_struct("Rehearsal", 5)?;
        rehearsal.serialize_field("server_version", &self.server_version)?;
        rehearsal.serialize_field("seeded", &self.seeded)?;
        rehearsal.serialize_field("statements", &self.statements)?;
        rehearsal.serialize_field("lock_holds", &holds(self))?;
        rehearsal.serialize_field("notes", &self.notes)?;
        rehearsal.end()
    }
}

/// Whether a statement succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It succeeded.
    Ok,
    /// The server refused it.
    Error,
}

/// What one statement did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatementRecord {
    /// Path as [`crate::Location::file`] has it.
    pub file: String,
    /// Index of the statement in its file, from 0.
    pub statement: usize,
    /// Line of the statement's first character, from 1.
    pub line: usize,
    /// The statement's text.
    pub sql: String,
    /// Whether it succeeded.
    pub outcome: Outcome,
    /// The server's error, if it failed.
    pub error: Option<StatementError>,
    /// Wall-clock time from sending to completion, in milliseconds.
    pub duration_ms: f64,
    /// When it started, in milliseconds since the change's first statement.
    pub started_ms: f64,
    /// Whether its tool runs it within a transaction of several statements.
    pub in_transaction: bool,
    /// Number of the transaction that it ran in, from 0; locks are held to that transaction's end.
    pub transaction: usize,
    /// Locks that the transaction didn't hold before it.
    pub locks: Vec<HeldLock>,
    /// Existing relations whose rows were written to a new file, as `schema.name`.
    pub rewrites: Vec<String>,
    /// Existing relations that were read in full.
    pub scans: Vec<Scan>,
    /// Indexes built or rebuilt.
    pub index_builds: Vec<IndexBuild>,
    /// Whether readers and writers could go on during the work, as `CONCURRENTLY` promises: a lock
    /// that blocks them was held before or after it, or on a materialized view, which has no writers.
    #[serde(skip)]
    pub works_concurrently: bool,
    /// Write-ahead log written, in bytes.
    pub wal_bytes: u64,
    /// `lock_timeout` in force after it, in milliseconds; 0 means none.
    #[serde(skip)]
    pub lock_timeout_ms: u64,
    /// Relations that it renamed or moved, from name to name, both `schema.name`.
    #[serde(skip)]
    pub renames: Vec<(String, String)>,
    /// When locks of a statement that commits by itself were seen, from and to, in milliseconds since its start; a lock
    /// that isn't listed is held from its start.
    #[serde(skip)]
    pub lock_spans: Vec<LockSpan>,
    /// Index in [`Rehearsal::statements`] of the `ROLLBACK TO SAVEPOINT` that undid it, and let go of its locks.
    #[serde(skip)]
    pub undone_by: Option<usize>,
    /// The rest of what was seen.
    #[serde(flatten)]
    pub further: FurtherFacts,
}

/// When a lock was seen, in milliseconds since the start of its statement.
#[derive(Clone, Debug, PartialEq)]
pub struct LockSpan {
    /// Relation as `schema.name`.
    pub relation: String,
    /// The mode.
    pub mode: LockMode,
    /// When it was first seen.
    pub from_ms: f64,
    /// When it was last seen.
    pub to_ms: f64,
}

/// A server's refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementError {
    /// SQLSTATE, five characters.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// DETAIL, if given.
    pub detail: Option<String>,
    /// HINT, if given.
    pub hint: Option<String>,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the file, from 1.
    pub column: usize,
}

/// A lock that was newly held after a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HeldLock {
    /// Relation as `schema.name`.
    pub relation: String,
    /// The mode held.
    pub mode: LockMode,
    /// Whether the relation existed before the change.
    pub existing: bool,
    /// The partitioned table that the relation is a partition of, as `schema.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<String>,
    /// The table that the relation is an index of, as `schema.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_of: Option<String>,
}

/// An existing relation that was read in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Scan {
    /// Relation as `schema.name`.
    pub relation: String,
    /// Rows read.
    pub rows: u64,
}

/// An index built or rebuilt. Serializes as the index's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexBuild {
    /// Index as `schema.name`.
    pub index: String,
    /// The indexed relation as `schema.name`.
    pub relation: String,
    /// Whether the indexed relation existed before the change.
    pub existing: bool,
}

impl Serialize for IndexBuild {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.index)
    }
}

impl StatementRecord {
    /// The strongest newly held lock on each relation, in relation order.
    #[must_use]
    pub fn strongest_locks(&self) -> Vec<&HeldLock> {
        let mut strongest: Vec<&HeldLock> = Vec::new();
        for lock in &self.locks {
            match strongest.iter_mut().find(|held| held.relation == lock.relation) {
                Some(held) if held.mode < lock.mode => *held = lock,
                Some(_) => {}
                None => strongest.push(lock),
            }
        }
        strongest.sort();
        strongest
    }

    /// Newly held locks on relations that existed before the change and that block their
    /// readers or writers; the strongest of each relation.
    #[must_use]
    pub fn blocking_locks(&self) -> Vec<&HeldLock> {
        let mut locks = self.strongest_locks();
        locks.retain(|lock| lock.existing && lock.mode.blocks() != Blocks::Nothing);
        locks
    }
}
