//! The tap's listener that counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_pg::tap::{Outcome, RowValues, ServerError, Session, Sink, Statement, hash_of_text};
use plimsoll_traffic::{Answer, Collector, Ending, Observed};

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

struct Rows<'a>(&'a RowValues);

impl Answer for Rows<'_> {
    fn columns(&self) -> usize {
        self.0.columns()
    }

    fn values(&self) -> &[u64] {
        self.0.hashes()
    }

    fn name(&self, column: usize) -> Option<String> {
        self.0.name(column)
    }
}

impl Sink for Counting {
    fn statement(&self, session: &Session, statement: &Statement<'_>) {
        let mut state = self.state();
        let State { collector, bound, .. } = &mut *state;
        bound.clear();
        bound.extend(statement.parameters.values().map(|value| value.hash()));
        let texts = || {
            statement.parameters.values().map(|value| value.text().map(|text| text.into_owned())).collect()
        };
        collector.observe(&Observed {
            session: session.number,
            application: &session.application_name,
            text: &statement.text,
            bound,
            bound_texts: &texts,
            hash: hash_of_text,
            started: statement.started,
            ended: statement.ended,
            rows: statement.rows,
            bytes: statement.bytes,
            ending: match statement.outcome {
                Outcome::Complete(_) => Ending::Complete,
                Outcome::Suspended => Ending::Suspended,
                Outcome::Failed(_) | Outcome::Lost => Ending::Failed,
            },
            resumed: statement.resumed,
            answer: &Rows(statement.row_values),
        });
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
