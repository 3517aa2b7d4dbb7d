//! Rehearsal: brings a private server to the state before a change, runs the change's statements
//! as their tool would, and records what each one did.
//!
//! Deliberately absent: judgement. What a record means for a finding is decided elsewhere.

/// Maps an error of our own queries and returns.
macro_rules! ours {
    ($stage:expr, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(catalog_error($stage.server, error).await),
        }
    };
}

mod catalog;
mod change;
mod commits;
mod deed;
mod error;
mod gate;
mod guard;
mod inside;
mod ledger;
mod notices;
mod outside;
mod photograph;
mod replay;
mod runner;
mod sampling;
mod seen;
mod step;
mod waits;

pub use change::{StatementObserver, rehearse};
pub use error::RehearseError;
pub(crate) use error::{catalog_error, described, refusal_of};
pub(crate) use outside::{backend_pid, locks_by_name, relation_sizes};
pub use replay::{analyze, replay, run_script};
pub(crate) use runner::run as run_statement;
pub use step::{ProgramRehearsal, ProgramScript, rehearse_program};
