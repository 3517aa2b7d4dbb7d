//! What is usual: the queries of a summary of the time before, their p95, and its errors.

use std::collections::{BTreeMap, BTreeSet};

use crate::summary::{Figures, Summary};

/// See the module.
#[derive(Debug, Default)]
pub struct Baseline {
    /// The p95 of each query in microseconds, if its durations are known.
    queries: BTreeMap<u64, Option<u64>>,
    /// Messages' normal forms.
    errors: BTreeSet<String>,
}

impl Baseline {
    /// What a summary tells.
    #[must_use]
    pub fn new(summary: &Summary) -> Self {
        let mut figures: BTreeMap<u64, Figures> = BTreeMap::new();
        for (stream, of_stream) in &summary.streams {
            figures.entry(stream.query).or_default().merge(of_stream);
        }
        let p95 = |figures: &Figures| (figures.timed > 0).then(|| figures.quantile_us(0.95));
        let mut queries: BTreeMap<u64, Option<u64>> =
            summary.queries.keys().map(|query| (*query, None)).collect();
        queries.extend(figures.iter().map(|(query, figures)| (*query, p95(figures))));
        let errors = summary.problems.keys().map(|problem| problem.message.clone()).collect();
        Self { queries, errors }
    }

    pub(super) fn has_query(&self, query: u64) -> bool {
        self.queries.contains_key(&query)
    }

    pub(super) fn p95_us(&self, query: u64) -> Option<u64> {
        self.queries.get(&query).copied().flatten()
    }

    pub(super) fn has_error(&self, message: &str) -> bool {
        self.errors.contains(message)
    }
}
