//! Scores and labels to precision-recall, ROC and DET curves, their areas, and intervals. Definitions, and what ties come to,
//! are scikit-learn's.
//!
//! Deliberately absent: files, clocks, and any way to print. Values in, values out.

pub mod areas;
pub mod cases;
pub mod confusion;
pub mod curve;
pub mod interval;
pub mod ranking;

pub use cases::{Cases, CasesError, Scores};
pub use ranking::{Ranking, Step};
