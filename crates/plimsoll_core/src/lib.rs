//! The words that every part of Plimsoll shares: findings and their evidence, places in
//! source files, PostgreSQL's lock modes, what a rehearsal records, how a query was measured,
//! and the [`Report`] that all of it ends in.
//!
//! Deliberately absent: files, sockets, clocks, and any way to print. Values in, values out.

pub mod blocked;
pub mod change_scope;
pub mod evaluation;
pub mod facts;
pub mod finding;
pub mod gathered;
pub mod hold;
pub mod load;
pub mod lock;
pub mod logs;
pub mod paths;
pub mod plan;
pub mod proof;
pub mod query;
#[cfg(test)]
mod records_for_tests;
pub mod rehearsal;
pub mod report;
pub mod scale;
pub mod source;
pub mod suggestions;
pub mod thresholds;
pub mod traffic;
pub mod units;
pub mod workload;

pub use change_scope::ChangeScope;
pub use finding::{Claim, Edit, Evidence, EvidenceKind, Finding, Fix, Severity, Work};
pub use gathered::{Gathered, gathered};
pub use lock::LockMode;
pub use plan::{Plan, PlanNode};
pub use query::{Growth, HistoryPoint, Measurement, QueryCause, QueryReport, QueryVerdict};
pub use rehearsal::{HeldLock, IndexBuild, Outcome, Rehearsal, Scan, StatementRecord};
pub use report::{FORMAT_VERSION, Report, Tool, Verdict};
pub use source::{Location, SourceFile};
pub use suggestions::Suggestions;
pub use thresholds::Thresholds;
