//! How a query fared before and after a change.

use serde::Serialize;

use crate::plan::PlanNode;
use crate::source::Location;

/// How a query fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryVerdict {
    /// No repeatable difference.
    Same,
    /// Cheaper after the change.
    Better,
    /// Dearer after the change.
    Worse,
    /// It returns other rows, or other numbers of them.
    #[serde(rename = "changed result")]
    ChangedResult,
    /// It fails after the change.
    Failed,
    /// It failed before the change and works after it.
    New,
}

impl QueryVerdict {
    /// The word that reports and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::ChangedResult => "changed result",
            Self::Failed => "failed",
            Self::New => "new",
        }
    }
}

/// One query's report. Serializes to the JSON contract, `queries[]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryReport {
    /// The query's name.
    pub name: String,
    /// How it fared.
    pub verdict: QueryVerdict,
    /// What changed, in words, the weightiest first.
    pub reasons: Vec<String>,
    /// What explains it, the surest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<QueryCause>,
    /// Its text, as written in the query file.
    pub sql: String,
    /// Where it stands.
    pub location: Location,
    /// Before the change; none if it failed there.
    pub before: Option<Measurement>,
    /// After the change; none if it failed there.
    pub after: Option<Measurement>,
    /// What its alarm rests on, where it ran on both sides and its buffers and rows decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
    /// Its runs so far, the oldest first, where a history is kept; this one is the last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryPoint>,
}

/// How far a query's buffers and rows grew, and from where on that is an alarm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growth {
    /// After ÷ before, of the figure that is nearest to its alarm; 1 where no figure grew by its floor. What was 0 counts as 1.
    pub ratio: f64,
    /// The ratio from which that figure is an alarm.
    pub threshold: f64,
    /// What `plimsoll confirm` and `plimsoll dismiss` call this query before and after this change, where a history is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What a query took in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryPoint {
    /// When, in seconds since 1970.
    pub at_s: u64,
    /// Shared buffers touched, in pages.
    pub shared_buffers: u64,
}

/// What explains that a query fares otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryCause {
    /// Such as `missing index`.
    pub kind: String,
    /// The evidence, in words.
    pub evidence: String,
}

/// One query measured on one state of the database.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// Shared buffers touched in execution (hit and read), in pages; planning's are left out.
    pub shared_buffers: u64,
    /// Temporary blocks read and written, in pages.
    pub temp_blocks: u64,
    /// Rows returned, or changed where the query writes.
    pub rows: u64,
    /// The planner's total cost.
    pub cost: f64,
    /// Median execution time of the runs after the warm-up, in milliseconds; none where times weren't kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<f64>,
    /// Runs after the warm-up.
    pub runs: usize,
    /// The plan.
    pub plan: PlanNode,
}
