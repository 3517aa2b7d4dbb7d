//! How often something ran and how long it took.

use plimsoll_traffic::Histogram;
use serde::{Deserialize, Serialize};

/// Calls and their durations. Durations are whole microseconds, so sums and merges are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How often.
    pub calls: u64,
    /// Calls whose duration the log tells.
    pub timed: u64,
    /// Time in all, in microseconds.
    pub total_us: u64,
    /// The longest.
    pub max_us: u64,
    /// Calls by duration, to 1/32.
    pub durations: Histogram,
}

impl Figures {
    /// Counts a call.
    pub fn add(&mut self, duration_us: Option<u64>) {
        self.calls += 1;
        if let Some(duration_us) = duration_us {
            self.time(duration_us);
        }
    }

    /// Takes a duration of a call that is counted already.
    pub fn time(&mut self, duration_us: u64) {
        self.timed += 1;
        self.total_us = self.total_us.saturating_add(duration_us);
        self.max_us = self.max_us.max(duration_us);
        self.durations.add(duration_us);
    }

    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.timed += other.timed;
        self.total_us = self.total_us.saturating_add(other.total_us);
        self.max_us = self.max_us.max(other.max_us);
        self.durations.merge(&other.durations);
    }

    /// The duration that this share (0 to 1) of the timed calls don't exceed, in microseconds, to 1/32.
    #[must_use]
    pub fn quantile_us(&self, share: f64) -> u64 {
        self.durations.quantile(share).min(self.max_us)
    }
}
