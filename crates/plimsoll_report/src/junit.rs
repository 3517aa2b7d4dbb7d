//! JUnit XML: a suite a file, and a suite for the queries.
//!
//! A finding is a test case. Errors and warnings are failures whose type is the severity, so
//! that a CI which shows only red and green shows both, and one which filters by type can tell
//! them apart; a note passes and carries its text as output. A rehearsed statement is a test
//! case that errs if the server refused it. A query fails if it is worse or failed. A file
//! without findings has one passing case, so that a safe report isn't an empty one.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::rehearsal::StatementError;
use plimsoll_core::{Finding, QueryReport, QueryVerdict, Rehearsal, Report, Severity, StatementRecord};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::neutral::{clipped, neutral};
use crate::{Rendering, words};

/// Longest excerpt of SQL in the name of a test case, in characters.
const NAME_CHARACTERS: usize = 80;

/// Writes the report.
pub(crate) fn render(rendering: &Rendering) -> String {
    let report = rendering.report;
    let mut suites: BTreeMap<&str, Vec<TestCase>> = BTreeMap::new();
    let names: Vec<String> = rendering.sources.names().collect();
    for name in &names {
        if !report.findings.iter().any(|finding| finding.location.file == *name) {
            suites.entry(name).or_default().push(TestCase::new("no findings", TestCaseStatus::success()));
        }
    }
    for finding in &report.findings {
        suites.entry(&finding.location.file).or_default().push(finding_case(report, finding));
    }
    if let Some(rehearsal) = &report.rehearsal {
        for record in &rehearsal.statements {
            suites.entry(&record.file).or_default().push(statement_case(rehearsal, record));
        }
    }
    let mut junit = quick_junit::Report::new(report.tool.name);
    junit.add_test_suites(suites.into_iter().map(|(file, cases)| suite(file, cases)));
    if let Some(queries) = &report.queries {
        junit.add_test_suite(suite("queries", queries.iter().map(query_case).collect()));
    }
    let mut text = junit.to_string().expect("writing to memory does not fail");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn suite(name: &str, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(&*neutral(name));
    suite.time = cases.iter().filter_map(|case| case.time).reduce(|sum, time| sum + time);
    suite.add_test_cases(cases.into_iter().map(|mut case| {
        case.set_classname(&*neutral(name));
        case
    }));
    suite
}

fn finding_case(report: &Report, finding: &Finding) -> TestCase {
    let name = format!("{} at {}:{}", finding.rule, finding.location.line, finding.location.column);
    let body = format!(
        "{}:{}: {}\n{}\n{}",
        finding.location.file,
        finding.location.line,
        finding.message,
        words::evidence(report, finding),
        finding.remedy
    );
    if finding.severity == Severity::Note {
        let mut case = TestCase::new(&*neutral(&name), TestCaseStatus::success());
        case.set_system_out(&*neutral(body.trim_end()));
        return case;
    }
    let status = failure(NonSuccessKind::Failure, finding.severity.word(), &finding.message, &body);
    TestCase::new(&*neutral(&name), status)
}

fn statement_case(rehearsal: &Rehearsal, record: &StatementRecord) -> TestCase {
    let status = match &record.error {
        None => TestCaseStatus::success(),
        Some(error) => {
            failure(NonSuccessKind::Error, &error.sqlstate, &error.message, &refusal(record, error))
        }
    };
    let name = format!("statement at {}: {}", record.line, clipped(&record.sql, NAME_CHARACTERS));
    let mut case = TestCase::new(name, status);
    case.set_time(seconds(record.duration_ms));
    let locks = record.strongest_locks().into_iter().map(words::lock);
    let facts: Vec<String> = locks.chain(words::work(rehearsal, record)).collect();
    if !facts.is_empty() {
        case.set_system_out(&*neutral(&facts.join("\n")));
    }
    case
}

fn refusal(record: &StatementRecord, error: &StatementError) -> String {
    let extras = [("DETAIL", &error.detail), ("HINT", &error.hint)];
    let extras =
        extras.iter().filter_map(|(word, text)| text.as_ref().map(|text| format!("\n{word}: {text}")));
    let head = format!("{}:{}:{}: {}", record.file, error.line, error.column, error.message);
    head + &extras.collect::<String>()
}

fn query_case(query: &QueryReport) -> TestCase {
    let causes = query.causes.iter().map(words::cause);
    let reasons: Vec<String> = query.reasons.iter().cloned().chain(causes).collect();
    let reasons = reasons.join("\n");
    let status = match query.verdict {
        QueryVerdict::Worse | QueryVerdict::ChangedResult | QueryVerdict::Failed => {
            let first = query.reasons.first().map_or(query.verdict.word(), String::as_str);
            failure(NonSuccessKind::Failure, query.verdict.word(), first, &reasons)
        }
        QueryVerdict::Same | QueryVerdict::Better | QueryVerdict::New => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(&*neutral(&query.name), status);
    if let Some(time_ms) = query.after.as_ref().and_then(|after| after.time_ms) {
        case.set_time(seconds(time_ms));
    }
    case
}

fn failure(kind: NonSuccessKind, word: &str, message: &str, body: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(&*neutral(word));
    status.set_message(&*neutral(message));
    status.set_description(&*neutral(body.trim_end()));
    status
}

/// A duration; zero for what no clock can have shown.
fn seconds(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or_default()
}
