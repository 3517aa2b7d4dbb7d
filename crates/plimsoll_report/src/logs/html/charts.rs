//! What is drawn over time: how much runs, who is there, what goes wrong, and what the server does by itself.

use plimsoll_core::logs::{LogReport, LogTrend};
use serde_json::{Value, json};

use super::trend::{encoded, sum};

/// Events that are marked, those that matter most first, and their colour; others are in the table alone.
const MARKED: [(&str, &str); 12] = [
    ("deadlock", "error"),
    ("lock wait", "warning"),
    ("sessions ended after a crash", "error"),
    ("server shut down after a failure", "error"),
    ("cancelled by statement_timeout", "warning"),
    ("cancelled by lock_timeout", "warning"),
    ("cancelled by a user's request", "warning"),
    ("connection refused", "warning"),
    ("temporary file", "plain"),
    ("automatic vacuum or analyze", "plain"),
    ("server ready", "plain"),
    ("checkpoints too frequent", "warning"),
];

/// Charts and lanes of marks, without those that would be empty.
pub(super) fn charts(report: &LogReport) -> Value {
    let sessions = LogTrend {
        step_s: report.concurrency.step_s,
        steps: report
            .concurrency
            .steps
            .iter()
            .map(|(number, sessions, _)| (*number, *sessions, 0.0))
            .collect(),
    };
    let charts: Vec<Value> = [
        chart(
            "statements",
            "Statements per second",
            "rate",
            &[("statements", "plain", report.activity.clone())],
        ),
        chart(
            "active",
            "Active statements on average",
            "active",
            &[("active", "plain", report.activity.clone())],
        ),
        chart("sessions", "Sessions", "level", &[("sessions", "plain", sessions)]),
        chart("errors", "Errors and warnings", "count", &problems(report)),
    ]
    .into_iter()
    .flatten()
    .collect();
    json!({ "charts": charts, "lanes": lanes(report) })
}

/// A chart; its series stand on one another.
fn chart(id: &str, title: &str, measure: &str, series: &[(&str, &str, LogTrend)]) -> Option<Value> {
    let told: Vec<Value> = series
        .iter()
        .filter(|(_, _, trend)| !trend.steps.is_empty())
        .map(|(name, colour, trend)| json!([name, colour, encoded(trend)]))
        .collect();
    (!told.is_empty()).then(|| json!([id, title, measure, told]))
}

fn problems(report: &LogReport) -> [(&'static str, &'static str, LogTrend); 2] {
    let of = |is_warning: bool| {
        sum(report
            .problems
            .iter()
            .filter(move |problem| (problem.severity == "WARNING") == is_warning)
            .map(|problem| &problem.trend))
    };
    [("errors", "error", of(false)), ("warnings", "warning", of(true))]
}

/// Name, colour and trend of each; a mark is as long as the time that the trend tells.
fn lanes(report: &LogReport) -> Vec<Value> {
    let checkpoints = (!report.checkpointed.steps.is_empty())
        .then(|| json!(["checkpoint", "plain", encoded(&report.checkpointed)]));
    let marked = MARKED.iter().filter_map(|(name, colour)| {
        let event = report.events.iter().find(|event| event.name == *name)?;
        Some(json!([name, colour, encoded(&event.trend)]))
    });
    marked.chain(checkpoints).collect()
}
