//! Annotations on a pull request, one a place, as workflow commands of GitHub Actions, and a summary line.
//!
//! Only what stands behind `::` at a line's start is a command, and every text here is escaped
//! to stay on its line: a migration can't smuggle one in.

use std::collections::BTreeMap;

use plimsoll_core::units::plural;
use plimsoll_core::{Finding, Report, Severity};

use crate::neutral::neutral;
use crate::{short, words};

/// Annotations of one level that GitHub shows of a step (its documentation, "Workflow commands").
const MOST_OF_A_LEVEL: usize = 10;

/// Writes a command a finding and a line that says the verdict. What GitHub wouldn't show is
/// printed for the log alone, and a last notice says so.
pub(crate) fn render(report: &Report) -> String {
    let (shown, cut) = within_limits(report);
    let mut lines: Vec<String> = shown.iter().map(|finding| command(report, finding)).collect();
    let headline = words::headline(report);
    lines.push(message(&format!("plimsoll: {headline}. {}", words::reasons(report).join(" "))));
    lines.extend(cut.iter().map(|finding| message(&format!("also {}", short::line(finding)))));
    if !cut.is_empty() {
        let text = format!(
            "{} not annotated: GitHub shows {MOST_OF_A_LEVEL} of each level a step; the log has them all.",
            plural(cut.len(), "further finding")
        );
        lines.push(format!("::notice title=plimsoll::{}", message(&text)));
    }
    lines.join("\n") + "\n"
}

/// The findings that GitHub shows, in the report's order, and those that it would drop.
fn within_limits(report: &Report) -> (Vec<&Finding>, Vec<&Finding>) {
    let is_cut = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| report.findings.iter().filter(|finding| finding.severity == severity).count())
        .iter()
        .any(|places| *places > MOST_OF_A_LEVEL);
    let mut left = BTreeMap::from([
        (Severity::Error, MOST_OF_A_LEVEL),
        (Severity::Warning, MOST_OF_A_LEVEL),
        // The last notice is one, too.
        (Severity::Note, MOST_OF_A_LEVEL - usize::from(is_cut)),
    ]);
    report.findings.iter().partition(|finding| {
        let left = left.entry(finding.severity).or_default();
        let fits = *left > 0;
        *left = left.saturating_sub(1);
        fits
    })
}

fn command(report: &Report, finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = &finding.location;
    let mut properties = vec![
        ("file", property(&place.file)),
        ("line", place.line.to_string()),
        ("endLine", place.end_line.to_string()),
    ];
    // GitHub refuses columns for a range of several lines.
    if place.line == place.end_line {
        properties.push(("col", place.column.to_string()));
        properties.push(("endColumn", place.end_column.to_string()));
    }
    properties.push(("title", property(&format!("{} ({})", finding.rule, finding.evidence.kind.word()))));
    let properties: Vec<String> = properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let parts = [finding.message.clone(), words::evidence(report, finding), finding.remedy.clone()];
    let text: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    format!("::{level} {}::{}", properties.join(","), message(&text.join("\n")))
}

/// Escapes a command's message.
fn message(text: &str) -> String {
    neutral(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a command's property.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_has_more_than_github_shows() {
        let mut report = crate::sample::report();
        let finding = report.findings[0].clone();
        report.findings = (0..13).map(|_| finding.clone()).collect();
        report.findings.extend((0..10).map(|_| Finding { severity: Severity::Note, ..finding.clone() }));
        let text = render(&report);
        let count = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
        assert_eq!((count("::error "), count("::notice "), count("also ")), (10, 10, 4));
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("::notice title=plimsoll::4 further findings not annotated"), "{last}");
    }

    #[test]
    fn ten_of_a_level_fit() {
        let mut report = crate::sample::report();
        let finding = Finding { severity: Severity::Note, ..report.findings[0].clone() };
        report.findings = (0..10).map(|_| finding.clone()).collect();
        assert!(!render(&report).contains("not annotated"));
    }

    #[test]
    fn separators_are_escaped() {
        assert_eq!(message("a%0A::b\r\nc,d"), "a%250A::b%0Ac,d");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
