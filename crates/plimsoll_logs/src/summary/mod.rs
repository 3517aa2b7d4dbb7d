//! What a log tells, in counts that merge: of two logs, in whatever order they are added, the summary is that of both.
//!
//! Everything is counted in integers and kept in order, so that a summary's bytes hang on what was read alone, not on how
//! the log was split over files, threads and machines. (A burst that such a split over files cuts counts by its parts; and
//! where there is too much to be told apart, [`Folded`] says by how much counts may be short.)

mod bounds;
mod figures;
mod locks;
mod queries;
mod trend;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use bounds::{Folded, UNLISTED};
pub use figures::Figures;
pub use locks::{DeadlockEdge, LockEdge, LockEdges, LockWait, LockWaits};
pub use queries::{Burst, Bursts, Query, Requests, SlowPlan, Stream, Who};
pub use trend::{MOST_SECONDS, MOST_STEPS, Step, Trend};

use crate::counts::Counts;
use crate::severity::Severity;

/// What a log tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// What was read.
    pub counts: Counts,
    /// The first and the last moment, in microseconds since 1970-01-01 UTC.
    pub span_us: Option<(i64, i64)>,
    /// Queries by fingerprint.
    pub queries: BTreeMap<u64, Query>,
    /// Who ran which query, from where.
    pub streams: BTreeMap<Stream, Figures>,
    /// Durations without a statement. Statements of queries that aren't told apart, since too many different ones came, are
    /// [`UNLISTED`]'s.
    pub unlisted: Figures,
    /// What else was folded for room.
    pub folded: Folded,
    /// All statements, over time.
    pub activity: Trend,
    /// Connections by who made them.
    pub sessions: BTreeMap<Who, Sessions>,
    /// Sessions that began (calls), and that ended (with their time), over time.
    pub connected: Trend,
    /// As [`Self::connected`].
    pub disconnected: Trend,
    /// Failures and warnings by what they are.
    pub problems: BTreeMap<Problem, Occurrences>,
    /// Failures by the query that failed (0 if the log doesn't tell) and the SQLSTATE (empty if it doesn't).
    pub failed: BTreeMap<(u64, String), u64>,
    /// Waits for locks.
    pub lock_waits: BTreeMap<LockWait, LockWaits>,
    /// Who waited for whom.
    pub lock_edges: BTreeMap<LockEdge, LockEdges>,
    /// Deadlocks by their circle of waits, in order.
    pub deadlocks: BTreeMap<Vec<DeadlockEdge>, Occurrences>,
    /// Temporary files by the query that wrote them.
    pub temporary_files: BTreeMap<u64, TemporaryFiles>,
    /// Vacuums and analyzes by table.
    pub vacuums: BTreeMap<(Maintenance, String), Figures>,
    /// Checkpoints and restart points by what caused them, with the time that they took.
    pub checkpoints: BTreeMap<String, Figures>,
    /// When checkpoints ended.
    pub checkpointed: Trend,
    /// Bursts of one query.
    pub bursts: BTreeMap<Burst, Bursts>,
    /// Requests by route.
    pub requests: BTreeMap<String, Requests>,
    /// Everything else that the server told, by kind.
    pub events: BTreeMap<String, Occurrences>,
}

/// Connections of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// Connections that were let in.
    pub connections: u64,
    /// Sessions that ended, with the time that they lasted.
    pub ended: Figures,
    /// Connections that were refused.
    pub refused: u64,
}

/// A message that tells of a failure, without what differs from one occurrence to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Problem {
    /// Its severity.
    pub severity: Severity,
    /// Five characters; empty if the log doesn't tell.
    pub sqlstate: String,
    /// The message's normal form.
    pub message: String,
}

/// How often something happened, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrences {
    /// How often.
    pub count: u64,
    /// When.
    pub trend: Trend,
}

/// Temporary files of one query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryFiles {
    /// How many.
    pub files: u64,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes of the largest.
    pub largest: u64,
}

/// What autovacuum did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maintenance {
    /// VACUUM.
    Vacuum,
    /// ANALYZE.
    Analyze,
}

impl Summary {
    /// Adds what another summary tells.
    pub fn merge(&mut self, other: Self) {
        self.counts.merge(&other.counts);
        if let Some((first, last)) = other.span_us {
            self.reach(first);
            self.reach(last);
        }
        merge_maps(&mut self.queries, other.queries, Query::merge);
        merge_maps(&mut self.streams, other.streams, |figures, other| figures.merge(&other));
        self.unlisted.merge(&other.unlisted);
        self.folded.merge(&other.folded);
        self.activity.merge(&other.activity);
        merge_maps(&mut self.sessions, other.sessions, |sessions, other| {
            sessions.connections += other.connections;
            sessions.refused += other.refused;
            sessions.ended.merge(&other.ended);
        });
        self.connected.merge(&other.connected);
        self.disconnected.merge(&other.disconnected);
        merge_maps(&mut self.problems, other.problems, |problem, other| problem.merge(&other));
        merge_maps(&mut self.failed, other.failed, |count, other| *count += other);
        merge_maps(&mut self.lock_waits, other.lock_waits, |waits, other| waits.merge(&other));
        merge_maps(&mut self.lock_edges, other.lock_edges, |edges, other| edges.merge(&other));
        merge_maps(&mut self.deadlocks, other.deadlocks, |one, other| one.merge(&other));
        merge_maps(&mut self.temporary_files, other.temporary_files, |files, other| {
            files.files += other.files;
            files.bytes += other.bytes;
            files.largest = files.largest.max(other.largest);
        });
        merge_maps(&mut self.vacuums, other.vacuums, |figures, other| figures.merge(&other));
        merge_maps(&mut self.checkpoints, other.checkpoints, |figures, other| figures.merge(&other));
        self.checkpointed.merge(&other.checkpointed);
        merge_maps(&mut self.bursts, other.bursts, |bursts, other| bursts.merge(&other));
        merge_maps(&mut self.requests, other.requests, |requests, other| requests.merge(&other));
        merge_maps(&mut self.events, other.events, |event, other| event.merge(&other));
        self.make_room();
    }

    /// How often each query ran, in calls a second over the whole log. Empty if the log is of less than a second.
    #[must_use]
    pub fn rates_per_s(&self) -> BTreeMap<u64, f64> {
        let lasted_s = self.span_us.map_or(0.0, |(first, last)| (last - first) as f64 / 1e6);
        let mut rates = BTreeMap::new();
        if lasted_s >= 1.0 {
            for (stream, figures) in self.streams.iter().filter(|(stream, _)| stream.query != UNLISTED) {
                *rates.entry(stream.query).or_insert(0.0) += figures.calls as f64 / lasted_s;
            }
        }
        rates
    }

    /// Takes a moment into the span.
    pub fn reach(&mut self, time_us: i64) {
        self.span_us = Some(match self.span_us {
            Some((first, last)) => (first.min(time_us), last.max(time_us)),
            None => (time_us, time_us),
        });
    }
}

impl Occurrences {
    /// Counts one.
    pub fn add(&mut self, time_us: Option<i64>) {
        self.count += 1;
        if let Some(time_us) = time_us {
            self.trend.add(time_us, 1, 0);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.trend.merge(&other.trend);
    }
}

fn merge_maps<K: Ord, V>(map: &mut BTreeMap<K, V>, other: BTreeMap<K, V>, merge: impl Fn(&mut V, V)) {
    for (key, value) in other {
        match map.entry(key) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(value);
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => merge(entry.get_mut(), value),
        }
    }
}
