//! A log's report as tables for its page: connections, errors, locks, and what the server did by itself.

use plimsoll_core::logs::{
    LogConnections, LogDeadlock, LogEvent, LogFailed, LogGroup, LogHour, LogLockEdge, LogLockWaits,
    LogProblem, LogReport, LogTemporaryFiles, LogTrend, LogVacuums,
};

use super::sheet::{Cell, Kind, Row, Sheet};
use crate::html::shown;

/// See the module.
pub(super) fn sheets(report: &LogReport) -> Vec<Sheet<'_>> {
    vec![
        hours(report),
        connections(report),
        problems(report),
        failed(report),
        lock_waits(report),
        lock_edges(report),
        deadlocks(report),
        temporary_files(report),
        vacuums(report),
        checkpoints(report),
        events(report),
    ]
}

/// A table of a list; `told` makes a row of one of it.
fn sheet<'a, T>(
    id: &'static str,
    title: &'static str,
    columns: &[(&'static str, Kind)],
    list: &'a [T],
    told: impl Fn(&'a T) -> (Vec<Cell>, Option<&'a LogTrend>),
) -> Sheet<'a> {
    let row = |one| {
        let (cells, trend) = told(one);
        Row { cells, trend }
    };
    Sheet { id, title, columns: columns.to_vec(), rows: list.iter().map(row).collect() }
}

fn hours(report: &LogReport) -> Sheet<'_> {
    let columns = [("calls", Kind::Count), ("total", Kind::Milliseconds), ("from", Kind::Text)];
    sheet("hours", "Hours", &columns, &report.hours, |hour: &LogHour| {
        (vec![hour.calls.into(), hour.total_ms.into(), Cell::from(&hour.hour)], None)
    })
}

fn connections(report: &LogReport) -> Sheet<'_> {
    let columns = [
        ("connections", Kind::Count),
        ("refused", Kind::Count),
        ("ended", Kind::Count),
        ("mean session", Kind::Milliseconds),
        ("longest", Kind::Milliseconds),
        ("user", Kind::Name),
        ("database", Kind::Name),
        ("host", Kind::Name),
        ("application", Kind::Name),
    ];
    sheet("connections", "Connections", &columns, &report.connections, |one: &LogConnections| {
        let cells = vec![
            one.connections.into(),
            one.refused.into(),
            one.sessions.calls.into(),
            one.sessions.mean_ms.into(),
            one.sessions.max_ms.into(),
            Cell::from(&one.user),
            Cell::from(&one.database),
            Cell::from(&one.host),
            Cell::from(&one.application),
        ];
        (cells, None)
    })
}

fn problems(report: &LogReport) -> Sheet<'_> {
    let columns =
        [("count", Kind::Count), ("severity", Kind::Name), ("state", Kind::Name), ("message", Kind::Text)];
    sheet("problems", "Errors and warnings", &columns, &report.problems, |one: &LogProblem| {
        let cells = vec![
            one.count.into(),
            Cell::from(&one.severity),
            Cell::from(&one.sqlstate),
            Cell::from(&one.message),
        ];
        (cells, Some(&one.trend))
    })
}

fn failed(report: &LogReport) -> Sheet<'_> {
    let columns = [("count", Kind::Count), ("state", Kind::Name), ("query", Kind::Query)];
    sheet("failed", "Queries that failed", &columns, &report.failed, |one: &LogFailed| {
        (vec![one.count.into(), Cell::from(&one.sqlstate), Cell::from(&one.query)], None)
    })
}

fn lock_waits(report: &LogReport) -> Sheet<'_> {
    let columns = [
        ("waits", Kind::Count),
        ("acquired", Kind::Count),
        ("given up", Kind::Count),
        ("waited", Kind::Milliseconds),
        ("longest", Kind::Milliseconds),
        ("mode", Kind::Name),
        ("on", Kind::Name),
        ("query", Kind::Query),
    ];
    sheet("lock-waits", "Lock waits", &columns, &report.lock_waits, |one: &LogLockWaits| {
        let cells = vec![
            one.waits.into(),
            one.acquired.calls.into(),
            one.given_up.into(),
            one.acquired.total_ms.into(),
            one.acquired.max_ms.into(),
            Cell::from(&one.mode),
            Cell::from(&one.object),
            Cell::from(&one.query),
        ];
        (cells, None)
    })
}

