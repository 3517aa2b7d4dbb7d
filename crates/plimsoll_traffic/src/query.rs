//! What is known of one query.

use std::collections::BTreeSet;
use std::time::Duration;

use plimsoll_core::traffic::QueryTraffic;
use plimsoll_sql::Fingerprint;

use crate::histogram::Histogram;
use crate::observed::{Ending, Observed};
use crate::timeline::Hits;

/// As many applications or routes of a query are told.
const MOST_NAMES: usize = 32;

/// As many samples of a query's values are kept.
const MOST_SAMPLES: usize = 5;

/// A call as it came: its text and the values bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// What stands for `$1`, `$2`, …; none for NULL.
    pub bound: Vec<Option<String>>,
}

/// A query, and all that was counted of it.
#[derive(Clone, Debug)]
pub struct SeenQuery {
    /// The hash of its normal form.
    pub fingerprint: Fingerprint,
    /// The normal form.
    pub text: String,
    /// The first calls whose values differ.
    pub samples: Vec<Sample>,
    sampled: Vec<u64>,
    calls: u64,
    failures: u64,
    rows: u64,
    bytes: u64,
    total: Duration,
    max: Duration,
    micros: Histogram,
    applications: BTreeSet<String>,
    routes: BTreeSet<String>,
    pub(crate) hits: Hits,
}

impl SeenQuery {
    pub(crate) fn new(fingerprint: Fingerprint, text: &str) -> Self {
        Self {
            fingerprint,
            text: text.to_owned(),
            samples: Vec::new(),
            sampled: Vec::new(),
            calls: 0,
            failures: 0,
            rows: 0,
            bytes: 0,
            total: Duration::ZERO,
            max: Duration::ZERO,
            micros: Histogram::default(),
            applications: BTreeSet::new(),
            routes: BTreeSet::new(),
            hits: Hits::default(),
        }
    }

    /// How often it ran.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The time that all calls took together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    pub(crate) fn count(&mut self, observed: &Observed<'_>, values: u64, tags: &[(String, String)]) {
        let lasted = observed.ended.saturating_sub(observed.started);
        // What fetches the rest of an answer is no call of its own.
        self.calls += u64::from(!observed.resumed);
        self.failures += u64::from(observed.ending == Ending::Failed);
        self.rows += observed.rows;
        self.bytes += observed.bytes;
        self.total += lasted;
        self.max = self.max.max(lasted);
        self.micros.add(lasted.as_micros() as u64);
        remember(&mut self.applications, observed.application);
        if let Some(route) = route(tags) {
            remember(&mut self.routes, &route);
        }
        if self.samples.len() < MOST_SAMPLES
            && !self.sampled.contains(&values)
            && observed.ending != Ending::Failed
        {
            self.sampled.push(values);
            self.samples.push(Sample { text: observed.text.to_owned(), bound: (observed.bound_texts)() });
        }
    }

    pub(crate) fn traffic(&self) -> QueryTraffic {
        let quantile = |share| self.micros.quantile(share) as f64 / 1000.0;
        let max_ms = ms(self.max);
        QueryTraffic {
            fingerprint: self.fingerprint.to_string(),
            query: self.text.clone(),
            calls: self.calls,
            failures: self.failures,
            rows: self.rows,
            total_ms: ms(self.total),
            max_ms,
            p50_ms: quantile(0.5).min(max_ms),
            p99_ms: quantile(0.99).min(max_ms),
            bytes: self.bytes,
            applications: self.applications.iter().cloned().collect(),
            routes: self.routes.iter().cloned().collect(),
            hits: self.hits.told(),
        }
    }
}

pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn remember(names: &mut BTreeSet<String>, name: &str) {
    if !name.is_empty() && names.len() < MOST_NAMES && !names.contains(name) {
        names.insert(name.to_owned());
    }
}

/// Where a statement came from, as its tags say.
fn route(tags: &[(String, String)]) -> Option<String> {
    let tag = |name: &str| tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let parts = [tag("controller"), tag("action")];
    let of_controller = || {
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("#"))
    };
    tag("route").map(ToOwned::to_owned).or_else(of_controller)
}
