//! Who would have been blocked: the holds of a change's locks against what the statements of a workload lock.
//!
//! Arrivals are taken to come evenly: while a lock is held for `h`, `rate × h` requests arrive that want a conflicting one;
//! each waits for what is left of `h`, so half of it in the mean and all of it at most. That is exact in the mean for
//! any arrivals that don't know of the change. What waits then and takes its turn afterwards isn't counted.

use std::collections::HashMap;

use serde::Serialize;

use crate::hold::LockHold;
use crate::lock::{Blocks, LockMode};
use crate::rehearsal::Rehearsal;

/// A statement of the workload with what it was seen to lock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Traffic {
    /// Its name.
    pub name: String,
    /// Its text.
    pub sql: String,
    /// Requests a second.
    pub rate_per_s: f64,
    /// How long it takes when nobody blocks it, in milliseconds: the median of a few runs.
    pub usual_ms: f64,
    /// The locks that it was seen to take, on relations, partitions and indexes.
    pub locks: Vec<TakenLock>,
}

/// A lock that a statement of the workload takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TakenLock {
    /// The relation as `schema.name`.
    pub relation: String,
    /// The mode.
    pub mode: LockMode,
}

/// Who would have waited for a change's locks. Serializes to the JSON contract, `blocked`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockedReport {
    /// The workload.
    pub workload: Vec<Traffic>,
    /// Each lock that a statement would have waited for, in the order in which the change takes them.
    pub locks: Vec<LockQueue>,
    /// Each statement that would have waited, over the whole change, in the workload's order.
    pub statements: Vec<Queued>,
    /// Requests that wait at once, at most: so many connections are taken.
    pub most_waiting: f64,
}

/// A lock and who would have waited for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LockQueue {
    /// Index of the statement that takes it in [`Rehearsal::statements`].
    pub statement: usize,
    /// The relation as `schema.name`.
    pub relation: String,
    /// Its mode.
    pub mode: LockMode,
    /// How long it is held, in milliseconds.
    pub held_ms: f64,
    /// Who would have waited, in the workload's order.
    pub queued: Vec<Queued>,
}

/// Requests of one statement that wait.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Queued {
    /// The statement's name.
    pub name: String,
    /// How many requests are to be expected.
    pub requests: f64,
    /// How long each waits in the mean, in milliseconds.
    pub mean_wait_ms: f64,
    /// How long the first one waits, in milliseconds.
    pub longest_wait_ms: f64,
}

/// Who would have waited for these holds of a change.
#[must_use]
pub fn blocked(rehearsal: &Rehearsal, holds: &[LockHold<'_>], workload: Vec<Traffic>) -> BlockedReport {
    let named = with_former_names(rehearsal, holds);
    let mut locks: Vec<LockQueue> = Vec::new();
    for (at, Named { relation, table, hold }) in named.iter().enumerate() {
        let transaction = |hold: &LockHold<'_>| rehearsal.statements[hold.statement].transaction;
        let covering = |other: &Named<'_>| {
            transaction(other.hold) == transaction(hold) && covers(other.hold.mode, hold.mode)
        };
        let is_told = named[..at].iter().any(|earlier| earlier.relation == *relation && covering(earlier));
        // Nobody reaches an index but through its table.
        let of_table =
            |other: &Named<'_>| Some(other.relation) == *table && other.hold.statement <= hold.statement;
        if is_told || named.iter().any(|other| of_table(other) && covering(other)) {
            continue;
        }
        let queued: Vec<Queued> = workload
            .iter()
            .filter(|traffic| waits_for(traffic, relation, hold.mode))
            .map(|traffic| queued(traffic, &[(hold.start_ms, hold.end_ms)]))
            .collect();
        if !queued.is_empty() {
            let (statement, mode, held_ms) = (hold.statement, hold.mode, hold.duration_ms());
            locks.push(LockQueue { statement, relation: (*relation).to_owned(), mode, held_ms, queued });
        }
    }
    let windows: Vec<(&Traffic, Vec<(f64, f64)>)> =
        workload.iter().map(|traffic| (traffic, windows(&named, traffic))).collect();
    let statements = windows
        .iter()
        .filter(|(_, windows)| !windows.is_empty())
        .map(|(traffic, windows)| queued(traffic, windows))
        .collect();
    let most_waiting = most_waiting(&windows);
    BlockedReport { locks, statements, most_waiting, workload }
}

impl BlockedReport {
    /// What was predicted of a statement; none if it doesn't wait.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Queued> {
        self.statements.iter().find(|queued| queued.name == name)
    }
}

