//! Counts statements by fingerprint, and follows each session's bursts.

use std::time::Duration;

use plimsoll_core::traffic::Traffic;
use plimsoll_sql::sqlcommenter;

use crate::burst::{Bursts, Step};
use crate::hashed::ByNumber;
use crate::observed::{Observed, literal_value};
use crate::query::{SeenQuery, ms};
use crate::texts::{Query, Texts};
use crate::timeline::Steps;

/// More different queries aren't told apart, so that whatever comes, memory stays flat.
const MOST_QUERIES: usize = 10_000;

/// Collects what runs. Its room is bounded by the number of different queries and of open sessions.
pub struct Collector {
    texts: Texts,
    values: Vec<u64>,
    queries: Vec<SeenQuery>,
    unlisted: u64,
    statements: u64,
    sessions: ByNumber<usize, Bursts>,
    sessions_seen: u64,
    ended: crate::burst::Ended,
    steps: Steps,
    first: Option<Duration>,
    last: Duration,
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            texts: Texts::new(MOST_QUERIES),
            values: Vec::new(),
            queries: Vec::new(),
            unlisted: 0,
            statements: 0,
            sessions: ByNumber::default(),
            sessions_seen: 0,
            ended: crate::burst::Ended::default(),
            steps: Steps::default(),
            first: None,
            last: Duration::ZERO,
        }
    }
}

impl Collector {
    /// Takes a statement that has ended. Those of one session come in order.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        if observed.text.is_empty() {
            return;
        }
        self.statements += 1;
        let began = *self.first.get_or_insert(observed.started);
        self.last = self.last.max(observed.ended);
        let Some(query) = self.query_of(observed.text) else {
            self.unlisted += 1;
            return;
        };
        self.hash_values(observed);
        let tags = tags(observed.text);
        let all_values = combined(&self.values);
        self.queries[query].count(observed, all_values, &tags);
        let at_us = observed.started.saturating_sub(began).as_micros() as u64;
        for _ in 0..self.steps.make_room(at_us) {
            self.queries.iter_mut().for_each(|query| query.hits.halve());
        }
        self.queries[query].hits.add(self.steps, at_us);
        let (places, values) = (self.texts.places(), &self.values);
        let step = Step { query, values, all_values, places, tags, observed, began };
        let session = self.sessions.entry(observed.session).or_insert_with(|| {
            self.sessions_seen += 1;
            Bursts::default()
        });
        session.step(step, &self.queries, &mut self.ended);
    }

    /// A session has ended.
    pub fn end(&mut self, session: usize) {
        if let Some(bursts) = self.sessions.remove(&session) {
            bursts.end(&self.queries, &mut self.ended);
        }
    }

    /// Statements so far.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements
    }

    /// The queries in the order in which they came.
    #[must_use]
    pub fn queries(&self) -> &[SeenQuery] {
        &self.queries
    }

    /// What was seen, sessions that are still open included.
    #[must_use]
    pub fn traffic(mut self) -> Traffic {
        let mut open: Vec<usize> = self.sessions.keys().copied().collect();
        open.sort_unstable();
        for session in open {
            self.end(session);
        }
        let mut queries: Vec<_> = self.queries.iter().map(SeenQuery::traffic).collect();
        queries.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms).then_with(|| a.query.cmp(&b.query)));
        let (bursts, unlisted_bursts) = self.ended.told();
        Traffic {
            statements: self.statements,
            sessions: self.sessions_seen,
            lasted_ms: self.first.map_or(0.0, |first| ms(self.last.saturating_sub(first))),
            step_ms: self.steps.width_us as f64 / 1000.0,
            queries,
            unlisted: self.unlisted,
            bursts,
            unlisted_bursts,
        }
    }

    /// The query that a text is of; none if there are too many.
    fn query_of(&mut self, text: &str) -> Option<usize> {
        match self.texts.query(text) {
            Query::Known(query) => Some(query),
            Query::New(fingerprint) => {
                self.queries.push(SeenQuery::new(fingerprint, self.texts.form().text()));
                Some(self.queries.len() - 1)
            }
            Query::Unlisted => None,
        }
    }

    /// Hashes of the statement's values in the normal form's order, whether literal or bound.
    fn hash_values(&mut self, observed: &Observed<'_>) {
        self.values.clear();
        for place in self.texts.places() {
            let text = &observed.text[place.range.clone()];
            let bound = text.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
            let hash = match bound {
                Some(number) => observed.bound.get(number.wrapping_sub(1)).copied().flatten().unwrap_or(0),
                None => (observed.hash)(literal_value(text).as_bytes()),
            };
            self.values.push(hash);
        }
    }
}

/// Only a comment at the end holds tags.
fn tags(text: &str) -> Vec<(String, String)> {
    if text.trim_end().trim_end_matches(';').ends_with("*/") { sqlcommenter::tags(text) } else { Vec::new() }
}

/// One hash for all values together.
pub(crate) fn combined(values: &[u64]) -> u64 {
    // The multiplier is that of FNV-1a.
    values.iter().fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        (hash ^ value).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    })
}
