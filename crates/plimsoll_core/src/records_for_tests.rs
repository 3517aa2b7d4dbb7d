//! Records as tests need them: of a rehearsal they say only what the test is about.

use crate::facts::FurtherFacts;
use crate::lock::LockMode;
use crate::rehearsal::{HeldLock, Outcome, Rehearsal, StatementRecord};

/// A statement that succeeded and did nothing; all such are of one transaction.
pub(crate) fn record(statement: usize) -> StatementRecord {
    StatementRecord {
        file: "m.sql".into(),
        statement,
        line: statement + 1,
        sql: String::new(),
        outcome: Outcome::Ok,
        error: None,
        duration_ms: 1.0,
        started_ms: 0.0,
        in_transaction: true,
        transaction: 0,
        locks: Vec::new(),
        rewrites: Vec::new(),
        scans: Vec::new(),
        index_builds: Vec::new(),
        works_concurrently: false,
        wal_bytes: 0,
        lock_timeout_ms: 0,
        renames: Vec::new(),
        lock_spans: Vec::new(),
        undone_by: None,
        further: FurtherFacts::default(),
    }
}

/// A lock on a table that existed before.
pub(crate) fn lock(relation: &str, mode: LockMode) -> HeldLock {
    HeldLock { relation: relation.into(), mode, existing: true, partition_of: None, index_of: None }
}

pub(crate) fn rehearsal(statements: Vec<StatementRecord>) -> Rehearsal {
    Rehearsal { server_version: "18".into(), seeded: true, statements, notes: Vec::new() }
}
