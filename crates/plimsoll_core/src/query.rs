//! How a query fared before and after a change.

use serde::Serialize;

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
    /// Why, in words, the weightiest first.
    pub reasons: Vec<String>,
    /// Its text, as written in the query file.
    pub sql: String,
    /// Where it stands.
    pub location: Location,
    /// Before the change; none if it failed there.
    pub before: Option<Measurement>,
    /// After the change; none if it failed there.
    pub after: Option<Measurement>,
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
    /// Median execution time of the runs after the warm-up, in milliseconds.
    pub time_ms: f64,
    /// Runs after the warm-up.
    pub runs: usize,
    /// The plan.
    pub plan: PlanNode,
}

/// A node of a plan, with what a run of it showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanNode {
    /// What it does, such as `Index Scan using ships_pkey on public.ships s`.
    pub label: String,
    /// Conditions and keys, each as `Filter: (draught > 12)`.
    pub details: Vec<String>,
    /// The planner's total cost.
    pub cost: f64,
    /// Rows that the planner expected, per loop.
    pub plan_rows: f64,
    /// Rows seen, per loop.
    pub actual_rows: f64,
    /// How often it ran.
    pub loops: u64,
    /// Shared buffers touched by it and what is below it, in pages.
    pub shared_buffers: u64,
    /// Time by it and what is below it over all loops, in milliseconds.
    pub time_ms: f64,
    /// Its inputs.
    pub children: Vec<PlanNode>,
}
