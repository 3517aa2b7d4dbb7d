//! What the tap tells, as the traffic's collector takes it.

use plimsoll_traffic::{Answer, Ending, Observed};

use super::statement::{Outcome, RowValues, Session, Statement};
use super::value::hash_of_text;

impl Statement<'_> {
    /// The statement of a session, with the hashes of its parameters in `bound`, and `bound_texts` to make their texts:
    /// both are the caller's, so that their room can be used again.
    #[must_use]
    pub fn observed<'a>(
        &'a self,
        session: &'a Session,
        bound: &'a [Option<u64>],
        bound_texts: &'a dyn Fn() -> Vec<Option<String>>,
    ) -> Observed<'a> {
        Observed {
            session: session.number,
            application: &session.application_name,
            text: &self.text,
            bound,
            bound_texts,
            hash: hash_of_text,
            started: self.started,
            ended: self.ended,
            rows: self.rows,
            bytes: self.bytes,
            ending: match self.outcome {
                Outcome::Complete(_) => Ending::Complete,
                Outcome::Suspended => Ending::Suspended,
                Outcome::Failed(_) | Outcome::Lost => Ending::Failed,
            },
            resumed: self.resumed,
            answer: self.row_values,
        }
    }
}

impl Answer for RowValues {
    fn columns(&self) -> usize {
        self.columns()
    }

    fn values(&self) -> &[u64] {
        self.hashes()
    }

    fn name(&self, column: usize) -> Option<String> {
        self.name(column)
    }
}
