//! The tap's listener that counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_pg::tap::{ServerError, Session, Sink, Statement};
use plimsoll_traffic::Collector;

use super::Watched;

/// As many different notes are kept.
const MOST_NOTES: usize = 20;

#[derive(Default)]
pub(super) struct Counting {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    collector: Collector,
    /// How often each thing was noted.
    notes: BTreeMap<String, u64>,
    /// Kept for its room.
    bound: Vec<Option<u64>>,
}

impl Counting {
    /// What was counted; afterwards counting begins anew.
    pub(super) fn take(&self) -> Watched {
        let State { collector, notes, .. } = std::mem::take(&mut *self.state());
        let queries = collector.queries().to_vec();
        let notes = notes.into_iter().map(|(note, times)| match times {
            1 => note,
            _ => format!("{note} ({times} times)"),
        });
        Watched::new(collector.traffic(), queries, notes.collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: String) {
        let notes = &mut self.state().notes;
        if notes.len() < MOST_NOTES || notes.contains_key(&note) {
            *notes.entry(note).or_default() += 1;
        }
    }
}

impl Sink for Counting {
    fn statement(&self, session: &Session, statement: &Statement<'_>) {
        let mut state = self.state();
        let State { collector, bound, .. } = &mut *state;
        bound.clear();
        bound.extend(statement.parameters.values().map(|value| value.hash()));
        let texts = || statement.parameters.texts();
        collector.observe(&statement.observed(session, bound, &texts));
    }

    fn refused(&self, session: &Session, error: &ServerError) {
        self.note(format!(
            "A connection of {} to {} was refused: {} (SQLSTATE {}).",
            session.user, session.database, error.message, error.sqlstate
        ));
    }

    fn ended(&self, session: &Session, _at: Duration) {
        self.state().collector.end(session.number);
    }

    fn trouble(&self, session: &Session, what: String) {
        self.note(format!("Connection {}: {what}.", session.number));
    }
}