/// What a transaction in the change's way has locked: of each relation that the change locks so that somebody is blocked
/// the weakest mode that some lock of the change has to wait for. It has read what the change locks against readers, and
/// written what it locks against writers alone.
#[must_use]
pub fn locks_in_the_way(rehearsal: &Rehearsal) -> Vec<TakenLock> {
    let mut locks: Vec<TakenLock> = Vec::new();
    for lock in rehearsal.statements.iter().flat_map(|record| record.blocking_locks()) {
        let mode = match lock.mode.blocks() {
            Blocks::ReadsAndWrites => LockMode::AccessShare,
            Blocks::Writes | Blocks::Nothing => LockMode::RowExclusive,
        };
        match locks.iter_mut().find(|known| known.relation == lock.relation) {
            Some(known) => known.mode = known.mode.min(mode),
            None => locks.push(TakenLock { relation: lock.relation.clone(), mode }),
        }
    }
    locks
}

/// The holds as they are when the change meets a transaction that lasts for `long_ms` from the change's start and holds
/// [`locks_in_the_way`]: the change's first lock that conflicts with one of them has to wait, and whoever comes later waits
/// behind it. With a `lock_timeout` shorter than that wait the change gives up.
#[must_use]
pub fn behind_a_transaction<'a>(
    rehearsal: &Rehearsal,
    holds: &[LockHold<'a>],
    long_ms: f64,
    lock_timeout_ms: Option<f64>,
) -> Vec<LockHold<'a>> {
    let in_the_way = locks_in_the_way(rehearsal);
    let waits = |hold: &&LockHold<'_>| {
        let mut locks = in_the_way.iter();
        locks.any(|lock| lock.relation == hold.relation && lock.mode.conflicts_with(hold.mode))
    };
    let first = holds
        .iter()
        .filter(|hold| hold.existing && hold.start_ms < long_ms)
        .filter(waits)
        .min_by(|a, b| a.start_ms.total_cmp(&b.start_ms));
    let Some(first) = first else { return holds.to_vec() };
    let waits_from = first.start_ms;
    let record = &rehearsal.statements[first.statement];
    let own_ms =
        if record.lock_timeout_ms > 0 { Some(record.lock_timeout_ms as f64) } else { lock_timeout_ms };
    let wait_ms = long_ms - waits_from;
    let gives_up_ms = own_ms.filter(|patience| *patience < wait_ms);
    let mut shifted = Vec::new();
    for hold in holds {
        let starts_before = hold.start_ms <= waits_from;
        let ends_before = hold.end_ms <= waits_from && hold.start_ms < waits_from;
        let hold = match gives_up_ms {
            _ if ends_before => hold.clone(),
            Some(patience) if starts_before => LockHold { end_ms: waits_from + patience, ..hold.clone() },
            Some(_) => continue,
            None if starts_before => LockHold { end_ms: hold.end_ms + wait_ms, ..hold.clone() },
            None => {
                LockHold { start_ms: hold.start_ms + wait_ms, end_ms: hold.end_ms + wait_ms, ..hold.clone() }
            }
        };
        shifted.push(hold);
    }
    shifted
}

/// Whether whoever conflicts with `other` conflicts with `mode` too.
fn covers(mode: LockMode, other: LockMode) -> bool {
    LockMode::ALL.into_iter().all(|third| !other.conflicts_with(third) || mode.conflicts_with(third))
}

fn waits_for(traffic: &Traffic, relation: &str, mode: LockMode) -> bool {
    traffic.locks.iter().any(|lock| lock.relation == relation && lock.mode.conflicts_with(mode))
}

/// A hold on what existed before, by the names that relations had then.
struct Named<'a> {
    relation: &'a str,
    /// The table that the relation is an index of.
    table: Option<&'a str>,
    hold: &'a LockHold<'a>,
}

fn with_former_names<'a>(rehearsal: &'a Rehearsal, holds: &'a [LockHold<'a>]) -> Vec<Named<'a>> {
    let mut former: HashMap<&str, &str> = HashMap::new();
    let mut named = Vec::new();
    for (statement, record) in rehearsal.statements.iter().enumerate() {
        for hold in holds.iter().filter(|hold| hold.existing && hold.statement == statement) {
            let then = |name: &'a str| former.get(name).copied().unwrap_or(name);
            named.push(Named { relation: then(hold.relation), table: hold.index_of.map(then), hold });
        }
        for (from, to) in &record.renames {
            let first = former.remove(from.as_str()).unwrap_or(from);
            former.insert(to, first);
        }
    }
    named
}

