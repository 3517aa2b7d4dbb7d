//! GitLab's Code Quality report: a JSON array with a value a finding.

use plimsoll_core::{EvidenceKind, Finding, Severity};
use serde::Serialize;

use crate::fingerprint::fingerprints;
use crate::neutral::one_line;
use crate::{Rendering, json};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// Writes the findings; GitLab has no place for the rest.
pub(crate) fn render(rendering: &Rendering) -> String {
    let findings = rendering.report.findings.iter();
    let issues: Vec<Issue> = findings
        .zip(fingerprints(rendering))
        .map(|(finding, fingerprint)| Issue {
            description: format!("{} ({})", one_line(&finding.message), finding.evidence.kind.word()),
            check_name: &finding.rule,
            fingerprint,
            severity: severity(finding),
            location: Location {
                path: &finding.location.file,
                lines: Lines { begin: finding.location.line, end: finding.location.end_line },
            },
        })
        .collect();
    json::pretty(&issues)
}

/// What a server has shown weighs a step more than what a rule says.
fn severity(finding: &Finding) -> &'static str {
    let shown = matches!(finding.evidence.kind, EvidenceKind::Confirmed | EvidenceKind::Observed);
    match (finding.severity, shown) {
        (Severity::Error, true) => "blocker",
        (Severity::Error, false) => "critical",
        (Severity::Warning, true) => "major",
        (Severity::Warning, false) => "minor",
        (Severity::Note, _) => "info",
    }
}
