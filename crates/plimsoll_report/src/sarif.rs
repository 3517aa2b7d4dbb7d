//! SARIF 2.1.0 (OASIS), for code scanning: rules with their help, results with place, level and
//! fingerprint. How far a finding is proven stands in a result's properties.
//!
//! Rehearsed statements and queries have no place in SARIF; the findings made from them do.

mod model;

use std::collections::HashMap;

use plimsoll_core::{Finding, Gathered, Location, Report, Severity};

use crate::fingerprint::fingerprints;
use crate::neutral::neutral;
use crate::{Rendering, json, words};
use model::{
    ArtifactChange, ArtifactLocation, Driver, Fix, Invocation, Level, Log, Markdown, Message, Notification,
    Physical, Place, Properties, Region, Replacement, Result, Rule, Run, RunProperties, Tool,
};

/// Writes a log with one run.
pub(crate) fn render(rendering: &Rendering) -> String {
    let report = rendering.report;
    let mut ids: Vec<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let places = report.findings.iter().map(std::ptr::from_ref);
    let mut prints: HashMap<*const Finding, String> = places.zip(fingerprints(rendering)).collect();
    let told = report.told().into_iter();
    let results = told.map(|one| {
        let print = prints.remove(&std::ptr::from_ref(one.first)).unwrap_or_default();
        result(report, &ids, &one, print)
    });
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: report.tool.name,
                version: report.tool.version,
                semantic_version: report.tool.version,
                rules: ids.iter().map(|id| rule(rendering, id)).collect(),
            },
        },
        invocations: [Invocation {
            execution_successful: true,
            tool_execution_notifications: notifications(report),
        }],
        column_kind: "unicodeCodePoints",
        results: results.collect(),
        properties: RunProperties {
            verdict: report.verdict.word(),
            server_version: report.rehearsal.as_ref().map(|rehearsal| rehearsal.server_version.as_str()),
        },
    };
    json::pretty(&Log { schema: model::SCHEMA, version: "2.1.0", runs: [run] })
}

fn notifications(report: &Report) -> Vec<Notification> {
    let rehearsed = report.rehearsal.iter().flat_map(|rehearsal| &rehearsal.notes);
    let notes = report.notes.iter().chain(rehearsed);
    notes.map(|note| Notification { level: Level::Note, message: message(note) }).collect()
}

fn rule<'a>(rendering: &Rendering, id: &'a str) -> Rule<'a> {
    let help = (rendering.rule_help)(id);
    Rule {
        id,
        short_description: help.as_ref().map(|help| message(&help.summary)),
        help_uri: help.as_ref().and_then(|help| help.uri.clone()),
        help: help.map(|help| Markdown { text: help.help.clone(), markdown: help.help }),
    }
}

fn result<'a>(report: &Report, ids: &[&str], gathered: &Gathered<'a>, fingerprint: String) -> Result<'a> {
    let finding = gathered.first;
    let place = &finding.location;
    let everywhere = [finding].into_iter().chain(gathered.further.iter().copied());
    let text = format!("{}\n{}\n{}", finding.message, words::evidence(report, finding), finding.remedy);
    Result {
        rule_id: &finding.rule,
        rule_index: ids.binary_search(&finding.rule.as_str()).ok(),
        level: match finding.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Note => Level::Note,
        },
        message: message(text.trim_end()),
        locations: [Place { physical_location: physical(place), message: None }],
        related_locations: gathered.further.iter().map(|further| related(report, further)).collect(),
        partial_fingerprints: [("plimsollFingerprint/v1", fingerprint)].into(),
        fixes: everywhere
            .filter_map(|one| Some((one, one.fix.as_ref().filter(|fix| !fix.edits.is_empty())?)))
            .map(|(one, fix)| fix_of(&one.location, fix))
            .collect(),
        properties: Properties {
            evidence: finding.evidence.kind.word(),
            facts: &finding.evidence.facts,
            remedy: &finding.remedy,
            statement: finding.statement,
        },
    }
}

fn physical(place: &Location) -> Physical {
    Physical { artifact_location: artifact(&place.file), region: region(place) }
}

/// The same at a further place.
fn related(report: &Report, finding: &Finding) -> Place {
    let text = format!("{}\n{}\n{}", finding.message, words::evidence(report, finding), finding.remedy);
    Place { physical_location: physical(&finding.location), message: Some(message(text.trim_end())) }
}

/// A fix of the file that the finding points into: no other is ever edited.
fn fix_of(place: &Location, fix: &plimsoll_core::Fix) -> Fix {
    let replacements = fix.edits.iter().map(|edit| Replacement {
        deleted_region: region(&edit.location),
        inserted_content: message(&edit.text),
    });
    Fix {
        description: message(&fix.title),
        artifact_changes: [ArtifactChange {
            artifact_location: artifact(&place.file),
            replacements: replacements.collect(),
        }],
    }
}

fn region(place: &Location) -> Region {
    Region {
        start_line: place.line,
        start_column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
    }
}

fn message(text: &str) -> Message {
    Message { text: neutral(text).into_owned() }
}

/// A path as a URI reference: relative ones below the root of the checkout.
fn artifact(path: &str) -> ArtifactLocation {
    let base = (!path.starts_with('/')).then_some("%SRCROOT%");
    ArtifactLocation { uri: percent_encoded(path), uri_base_id: base }
}

fn percent_encoded(path: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(artifact("a b/ö:1.sql").uri, "a%20b/%C3%B6%3A1.sql");
        assert_eq!(artifact("a.sql").uri_base_id, Some("%SRCROOT%"));
        assert_eq!(artifact("/srv/a.sql").uri_base_id, None);
    }
}
