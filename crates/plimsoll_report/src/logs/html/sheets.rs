//! A log's report as tables for its page: queries, bursts, requests and rhythms.

use plimsoll_core::logs::{LogBursts, LogFigures, LogGroup, LogQuery, LogReport, LogRequests, LogStream};

use super::further;
use super::sheet::{Cell, Kind, Row, Sheet};

const FIGURES: [(&str, Kind); 8] = [
    ("calls", Kind::Count),
    ("total", Kind::Milliseconds),
    ("share", Kind::Share),
    ("mean", Kind::Milliseconds),
    ("p50", Kind::Milliseconds),
    ("p95", Kind::Milliseconds),
    ("p99", Kind::Milliseconds),
    ("max", Kind::Milliseconds),
];

/// All tables; that of queries comes first, even if there are none.
pub(super) fn sheets(report: &LogReport) -> Vec<Sheet<'_>> {
    let mut sheets = vec![queries(report), bursts(report), requests(report), rhythms(report)];
    sheets.extend([
        groups("applications", "Applications", "application_name", &report.applications),
        groups("users", "Users", "user", &report.users),
        groups("databases", "Databases", "database", &report.databases),
        groups("hosts", "Hosts", "host", &report.hosts),
        groups("routes", "Routes", "route", &report.routes),
    ]);
    sheets.extend(further::sheets(report));
    sheets
}

fn with_figures(last: &[(&'static str, Kind)]) -> Vec<(&'static str, Kind)> {
    FIGURES.iter().chain(last).copied().collect()
}

fn cells(share: f64, figures: &LogFigures) -> Vec<Cell> {
    vec![
        figures.calls.into(),
        figures.total_ms.into(),
        share.into(),
        figures.mean_ms.into(),
        figures.p50_ms.into(),
        figures.p95_ms.into(),
        figures.p99_ms.into(),
        figures.max_ms.into(),
    ]
}

/// Different names of one kind, in order.
fn names(streams: &[LogStream], name: impl Fn(&LogStream) -> &str) -> Cell {
    let names: std::collections::BTreeSet<&str> =
        streams.iter().map(name).filter(|name| !name.is_empty()).collect();
    Cell::Texts(names.into_iter().map(crate::html::shown).collect())
}

fn queries(report: &LogReport) -> Sheet<'_> {
    let row = |query: &'_ LogQuery| {
        let mut cells = cells(query.share, &query.figures);
        let applications = query.applications.iter().map(|name| crate::html::shown(name)).collect();
        cells.extend([
            Cell::Texts(applications),
            names(&query.streams, |stream| &stream.user),
            names(&query.streams, |stream| &stream.database),
            names(&query.streams, |stream| &stream.host),
            names(&query.streams, |stream| &stream.route),
            Cell::from(&query.query),
        ]);
        cells
    };
    Sheet {
        id: "queries",
        title: "Queries by time in total",
        columns: with_figures(&[
            ("application", Kind::Names),
            ("user", Kind::Names),
            ("database", Kind::Names),
            ("host", Kind::Names),
            ("route", Kind::Names),
            ("query", Kind::Query),
        ]),
        rows: report
            .queries
            .iter()
            .map(|query| Row { cells: row(query), trend: Some(&query.trend) })
            .collect(),
    }
}

fn groups<'a>(id: &'static str, title: &'static str, text: &'static str, groups: &[LogGroup]) -> Sheet<'a> {
    let row = |group: &LogGroup| {
        let mut cells = cells(group.share, &group.figures);
        cells.push(Cell::from(&group.name));
        Row { cells, trend: None }
    };
    Sheet { id, title, columns: with_figures(&[(text, Kind::Text)]), rows: groups.iter().map(row).collect() }
}

fn bursts(report: &LogReport) -> Sheet<'_> {
    let cells = |burst: &LogBursts| {
        vec![
            burst.bursts.into(),
            burst.statements.into(),
            burst.most.into(),
            burst.in_database_ms.into(),
            burst.between_ms.into(),
            Cell::from(&burst.kind),
            Cell::from(&burst.route),
            Cell::from(&burst.application),
            Cell::from(&burst.query),
            Cell::from(&burst.before),
        ]
    };
    Sheet {
        id: "bursts",
        title: "Bursts of one query",
        columns: vec![
            ("bursts", Kind::Count),
            ("statements", Kind::Count),
            ("most", Kind::Count),
            ("in database", Kind::Milliseconds),
            ("between", Kind::Milliseconds),
            ("kind", Kind::Name),
            ("route", Kind::Name),
            ("application", Kind::Name),
            ("query", Kind::Query),
            ("after", Kind::Query),
        ],
        rows: report
            .bursts
            .iter()
            .map(|burst| Row { cells: cells(burst), trend: Some(&burst.trend) })
            .collect(),
    }
}

fn requests(report: &LogReport) -> Sheet<'_> {
    let row = |one: &LogRequests| Row {
        cells: vec![
            one.requests.into(),
            one.traced.into(),
            one.mean.into(),
            one.p95.into(),
            one.most.into(),
            Cell::from(&one.route),
        ],
        trend: None,
    };
    Sheet {
        id: "requests",
        title: "Statements a request",
        columns: vec![
            ("requests", Kind::Count),
            ("traced", Kind::Count),
            ("mean", Kind::Decimal),
            ("p95", Kind::Count),
            ("most", Kind::Count),
            ("route", Kind::Text),
        ],
        rows: report.requests.iter().map(row).collect(),
    }
}

fn rhythms(report: &LogReport) -> Sheet<'_> {
    let row = |query: &LogQuery| {
        let rhythm = query.rhythm.as_ref()?;
        let cells = vec![
            Cell::from(rhythm.period_s * 1000.0),
            Cell::from(rhythm.phase_s * 1000.0),
            Cell::from(rhythm.jitter_s * 1000.0),
            rhythm.hits.into(),
            rhythm.cycles.into(),
            rhythm.confidence.into(),
            Cell::from(&query.query),
        ];
        // The query's own trend is at the query.
        Some(Row { cells, trend: None })
    };
    Sheet {
        id: "rhythms",
        title: "Rhythms",
        columns: vec![
            ("every", Kind::Milliseconds),
            ("phase", Kind::Milliseconds),
            ("jitter", Kind::Milliseconds),
            ("came", Kind::Count),
            ("of cycles", Kind::Count),
            ("confidence", Kind::Chance),
            ("query", Kind::Query),
        ],
        rows: report.queries.iter().filter_map(row).collect(),
    }
}
