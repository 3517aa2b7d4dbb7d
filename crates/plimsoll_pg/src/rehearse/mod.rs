//! Rehearsal: brings a private server to the state before a change, runs the change's statements
//! as their tool would, and records what each one did.
//!
//! Deliberately absent: judgement. What a record means for a finding is decided elsewhere.

mod catalog;
mod change;
mod deed;
mod error;
mod gate;
mod guard;
mod notices;
mod photograph;
mod replay;
mod runner;
mod sampling;

pub use change::{StatementObserver, rehearse};
pub use error::RehearseError;
pub use replay::{analyze, replay, run_script};
