//! Waits for locks: how often, how long, and who was in the way.

use serde::{Deserialize, Serialize};

use super::{Figures, Trend};

/// Waits for one kind of lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LockWait {
    /// The lock's mode, in PostgreSQL's words.
    pub mode: String,
    /// On what: a kind of object, and a relation's number if it is one.
    pub object: String,
    /// The fingerprint of the query that waited; 0 if the log doesn't tell.
    pub waiting: u64,
}

/// How waits ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockWaits {
    /// Waits that the log tells of: longer than `deadlock_timeout`.
    pub waits: u64,
    /// Those that got the lock, with the time that they had waited.
    pub acquired: Figures,
    /// Those that were given up, by `lock_timeout`, a cancel or a deadlock.
    pub given_up: u64,
    /// When.
    pub trend: Trend,
}

/// Somebody waits for somebody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LockEdge {
    /// The lock, and who waits for it.
    pub wait: LockWait,
    /// The fingerprint of the holder's query; 0 if the log doesn't tell.
    pub holder: u64,
    /// Whether the holder was running it. Otherwise it was the last one of a transaction that was still open.
    pub is_running: bool,
}

/// How often somebody waited for somebody else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockEdges {
    /// Waits, counted for each holder.
    pub waits: u64,
    /// Time in all, as far as the log tells it.
    pub waited_us: u64,
    /// The longest.
    pub longest_us: u64,
}

/// One wait of a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeadlockEdge {
    /// The fingerprint of the query that waits; 0 if it isn't known.
    pub waiting: u64,
    /// The mode that it waits for.
    pub mode: String,
    /// On what.
    pub object: String,
    /// The fingerprint of the query of the one that it waits for.
    pub holder: u64,
}

impl LockWaits {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.waits += other.waits;
        self.given_up += other.given_up;
        self.acquired.merge(&other.acquired);
        self.trend.merge(&other.trend);
    }
}

impl LockEdges {
    /// Counts the time of a wait.
    pub(crate) fn wait(&mut self, waited_us: u64) {
        self.waited_us = self.waited_us.saturating_add(waited_us);
        self.longest_us = self.longest_us.max(waited_us);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.waits += other.waits;
        self.waited_us = self.waited_us.saturating_add(other.waited_us);
        self.longest_us = self.longest_us.max(other.longest_us);
    }
}