fn lock_edges(report: &LogReport) -> Sheet<'_> {
    let columns = [
        ("waits", Kind::Count),
        ("waited", Kind::Milliseconds),
        ("longest", Kind::Milliseconds),
        ("mode", Kind::Name),
        ("on", Kind::Name),
        ("holder was", Kind::Name),
        ("holder", Kind::Query),
        ("waiting", Kind::Query),
    ];
    sheet("lock-edges", "Who blocked whom", &columns, &report.lock_edges, |edge: &LogLockEdge| {
        let cells = vec![
            edge.waits.into(),
            edge.waited_ms.into(),
            edge.longest_ms.into(),
            Cell::from(&edge.mode),
            Cell::from(&edge.object),
            Cell::from(if edge.is_running { "running" } else { "in an open transaction" }),
            Cell::from(&edge.holder),
            Cell::from(&edge.waiting),
        ];
        (cells, None)
    })
}

fn deadlocks(report: &LogReport) -> Sheet<'_> {
    let columns = [("count", Kind::Count), ("circle of waits", Kind::Parts)];
    let query = |query: &Option<String>| query.as_deref().map_or_else(|| "(not told)".to_owned(), shown);
    sheet("deadlocks", "Deadlocks", &columns, &report.deadlocks, |deadlock: &LogDeadlock| {
        let mut parts = Vec::new();
        for (at, edge) in deadlock.edges.iter().enumerate() {
            parts.push(query(&edge.waiting));
            let end = if at + 1 < deadlock.edges.len() { "; " } else { "" };
            parts.push(format!(" waits for {} on {}{end}", shown(&edge.mode), shown(&edge.object)));
        }
        (vec![deadlock.count.into(), Cell::Texts(parts)], None)
    })
}

fn temporary_files(report: &LogReport) -> Sheet<'_> {
    let columns =
        [("files", Kind::Count), ("bytes", Kind::Bytes), ("largest", Kind::Bytes), ("query", Kind::Query)];
    sheet(
        "temporary-files",
        "Temporary files",
        &columns,
        &report.temporary_files,
        |files: &LogTemporaryFiles| {
            let cells =
                vec![files.files.into(), files.bytes.into(), files.largest.into(), Cell::from(&files.query)];
            (cells, None)
        },
    )
}

fn vacuums(report: &LogReport) -> Sheet<'_> {
    let columns = [
        ("runs", Kind::Count),
        ("total", Kind::Milliseconds),
        ("mean", Kind::Milliseconds),
        ("longest", Kind::Milliseconds),
        ("kind", Kind::Name),
        ("table", Kind::Text),
    ];
    sheet("vacuums", "Automatic vacuums and analyzes", &columns, &report.vacuums, |one: &LogVacuums| {
        let mut cells = runs(&one.figures);
        cells.extend([Cell::from(&one.kind), Cell::from(&one.table)]);
        (cells, None)
    })
}

fn checkpoints(report: &LogReport) -> Sheet<'_> {
    let columns = [
        ("runs", Kind::Count),
        ("total", Kind::Milliseconds),
        ("mean", Kind::Milliseconds),
        ("longest", Kind::Milliseconds),
        ("kind", Kind::Text),
    ];
    sheet("checkpoints", "Checkpoints", &columns, &report.checkpoints, |one: &LogGroup| {
        let mut cells = runs(&one.figures);
        cells.push(Cell::from(&one.name));
        (cells, None)
    })
}

fn runs(figures: &plimsoll_core::logs::LogFigures) -> Vec<Cell> {
    vec![figures.calls.into(), figures.total_ms.into(), figures.mean_ms.into(), figures.max_ms.into()]
}

fn events(report: &LogReport) -> Sheet<'_> {
    let columns = [("count", Kind::Count), ("what", Kind::Text)];
    sheet("events", "Events", &columns, &report.events, |one: &LogEvent| {
        (vec![one.count.into(), Cell::from(&one.name)], Some(&one.trend))
    })
}
