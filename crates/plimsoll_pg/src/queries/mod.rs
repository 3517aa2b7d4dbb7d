//! Queries measured before and after a change, and compared on what repeats.
//!
//! Deliberately absent: where queries and their values come from.

mod compare;
mod culprit;
mod measure;
mod plan;

pub use compare::compare;
pub use culprit::{Culprit, find_culprit};
pub(crate) use measure::arguments;
pub use measure::{MeasureError, MeasureSettings, PreparedQuery, QueryFailure, measure};
