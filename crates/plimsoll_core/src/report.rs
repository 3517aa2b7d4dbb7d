//! The one value that every verb ends in and every output format is made from.

use serde::Serialize;

use crate::blocked::BlockedReport;
use crate::finding::{EvidenceKind, Finding, Severity};
use crate::gathered::{self, Gathered};
use crate::load::LoadRun;
use crate::query::QueryReport;
use crate::rehearsal::Rehearsal;
use crate::scale::ScaleReport;
use crate::traffic::Traffic;

/// Version of the JSON contract.
pub const FORMAT_VERSION: u32 = 1;

/// The program that made a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// `plimsoll`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The answer to "is this change safe to carry?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No error and no warning.
    Safe,
    /// Warnings, no error.
    Caution,
    /// At least one error.
    Danger,
}

impl Verdict {
    /// The word that reports and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Caution => "caution",
            Self::Danger => "danger",
        }
    }
}

/// Everything that a verb found. Parts that the verb has nothing for are left out of JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The program that made it.
    pub tool: Tool,
    /// The answer.
    pub verdict: Verdict,
    /// By file, line and column, one a place; in JSON as they are told.
    #[serde(serialize_with = "gathered::serialize")]
    pub findings: Vec<Finding>,
    /// What a rehearsal recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// How the queries fared, in the order of their files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<Vec<QueryReport>>,
    /// What ran on a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// Who would have waited for the change's locks, where a workload is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<BlockedReport>,
    /// The change among the requests of the workload, once or under several conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub load: Vec<LoadRun>,
    /// The change at production's sizes, where those are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleReport>,
    /// What a reader must know to judge the rest, such as parts that were not checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Report {
    /// Puts a report together: orders the findings and draws the verdict from them.
    #[must_use]
    pub fn new(
        mut findings: Vec<Finding>,
        rehearsal: Option<Rehearsal>,
        queries: Option<Vec<QueryReport>>,
        notes: Vec<String>,
    ) -> Self {
        findings.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
        let verdict = match findings.iter().map(|finding| finding.severity).max() {
            Some(Severity::Error) => Verdict::Danger,
            Some(Severity::Warning) => Verdict::Caution,
            Some(Severity::Note) | None => Verdict::Safe,
        };
        let tool = Tool { name: "plimsoll", version: env!("CARGO_PKG_VERSION") };
        Self {
            format_version: FORMAT_VERSION,
            tool,
            verdict,
            findings,
            rehearsal,
            queries,
            traffic: None,
            blocked: None,
            load: Vec::new(),
            scale: None,
            notes,
        }
    }

    /// The report with what ran on a server.
    #[must_use]
    pub fn with_traffic(self, traffic: Traffic) -> Self {
        Self { traffic: Some(traffic), ..self }
    }

    /// The findings as they are told: see [`gathered::gathered`].
    #[must_use]
    pub fn told(&self) -> Vec<Gathered<'_>> {
        gathered::gathered(&self.findings)
    }

    /// How many findings of this severity are told.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.told().iter().filter(|one| one.first.severity == severity).count()
    }

    /// How many findings that are told are proven this far.
    #[must_use]
    pub fn count_evidence(&self, kind: EvidenceKind) -> usize {
        self.told().iter().filter(|one| one.first.evidence.kind == kind).count()
    }
}
