//! Reviewdog's Diagnostic Format (`rdjson`): findings with places and suggestions, for reviewdog
//! and the code hosts that it comments on.
//!
//! Columns count bytes here. A fix is one suggestion, even where it is several edits: reviewdog
//! offers each suggestion alone. Source: `proto/rdf` in reviewdog's repository.

use plimsoll_core::{Finding, Severity, SourceFile};
use serde::Serialize;

use crate::fixed::Fixed;
use crate::neutral::neutral;
use crate::{Rendering, json, words};

#[derive(Serialize)]
struct DiagnosticResult<'a> {
    source: Source<'a>,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    message: String,
    location: Location<'a>,
    severity: &'static str,
    code: Code<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    range: Range,
}

#[derive(Serialize)]
struct Code<'a> {
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Suggestion {
    range: Range,
    text: String,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
}

/// Writes the findings; the format has no place for the rest.
pub(crate) fn render(rendering: &Rendering) -> String {
    let diagnostics = rendering.report.findings.iter().map(|finding| diagnostic(rendering, finding));
    json::pretty(&DiagnosticResult {
        source: Source { name: rendering.report.tool.name },
        diagnostics: diagnostics.collect(),
    })
}

fn diagnostic<'a>(rendering: &Rendering, finding: &'a Finding) -> Diagnostic<'a> {
    let source = rendering.source(finding);
    let place = &finding.location;
    let range = match source {
        Some(source) => bytes(source, source.range(place)),
        None => Range {
            start: Position { line: place.line, column: place.column },
            end: Position { line: place.end_line, column: place.end_column },
        },
    };
    let fixed = source.zip(finding.fix.as_ref());
    let suggestion = fixed.and_then(|(source, fix)| {
        let fixed = Fixed::new(source, fix)?;
        Some(Suggestion {
            range: bytes(source, fixed.range.clone()),
            text: neutral(&fixed.text).into_owned(),
        })
    });
    let text =
        format!("{}\n{}\n{}", finding.message, words::evidence(rendering.report, finding), finding.remedy);
    Diagnostic {
        message: neutral(text.trim_end()).into_owned(),
        location: Location { path: &place.file, range },
        severity: match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Note => "INFO",
        },
        code: Code {
            value: &finding.rule,
            url: (rendering.rule_help)(&finding.rule).and_then(|help| help.uri),
        },
        suggestions: suggestion.into_iter().collect(),
    }
}

fn bytes(source: &SourceFile, range: std::ops::Range<usize>) -> Range {
    let position = |offset: usize| {
        let (line, _) = source.line_column(offset);
        let start = source.text()[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        Position { line, column: offset - start + 1 }
    };
    Range { start: position(range.start), end: position(range.end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_bytes() {
        let source = SourceFile::new("a.sql", "a\né𐐀b");
        let range = bytes(&source, 8..9);
        assert_eq!((range.start.line, range.start.column, range.end.column), (2, 7, 8));
    }
}
