//! Baselines of queries: what was recorded of each, how that is written down, and what became of it.
//!
//! Deliberately absent: files, servers and clocks. What a server showed comes in as values.

pub mod baseline;
pub mod candidates;
pub mod causes;
pub mod compare;
pub mod diff;
pub mod indexes;
pub mod pairs;
pub mod record;
pub mod shape;

pub use causes::{Cause, CauseKind};
pub use compare::{Comparison, compare, compare_plans};
pub use record::{Baseline, Facts, Failed, Outcome, RecordedQuery, RecordedSet, ResultSum, Run};
pub use shape::Shape;
