//! For how long a change holds its locks: a lock that a statement takes is kept to the end of its transaction, so a brief
//! statement early in a long transaction blocks for all of it.

use std::collections::HashMap;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::lock::{Blocks, LockMode};
use crate::rehearsal::{HeldLock, Rehearsal, StatementRecord};

/// One lock from the statement that takes it to the end of its transaction, or to the rollback of a savepoint
/// before it. Times in milliseconds since the change's first statement.
#[derive(Clone, Debug, PartialEq)]
pub struct LockHold<'a> {
    /// The relation as `schema.name`.
    pub relation: &'a str,
    /// The mode held.
    pub mode: LockMode,
    /// The table that the relation is an index of.
    pub index_of: Option<&'a str>,
    /// Whether the relation existed before the change.
    pub existing: bool,
    /// Index of the statement that takes it in [`Rehearsal::statements`].
    pub statement: usize,
    /// When that statement starts: no later than the lock is taken.
    pub start_ms: f64,
    /// When the transaction's last statement ends, or the one that undoes it.
    pub end_ms: f64,
}

impl LockHold<'_> {
    /// How long it is held, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> f64 {
        self.end_ms - self.start_ms
    }
}

/// To the JSON contract: `rehearsal.lock_holds[]`.
impl Serialize for LockHold<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut hold = serializer.serialize_struct("LockHold", 6)?;
        hold.serialize_field("statement", &self.statement)?;
        hold.serialize_field("relation", self.relation)?;
        hold.serialize_field("mode", &self.mode)?;
        hold.serialize_field("existing", &self.existing)?;
        hold.serialize_field("start_ms", &self.start_ms)?;
        hold.serialize_field("held_ms", &self.duration_ms())?;
        hold.end()
    }
}

/// Every lock of the change, in the order in which statements take them; of several modes that one statement takes on one
/// relation the strongest.
#[must_use]
pub fn holds(rehearsal: &Rehearsal) -> Vec<LockHold<'_>> {
    let mut ends: HashMap<usize, f64> = HashMap::new();
    for record in &rehearsal.statements {
        let end = ends.entry(record.transaction).or_default();
        *end = end.max(record.started_ms + record.duration_ms);
    }
    let mut holds = Vec::new();
    for (statement, record) in rehearsal.statements.iter().enumerate() {
        let start_ms = record.started_ms.max(0.0);
        let end_ms = undone_at(rehearsal, record).or_else(|| ends.get(&record.transaction).copied());
        let end_ms = end_ms.unwrap_or(start_ms).max(start_ms);
        holds.extend(record.strongest_locks().into_iter().map(|lock| {
            let (start_ms, end_ms) = seen_within(record, lock, start_ms).unwrap_or((start_ms, end_ms));
            LockHold {
                relation: &lock.relation,
                mode: lock.mode,
                index_of: lock.index_of.as_deref(),
                existing: lock.existing,
                statement,
                start_ms,
                end_ms,
            }
        }));
    }
    holds
}

/// From when to when one lock of a record is held; for a single lock cheaper than [`holds`].
#[must_use]
pub fn held(rehearsal: &Rehearsal, record: &StatementRecord, lock: &HeldLock) -> (f64, f64) {
    let start_ms = record.started_ms.max(0.0);
    let of_transaction = rehearsal.statements.iter().filter(|other| other.transaction == record.transaction);
    let last_ms = of_transaction.map(|other| other.started_ms + other.duration_ms).fold(start_ms, f64::max);
    let end_ms = undone_at(rehearsal, record).unwrap_or(last_ms).max(start_ms);
    seen_within(record, lock, start_ms).unwrap_or((start_ms, end_ms))
}

/// When a statement was undone, which ends its locks before the transaction's end.
fn undone_at(rehearsal: &Rehearsal, record: &StatementRecord) -> Option<f64> {
    let undoing = rehearsal.statements.get(record.undone_by?)?;
    Some(undoing.started_ms + undoing.duration_ms)
}

/// When a lock of a statement that commits by itself was seen.
fn seen_within(record: &StatementRecord, lock: &HeldLock, start_ms: f64) -> Option<(f64, f64)> {
    let is_its =
        |span: &&crate::rehearsal::LockSpan| span.mode == lock.mode && span.relation == lock.relation;
    let span = record.lock_spans.iter().find(is_its)?;
    Some((start_ms + span.from_ms, start_ms + span.to_ms))
}

/// For how long the union of some holds blocks as much as `blocks` or more, in milliseconds.
#[must_use]
pub fn blocked_ms<'a>(holds: impl IntoIterator<Item = &'a LockHold<'a>>, blocks: Blocks) -> f64 {
    let mut spans: Vec<(f64, f64)> = holds
        .into_iter()
        .filter(|hold| hold.mode.blocks() >= blocks)
        .map(|hold| (hold.start_ms, hold.end_ms))
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut blocked, mut covered) = (0.0, 0.0_f64);
    for (start, end) in spans {
        blocked += (end - start.max(covered)).max(0.0);
        covered = covered.max(end);
    }
    blocked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records_for_tests::{lock, record, rehearsal};

    fn hold(mode: LockMode, start_ms: f64, end_ms: f64) -> LockHold<'static> {
        LockHold {
            relation: "public.t",
            mode,
            index_of: None,
            existing: true,
            statement: 0,
            start_ms,
            end_ms,
        }
    }

    #[test]
    fn one_lock_is_held_as_it_is_among_all() {
        let locking = |statement: usize, transaction, lock_spans| StatementRecord {
            duration_ms: 10.0,
            started_ms: statement as f64 * 10.0,
            transaction,
            locks: vec![lock("public.t", LockMode::AccessExclusive)],
            lock_spans,
            ..record(statement)
        };
        let brief = crate::rehearsal::LockSpan {
            relation: "public.t".into(),
            mode: LockMode::AccessExclusive,
            from_ms: 7.0,
            to_ms: 8.0,
        };
        let change =
            rehearsal(vec![locking(0, 0, Vec::new()), locking(1, 0, Vec::new()), locking(2, 1, vec![brief])]);
        let all: Vec<(f64, f64)> = holds(&change).iter().map(|hold| (hold.start_ms, hold.end_ms)).collect();
        assert_eq!(all, [(0.0, 20.0), (10.0, 20.0), (27.0, 28.0)]);
        let alone = |record: &StatementRecord| held(&change, record, &record.locks[0]);
        assert_eq!(change.statements.iter().map(alone).collect::<Vec<_>>(), all);
    }

    #[test]
    fn what_overlaps_counts_once() {
        let holds = [
            hold(LockMode::AccessExclusive, 0.0, 10.0),
            hold(LockMode::Share, 5.0, 15.0),
            hold(LockMode::AccessExclusive, 20.0, 21.0),
            hold(LockMode::RowExclusive, 30.0, 99.0),
        ];
        assert_eq!(blocked_ms(&holds, Blocks::ReadsAndWrites), 11.0);
        assert_eq!(blocked_ms(&holds, Blocks::Writes), 16.0);
    }
}
