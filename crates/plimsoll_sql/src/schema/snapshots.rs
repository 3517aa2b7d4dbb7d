//! What `ROLLBACK` and `ROLLBACK TO` undo.

use super::Schema;
use crate::command::Command;

/// The states to which `ROLLBACK` and `ROLLBACK TO` return.
#[derive(Clone, Default)]
pub struct Snapshots {
    /// The transaction's start, then its savepoints.
    states: Vec<(Option<String>, Schema)>,
}

impl Snapshots {
    /// Replays a command that may begin, end or roll back a transaction.
    pub fn apply(&mut self, schema: &mut Schema, command: &Command) {
        match command {
            Command::Begin if self.states.is_empty() => self.states.push((None, schema.clone())),
            Command::Savepoint(name) => self.states.push((Some(name.clone()), schema.clone())),
            Command::Commit { chain } => self.end(schema, *chain),
            Command::Rollback { chain } => {
                if let Some((_, state)) = self.states.drain(..).next() {
                    *schema = state;
                }
                self.end(schema, *chain);
            }
            Command::ReleaseSavepoint(name) => {
                if let Some(at) = self.savepoint(name) {
                    self.states.truncate(at);
                }
            }
            Command::RollbackTo(name) => {
                if let Some(at) = self.savepoint(name) {
                    *schema = self.states[at].1.clone();
                    self.states.truncate(at + 1);
                }
            }
            _ => schema.apply(command),
        }
    }

    fn savepoint(&self, name: &str) -> Option<usize> {
        self.states.iter().rposition(|(savepoint, _)| savepoint.as_deref() == Some(name))
    }

    fn end(&mut self, schema: &Schema, chain: bool) {
        self.states.clear();
        if chain {
            self.states.push((None, schema.clone()));
        }
    }
}
