//! A report in which every text tries to break out of its format.

use plimsoll_core::plan::Condition;
use plimsoll_core::rehearsal::StatementError;
use plimsoll_core::{PlanNode, Report, SourceFile};

use crate::sample;

/// Tries markup, entities, tables, code spans, workflow commands, terminals and XML at once.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&amp;]]>--><![CDATA[|`` ```\n::error::x\r\n%0A::set-output\x1b[31m\x1b]0;t\x07\0\u{9b}\u{202e}\u{fffe}\u{ffff}\u{7f} @everyone #1 [a](javascript:1)";

/// A hostile text that goes on with no place to break it.
fn long() -> String {
    format!("{HOSTILE}{}", "x".repeat(60_000))
}

/// The file that the report points into.
pub(crate) fn sources() -> Vec<SourceFile> {
    vec![SourceFile::new(HOSTILE, long())]
}

/// The sample with hostile text in every field that is text.
pub(crate) fn report() -> Report {
    let mut report = sample::report();
    let text = || HOSTILE.to_owned();
    for finding in &mut report.findings {
        (finding.rule, finding.message, finding.remedy) = (text(), text(), long());
        finding.location.file = sources()[0].name();
        if let Some(fix) = &mut finding.fix {
            fix.title = text();
            fix.edits.iter_mut().for_each(|edit| edit.text = text());
        }
        finding.evidence.facts = vec![text(), long()];
    }
    let rehearsal = report.rehearsal.as_mut().unwrap();
    rehearsal.server_version = text();
    rehearsal.notes = vec![long()];
    for record in &mut rehearsal.statements {
        (record.file, record.sql, record.rewrites) = (text(), long(), vec![text()]);
        for lock in &mut record.locks {
            lock.relation = text();
        }
        for scan in &mut record.scans {
            scan.relation = text();
        }
        for build in &mut record.index_builds {
            (build.index, build.relation) = (text(), text());
        }
        record.error = Some(StatementError {
            sqlstate: text(),
            message: text(),
            detail: Some(text()),
            hint: Some(text()),
            line: 1,
            column: 1,
        });
    }
    for query in report.queries.as_mut().unwrap() {
        (query.name, query.sql, query.reasons) = (text(), long(), vec![text()]);
        query.location.file = text();
        for measured in query.before.iter_mut().chain(&mut query.after) {
            spoil(&mut measured.plan);
        }
    }
    report.notes = vec![text()];
    report
}

fn spoil(node: &mut PlanNode) {
    node.node_type = HOSTILE.to_owned();
    node.conditions = vec![Condition { kind: "Filter".to_owned(), text: HOSTILE.to_owned() }];
    node.children.iter_mut().for_each(spoil);
}
