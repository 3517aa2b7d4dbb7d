//! The history by which Plimsoll judges itself: what its rules claimed and a rehearsal found, how far each measured query grew,
//! and how people judged the alarms. One SQLite file, to which several programs append at once.
//!
//! Deliberately absent: clocks, SQL texts and their literals, and any way to print.

mod append;
mod case_id;
mod error;
mod file;
mod label;
mod outcomes;
mod proposal;
mod run;

pub use append::Appended;
pub use error::HistoryError;
pub use file::{FORMAT, History};
pub use label::{Judged, Judgement};
pub use outcomes::{AlarmCase, RuleOutcomes};
pub use proposal::{Proposal, SLACK, proposal};
pub use run::{Claim, Measured, Run, RunKind, Verdict, digest};
