//! Queries measured on a private server: what repeats of a run, and the facts that explain its plan.
//!
//! Deliberately absent: where queries and their values come from, and any judgement.

mod culprit;
mod facts;
mod indexes;
mod measure;
mod probe;
mod result;
mod session;
mod timed;
mod trial;

pub use culprit::{Culprit, find_culprit};
pub use facts::{State, read_state};
pub use indexes::Indexed;
pub(crate) use measure::arguments;
pub use measure::{MeasureError, MeasureSettings, PreparedQuery, Taken, Thoroughness};
pub use probe::{PROBE_ROWS, Probe};
pub use result::Repeats;
pub use session::MeasuringSession;
pub use timed::time_pairs;
pub use trial::{BuiltIndex, NewStatistics};