/// From when to when a statement can't get its locks. Holds that overlap are one window; where one ends when the next
/// begins, who waits comes through in between.
fn windows(named: &[Named<'_>], traffic: &Traffic) -> Vec<(f64, f64)> {
    let blocking = named.iter().filter(|named| waits_for(traffic, named.relation, named.hold.mode));
    let mut spans: Vec<(f64, f64)> = blocking
        .map(|named| (named.hold.start_ms, named.hold.end_ms))
        .filter(|(start, end)| end > start)
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut windows: Vec<(f64, f64)> = Vec::new();
    for (start, end) in spans {
        match windows.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => windows.push((start, end)),
        }
    }
    windows
}

fn queued(traffic: &Traffic, windows: &[(f64, f64)]) -> Queued {
    let lengths = || windows.iter().map(|(start, end)| end - start);
    let all: f64 = lengths().sum();
    let squares: f64 = lengths().map(|length| length * length).sum();
    Queued {
        name: traffic.name.clone(),
        requests: traffic.rate_per_s * all / 1000.0,
        mean_wait_ms: if all > 0.0 { squares / 2.0 / all } else { 0.0 },
        longest_wait_ms: lengths().fold(0.0, f64::max),
    }
}

/// The most requests that wait at one moment: the end of some window.
fn most_waiting(windows: &[(&Traffic, Vec<(f64, f64)>)]) -> f64 {
    let ends = windows.iter().flat_map(|(_, windows)| windows.iter().map(|(_, end)| *end));
    let waiting_at = |moment: f64| -> f64 {
        let of = |(traffic, windows): &(&Traffic, Vec<(f64, f64)>)| {
            let within = windows.iter().find(|(start, end)| *start < moment && moment <= *end);
            within.map_or(0.0, |(start, _)| traffic.rate_per_s * (moment - start) / 1000.0)
        };
        windows.iter().map(of).sum()
    };
    ends.map(waiting_at).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hold::holds;
    use crate::records_for_tests::{lock, rehearsal};
    use crate::rehearsal::{HeldLock, StatementRecord};

    fn record(statement: usize, transaction: usize, started_ms: f64, duration_ms: f64) -> StatementRecord {
        let record = crate::records_for_tests::record(statement);
        StatementRecord { transaction, started_ms, duration_ms, ..record }
    }

    fn locking(record: StatementRecord, relation: &str, mode: LockMode) -> StatementRecord {
        StatementRecord { locks: vec![lock(relation, mode)], ..record }
    }

    fn traffic(name: &str, rate_per_s: f64, relation: &str, mode: LockMode) -> Traffic {
        let locks = vec![TakenLock { relation: relation.into(), mode }];
        Traffic { name: name.into(), sql: String::new(), rate_per_s, usual_ms: 1.0, locks }
    }

    #[test]
    fn arrivals_are_rate_times_hold() {
        let change = rehearsal(vec![
            locking(record(0, 0, 0.0, 1.0), "public.t", LockMode::AccessExclusive),
            record(1, 0, 1.0, 1999.0),
        ]);
        let workload = vec![
            traffic("read", 100.0, "public.t", LockMode::AccessShare),
            traffic("elsewhere", 100.0, "public.u", LockMode::AccessShare),
        ];
        let report = blocked(&change, &holds(&change), workload);
        let expected =
            Queued { name: "read".into(), requests: 200.0, mean_wait_ms: 1000.0, longest_wait_ms: 2000.0 };
        assert_eq!(report.statements, std::slice::from_ref(&expected));
        assert_eq!(report.locks.len(), 1);
        assert_eq!((report.locks[0].held_ms, &report.locks[0].queued[..]), (2000.0, &[expected][..]));
        assert_eq!(report.most_waiting, 200.0);
    }

    #[test]
    fn a_share_lock_makes_writers_wait_and_no_readers() {
        let change = rehearsal(vec![locking(record(0, 0, 0.0, 500.0), "public.t", LockMode::Share)]);
        let workload = vec![
            traffic("read", 10.0, "public.t", LockMode::AccessShare),
            traffic("write", 10.0, "public.t", LockMode::RowExclusive),
        ];
        let report = blocked(&change, &holds(&change), workload);
        let names: Vec<&str> = report.statements.iter().map(|queued| queued.name.as_str()).collect();
        assert_eq!(names, ["write"]);
    }

    #[test]
    fn transactions_one_after_another_are_windows_of_their_own() {
        let lock = |at: usize| {
            let one = record(at, at, at as f64 * 100.0, 100.0);
            locking(one, "public.t", LockMode::AccessExclusive)
        };
        let change = rehearsal(vec![lock(0), lock(1)]);
        let workload = vec![traffic("read", 10.0, "public.t", LockMode::AccessShare)];
        let report = blocked(&change, &holds(&change), workload);
        let queued = &report.statements[0];
        assert_eq!((queued.requests, queued.mean_wait_ms, queued.longest_wait_ms), (2.0, 50.0, 100.0));
        assert_eq!((report.locks.len(), report.most_waiting), (2, 1.0));
    }

    #[test]
    fn a_weaker_lock_of_the_same_transaction_is_not_told_again() {
        let change = rehearsal(vec![
            locking(record(0, 0, 0.0, 1.0), "public.t", LockMode::AccessExclusive),
            locking(record(1, 0, 1.0, 1.0), "public.t", LockMode::Share),
        ]);
        let workload = vec![traffic("write", 10.0, "public.t", LockMode::RowExclusive)];
        assert_eq!(blocked(&change, &holds(&change), workload).locks.len(), 1);
    }

    #[test]
    fn an_index_is_no_queue_of_its_own_where_its_table_is_locked_as_much() {
        let with_index = |record: StatementRecord, mode| {
            let index = HeldLock {
                index_of: Some("public.t".into()),
                ..lock("public.a_key", LockMode::AccessExclusive)
            };
            StatementRecord { locks: vec![index, lock("public.t", mode)], ..record }
        };
        let mut reader = traffic("read", 10.0, "public.t", LockMode::AccessShare);
        reader.locks.push(TakenLock { relation: "public.a_key".into(), mode: LockMode::AccessShare });
        for (mode, expected) in [
            (LockMode::AccessExclusive, &["public.t"][..]),
            // As REINDEX does: readers wait for the index alone.
            (LockMode::Share, &["public.a_key"]),
        ] {
            let change = rehearsal(vec![with_index(record(0, 0, 0.0, 10.0), mode)]);
            let report = blocked(&change, &holds(&change), vec![reader.clone()]);
            let told: Vec<&str> = report.locks.iter().map(|queue| queue.relation.as_str()).collect();
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_renamed_table_is_the_one_that_traffic_knows() {
        let renaming = StatementRecord {
            renames: vec![("public.t".into(), "public.u".into())],
            ..record(0, 0, 0.0, 1.0)
        };
        let change =
            rehearsal(vec![renaming, locking(record(1, 1, 1.0, 9.0), "public.u", LockMode::AccessExclusive)]);
        let workload = vec![traffic("read", 1000.0, "public.t", LockMode::AccessShare)];
        let report = blocked(&change, &holds(&change), workload);
        assert_eq!((report.statements[0].requests, report.locks[0].relation.as_str()), (9.0, "public.t"));
    }

    #[test]
    fn behind_a_long_transaction_all_wait_for_its_end_or_for_the_timeout() {
        let change = rehearsal(vec![
            locking(record(0, 0, 0.0, 10.0), "public.t", LockMode::AccessExclusive),
            locking(record(1, 1, 10.0, 10.0), "public.u", LockMode::AccessExclusive),
        ]);
        let spans = |lock_timeout_ms| -> Vec<(f64, f64)> {
            let holds = behind_a_transaction(&change, &holds(&change), 3000.0, lock_timeout_ms);
            holds.iter().map(|hold| (hold.start_ms, hold.end_ms)).collect()
        };
        assert_eq!(spans(None), [(0.0, 3010.0), (3010.0, 3020.0)]);
        assert_eq!(spans(Some(500.0)), [(0.0, 500.0)]);
        assert_eq!(spans(Some(5000.0)), [(0.0, 3010.0), (3010.0, 3020.0)]);
    }

    #[test]
    fn a_lock_that_a_reader_does_not_hinder_is_not_waited_for() {
        // The transaction has read t, which the first statement locks against writers alone.
        let change = rehearsal(vec![
            locking(record(0, 0, 0.0, 10.0), "public.t", LockMode::Share),
            locking(record(1, 1, 10.0, 10.0), "public.t", LockMode::AccessExclusive),
        ]);
        let spans = |lock_timeout_ms| -> Vec<(f64, f64)> {
            let holds = behind_a_transaction(&change, &holds(&change), 3000.0, lock_timeout_ms);
            holds.iter().map(|hold| (hold.start_ms, hold.end_ms)).collect()
        };
        assert_eq!(spans(None), [(0.0, 10.0), (10.0, 3010.0)]);
        assert_eq!(spans(Some(500.0)), [(0.0, 10.0), (10.0, 510.0)]);
    }
}
