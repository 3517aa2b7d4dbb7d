//! One line a place, as compilers print them: for editors, `grep` and people in a hurry.
//!
//! Notes, statements and queries have no place here, nor has the verdict: no finding, no line.

use plimsoll_core::{Finding, Report};

use crate::neutral::one_line;

/// Writes a line a place.
pub(crate) fn render(report: &Report) -> String {
    report.findings.iter().map(|finding| format!("{}\n", line(finding))).collect()
}

/// `file:line:column: severity[rule] message`.
pub(crate) fn line(finding: &Finding) -> String {
    let place = &finding.location;
    format!(
        "{}:{}:{}: {}[{}] {}",
        one_line(&place.file),
        place.line,
        place.column,
        finding.severity.word(),
        one_line(&finding.rule),
        one_line(&finding.message)
    )
}
