//! What comparisons and reports take from measured queries: outcomes, figures, a report a query, and the finding that it makes.

use plimsoll_core::units::count;
use plimsoll_core::{
    Claim, Evidence, EvidenceKind, Finding, Measurement, QueryCause, QueryReport, QueryVerdict, Severity,
};
use plimsoll_pg::queries::{PreparedQuery, Taken};
use plimsoll_regress::{Comparison, Failed, Outcome, Run};
use plimsoll_sql::NormalForm;
use plimsoll_sql::query_file::Query;

/// Id of the finding about a query that gets dearer.
const QUERY_WORSE: &str = "query-worse";
/// Id of the finding about a query that fails.
const QUERY_FAILS: &str = "query-fails";
/// Id of the finding about a query that returns something else.
const QUERY_RESULT: &str = "query-result";
/// Ratio of shared buffers from which a worse query is an error.
const ERROR_RATIO: u64 = 10;

/// A query's report.
pub(crate) fn report(
    query: &PreparedQuery,
    compared: Comparison,
    before: Option<Measurement>,
    after: Option<Measurement>,
) -> QueryReport {
    let causes = compared.causes.into_iter();
    QueryReport {
        name: query.query.name.clone(),
        verdict: compared.verdict,
        reasons: compared.reasons,
        causes: causes
            .map(|cause| QueryCause { kind: cause.kind.word().to_owned(), evidence: cause.words })
            .collect(),
        sql: query.source.text()[query.query.range.clone()].to_owned(),
        location: query.source.location(query.query.range.clone()),
        before,
        after,
        growth: compared.growth,
        history: Vec::new(),
    }
}

/// The fingerprint of a query's text, as a baseline has it.
pub(crate) fn fingerprint(query: &Query) -> String {
    NormalForm::default().of(&query.sql).to_string()
}

/// How a run fared, as a baseline has it.
pub(crate) fn outcome(taken: &Result<Taken, Failed>) -> Outcome {
    match taken {
        Ok(taken) => Outcome::Ran(Box::new(taken.run.clone())),
        Err(failed) => Outcome::Failed(failed.clone()),
    }
}

/// What was seen of a run, as a report shows it.
pub(crate) fn measurement(taken: &Result<Taken, Failed>) -> Option<Measurement> {
    taken.as_ref().ok().map(Taken::measurement)
}

/// What a baseline kept of a run, as a report shows it.
pub(crate) fn kept(outcome: &Outcome) -> Option<Measurement> {
    let Outcome::Ran(run) = outcome else { return None };
    Some(of_run(run))
}

fn of_run(run: &Run) -> Measurement {
    Measurement {
        shared_buffers: run.shared(),
        temp_blocks: run.temp(),
        rows: run.result.rows,
        cost: run.cost,
        time_ms: None,
        runs: 0,
        plan: run.plan.to_plan(),
    }
}

/// The finding that a report makes, if it makes one. Where a query failed before too, that is no news.
pub(crate) fn finding(report: &QueryReport) -> Option<Finding> {
    let name = &report.name;
    let id = report.growth.as_ref().and_then(|growth| growth.id.as_ref());
    let judge = id.map_or_else(String::new, |id| {
        format!(" Is the alarm right? `plimsoll confirm {id}`; is it none? `plimsoll dismiss {id}`.")
    });
    let first_cause = report.causes.first().map(|cause| format!(" ({}: {})", cause.kind, cause.evidence));
    let first_cause = first_cause.unwrap_or_default();
    let (rule, severity, message, remedy) = match (report.verdict, &report.before, &report.after) {
        (QueryVerdict::Worse, Some(before), Some(after)) => (
            QUERY_WORSE,
            worse_severity(before, after),
            format!("query {name} gets worse: {}{first_cause}", figures(report, before, after)),
            "Compare its plans before and after, and give it back the index or the type that it used.",
        ),
        (QueryVerdict::ChangedResult, ..) => (
            QUERY_RESULT,
            Severity::Error,
            format!(
                "query {name} returns something else: {}",
                report.reasons.first().map_or("", String::as_str)
            ),
            "Look at what it returns; where that is right, `plimsoll regress accept` takes it.",
        ),
        (QueryVerdict::Failed, before, _) => (
            QUERY_FAILS,
            if before.is_some() { Severity::Error } else { Severity::Warning },
            format!("query {name} fails: {}", report.reasons.join("; ")),
            "Keep what the query names until no running code sends it, or mend the query.",
        ),
        _ => return None,
    };
    let causes = report.causes.iter().map(|cause| format!("{}: {}", cause.kind, cause.evidence));
    Some(Finding {
        fix: None,
        rule: rule.to_owned(),
        severity,
        message,
        remedy: if report.verdict == QueryVerdict::Worse {
            format!("{remedy}{judge}")
        } else {
            remedy.to_owned()
        },
        location: report.location.clone(),
        statement: None,
        evidence: Evidence {
            kind: EvidenceKind::Observed,
            facts: report.reasons.iter().cloned().chain(causes).collect(),
        },
        claim: Claim::Nothing,
    })
}

/// The figure that got worse: buffers, unless they are what they were.
fn figures(report: &QueryReport, before: &Measurement, after: &Measurement) -> String {
    let buffers =
        || format!("{} → {} shared buffers", count(before.shared_buffers), count(after.shared_buffers));
    match report.reasons.first() {
        Some(first) if !first.starts_with("shared buffers") => first.clone(),
        _ => buffers(),
    }
}

fn worse_severity(before: &Measurement, after: &Measurement) -> Severity {
    let tenfold = after.shared_buffers >= before.shared_buffers.max(1) * ERROR_RATIO;
    if tenfold { Severity::Error } else { Severity::Warning }
}
