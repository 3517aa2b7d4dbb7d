//! Scores and labels to precision-recall, ROC and DET curves, their areas, and intervals. Definitions, and what ties come to,
//! are scikit-learn's.
//!
//! Deliberately absent: files, clocks, and any way to print. Values in, values out.

pub mod areas;
pub mod bootstrap;
pub mod calibration;
pub mod cases;
pub mod curve;
pub mod delong;
pub mod grid;
pub mod interval;
pub mod judge;
mod placed;
pub mod ranking;
pub mod resample;
pub mod threshold;
pub mod walk;

pub use cases::{Cases, CasesError, Scores};
pub use ranking::{Ranking, Step};
pub use walk::Walk;
