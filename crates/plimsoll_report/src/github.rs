//! Annotations on a pull request, as workflow commands of GitHub Actions, and a summary line.
//!
//! Only what stands behind `::` at a line's start is a command, and every text here is escaped
//! to stay on its line: a migration can't smuggle one in.

use plimsoll_core::{Finding, Report, Severity};

use crate::neutral::neutral;
use crate::words;

/// Writes a command a finding and a line that says the verdict.
pub(crate) fn render(report: &Report) -> String {
    let mut lines: Vec<String> = report.findings.iter().map(|finding| command(report, finding)).collect();
    let verdict = report.verdict.word();
    lines.push(message(&format!("plimsoll: {verdict}. {}", words::reasons(report).join(" "))));
    lines.join("\n") + "\n"
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
    fn separators_are_escaped() {
        assert_eq!(message("a%0A::b\r\nc,d"), "a%250A::b%0Ac,d");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
