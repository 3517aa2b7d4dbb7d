//! Findings as a reader wants to be told of them: those that have one cause and one remedy as one, with its places.
//!
//! Each place keeps a finding of its own: rules, comments, baselines and proofs deal with statements. Only counts and
//! the formats for readers gather them.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use crate::finding::{Claim, EvidenceKind, Finding, Severity};

/// What the remedy of a brief strong lock without a `lock_timeout` says.
const ASKS_FOR_LOCK_TIMEOUT: &str = "SET lock_timeout";

/// A finding at its first place, and at the further ones.
#[derive(Clone, Debug, Serialize)]
pub struct Gathered<'a> {
    /// At its first place.
    #[serde(flatten)]
    pub first: &'a Finding,
    /// At further places, in the findings' order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<&'a Finding>,
}

/// What findings have in common that are told as one.
#[derive(PartialEq, Eq, Hash)]
struct Cause<'a> {
    rule: &'a str,
    severity: Severity,
    evidence: EvidenceKind,
    /// None where the remedy is about every file that the project's runner sends.
    file: Option<&'a str>,
}

impl Finding {
    /// Whether it is about a brief strong lock that a `lock_timeout` guards.
    #[must_use]
    pub fn asks_for_lock_timeout(&self) -> bool {
        self.remedy.contains(ASKS_FOR_LOCK_TIMEOUT)
    }
}

/// Gathers the locks that one rule tells of in one file: they are mended by one decision. That no `lock_timeout` is set
/// is told once: a project sets it in one place, for all its files. What fails, and what no lock shows, stands alone.
#[must_use]
pub fn gathered(findings: &[Finding]) -> Vec<Gathered<'_>> {
    let mut gathered: Vec<Gathered> = Vec::new();
    let mut by_cause: HashMap<Cause, usize> = HashMap::new();
    for finding in findings {
        let known = cause(finding).map(|cause| *by_cause.entry(cause).or_insert(gathered.len()));
        match known.and_then(|index| gathered.get_mut(index)) {
            Some(one) => one.further.push(finding),
            None => gathered.push(Gathered { first: finding, further: Vec::new() }),
        }
    }
    gathered
}

fn cause(finding: &Finding) -> Option<Cause<'_>> {
    let Claim::Lock { work, .. } = finding.claim else { return None };
    let is_the_projects = work.is_none() && finding.asks_for_lock_timeout();
    Some(Cause {
        rule: &finding.rule,
        severity: finding.severity,
        evidence: finding.evidence.kind,
        file: (!is_the_projects).then_some(finding.location.file.as_str()),
    })
}

/// Serializes findings as they are told.
pub(crate) fn serialize<S: Serializer>(findings: &[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(gathered(findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Evidence, Work};
    use crate::lock::LockMode;
    use crate::source::Location;

    fn finding(rule: &str, file: &str, line: usize, work: Option<Work>) -> Finding {
        let (relation, mode) = ("public.t".into(), LockMode::AccessExclusive);
        Finding {
            fix: None,
            rule: rule.into(),
            severity: Severity::Error,
            message: String::new(),
            remedy: "SET lock_timeout = '2s';".into(),
            location: Location { file: file.into(), line, column: 1, end_line: line, end_column: 2 },
            statement: Some(line),
            evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
            claim: Claim::Lock { relation, mode, work },
        }
    }

    /// Each of them as `rule file:line,line`.
    fn check(findings: &[Finding], expected: &[&str]) {
        let shown: Vec<String> = gathered(findings)
            .iter()
            .map(|one| {
                let places = [one.first].into_iter().chain(one.further.iter().copied());
                let places: Vec<String> =
                    places.map(|place| format!("{}:{}", place.location.file, place.location.line)).collect();
                format!("{} {}", one.first.rule, places.join(","))
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_rule_speaks_once_a_file() {
        let scan = |rule, file, line| finding(rule, file, line, Some(Work::Scan));
        check(
            &[scan("r", "a", 1), scan("s", "a", 2), scan("r", "a", 3), scan("r", "b", 1)],
            &["r a:1,a:3", "s a:2", "r b:1"],
        );
    }

    #[test]
    fn a_missing_lock_timeout_is_told_once() {
        let brief = |file| finding("r", file, 1, None);
        check(&[brief("a"), brief("b")], &["r a:1,b:1"]);
        let otherwise = Finding { remedy: "split it".into(), ..brief("b") };
        check(&[brief("a"), otherwise], &["r a:1", "r b:1"]);
    }

    #[test]
    fn severity_and_evidence_keep_findings_apart() {
        let one = finding("r", "a", 1, Some(Work::Scan));
        let note = Finding { severity: Severity::Note, ..one.clone() };
        let confirmed = Evidence { kind: EvidenceKind::Confirmed, facts: Vec::new() };
        let confirmed = Finding { evidence: confirmed, ..one.clone() };
        check(&[one, note, confirmed], &["r a:1", "r a:1", "r a:1"]);
    }

    #[test]
    fn failures_stand_alone() {
        let fails = Finding { claim: Claim::Fails, ..finding("r", "a", 1, None) };
        check(&[fails.clone(), fails], &["r a:1", "r a:1"]);
    }
}
