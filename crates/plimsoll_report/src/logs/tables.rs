//! A log's report as tables: figures, and one text a row.

use plimsoll_core::logs::{
    LogDeadlock, LogFailed, LogFigures, LogGroup, LogLockEdge, LogQuery, LogReport, LogRequests,
};
use plimsoll_core::units::{bytes, count, duration_ms};

/// Rows in the order of their weight.
pub(super) struct Table {
    pub(super) title: &'static str,
    /// Titles of the figures.
    pub(super) figures: Vec<&'static str>,
    /// Title of the text.
    pub(super) text: &'static str,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) figures: Vec<String>,
    pub(super) text: String,
}

const FIGURES: [&str; 7] = ["calls", "total", "share", "mean", "p95", "p99", "max"];

/// The tables that hold something.
pub(super) fn tables(report: &LogReport) -> Vec<Table> {
    let mut tables = vec![queries(report), bursts(report), requests(report), rhythms(report)];
    for (title, text, groups) in [
        ("Applications", "application_name", &report.applications),
        ("Users", "user", &report.users),
        ("Databases", "database", &report.databases),
        ("Hosts", "host", &report.hosts),
        ("Routes", "route", &report.routes),
    ] {
        tables.push(groups_table(title, text, groups));
    }
    tables.extend([hours(report), connections(report), problems(report), failed(report)]);
    tables.extend([lock_waits(report), lock_edges(report), deadlocks(report)]);
    tables.extend([temporary_files(report), vacuums(report), checkpoints(report), events(report)]);
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn cells(share: f64, figures: &LogFigures) -> Vec<String> {
    vec![
        count(figures.calls),
        duration_ms(figures.total_ms),
        format!("{:.1} %", share * 100.0),
        duration_ms(figures.mean_ms),
        duration_ms(figures.p95_ms),
        duration_ms(figures.p99_ms),
        duration_ms(figures.max_ms),
    ]
}

fn queries(report: &LogReport) -> Table {
    let row =
        |query: &LogQuery| Row { figures: cells(query.share, &query.figures), text: query.query.clone() };
    Table {
        title: "Queries by time in total",
        figures: FIGURES.to_vec(),
        text: "query",
        rows: report.queries.iter().map(row).collect(),
    }
}

fn groups_table(title: &'static str, text: &'static str, groups: &[LogGroup]) -> Table {
    let row =
        |group: &LogGroup| Row { figures: cells(group.share, &group.figures), text: named(&group.name) };
    Table { title, figures: FIGURES.to_vec(), text, rows: groups.iter().map(row).collect() }
}

fn named(name: &str) -> String {
    if name.is_empty() { "(not told)".to_owned() } else { name.to_owned() }
}

fn bursts(report: &LogReport) -> Table {
    let row = |burst: &plimsoll_core::logs::LogBursts| {
        let mut text = format!("{}: {}", burst.kind, burst.query);
        if !burst.route.is_empty() {
            text.push_str(&format!(" (route {})", burst.route));
        }
        if !burst.application.is_empty() {
            text.push_str(&format!(" (application {})", burst.application));
        }
        if let Some(before) = &burst.before {
            text.push_str(&format!(" (after {before})"));
        }
        Row {
            figures: vec![
                count(burst.bursts),
                count(burst.statements),
                count(burst.most),
                duration_ms(burst.in_database_ms),
                duration_ms(burst.between_ms),
            ],
            text,
        }
    };
    Table {
        title: "Bursts of one query",
        figures: vec!["bursts", "statements", "most", "in database", "between"],
        text: "what",
        rows: report.bursts.iter().map(row).collect(),
    }
}

fn requests(report: &LogReport) -> Table {
    let row = |one: &LogRequests| Row {
        figures: vec![
            count(one.requests),
            count(one.traced),
            format!("{:.1}", one.mean),
            count(one.p95),
            count(one.most),
        ],
        text: one.route.clone(),
    };
    Table {
        title: "Statements a request",
        figures: vec!["requests", "traced", "mean", "p95", "most"],
        text: "route",
        rows: report.requests.iter().map(row).collect(),
    }
}

fn rhythms(report: &LogReport) -> Table {
    let row = |query: &LogQuery| {
        let rhythm = query.rhythm.as_ref()?;
        Some(Row {
            figures: vec![
                duration_ms(rhythm.period_s * 1000.0),
                duration_ms(rhythm.phase_s * 1000.0),
                duration_ms(rhythm.jitter_s * 1000.0),
                format!("{} of {}", count(rhythm.hits), count(rhythm.cycles)),
                certainty(rhythm.confidence),
            ],
            text: query.query.clone(),
        })
    };
    Table {
        title: "Rhythms",
        figures: vec!["every", "phase", "jitter", "came", "confidence"],
        text: "query",
        rows: report.queries.iter().filter_map(row).collect(),
    }
}

/// A probability near one, without claiming certainty.
fn certainty(probability: f64) -> String {
    if probability > 0.9999 { "> 99.99 %".to_owned() } else { format!("{:.2} %", probability * 100.0) }
}

fn failed(report: &LogReport) -> Table {
    let row = |one: &LogFailed| Row {
        figures: vec![count(one.count), one.sqlstate.clone()],
        text: one.query.clone(),
    };
    Table {
        title: "Queries that failed",
        figures: vec!["count", "state"],
        text: "query",
        rows: report.failed.iter().map(row).collect(),
    }
}

fn lock_edges(report: &LogReport) -> Table {
    let row = |edge: &LogLockEdge| {
        let holder = edge.holder.as_deref().unwrap_or("(not told)");
        let state = if edge.is_running { "running" } else { "open transaction, last" };
        Row {
            figures: vec![count(edge.waits), duration_ms(edge.waited_ms), duration_ms(edge.longest_ms)],
            text: format!(
                "{state}: {holder} -> blocked {} ({} on {})",
                edge.waiting.as_deref().unwrap_or("(not told)"),
                edge.mode,
                edge.object
            ),
        }
    };
    Table {
        title: "Who blocked whom",
        figures: vec!["waits", "waited", "longest"],
        text: "holder and who waited",
        rows: report.lock_edges.iter().map(row).collect(),
    }
}

fn deadlocks(report: &LogReport) -> Table {
    let told = |query: &Option<String>| query.clone().unwrap_or_else(|| named(""));
    let row = |deadlock: &LogDeadlock| {
        let edges: Vec<String> = deadlock
            .edges
            .iter()
            .map(|edge| format!("{} waits for {} on {}", told(&edge.waiting), edge.mode, edge.object))
            .collect();
        Row { figures: vec![count(deadlock.count)], text: edges.join("; ") }
    };
    Table {
        title: "Deadlocks",
        figures: vec!["count"],
        text: "circle of waits",
        rows: report.deadlocks.iter().map(row).collect(),
    }
}

fn hours(report: &LogReport) -> Table {
    let row = |hour: &plimsoll_core::logs::LogHour| Row {
        figures: vec![count(hour.calls), duration_ms(hour.total_ms)],
        text: hour.hour.clone(),
    };
    let rows = if report.hours.len() > 1 { report.hours.iter().map(row).collect() } else { Vec::new() };
    Table { title: "Hours", figures: vec!["calls", "total"], text: "from", rows }
}

fn connections(report: &LogReport) -> Table {
    let row = |one: &plimsoll_core::logs::LogConnections| Row {
        figures: vec![
            count(one.connections),
            count(one.refused),
            count(one.sessions.calls),
            duration_ms(one.sessions.mean_ms),
            duration_ms(one.sessions.max_ms),
        ],
        text: format!(
            "{}@{} from {} as {}",
            named(&one.user),
            named(&one.database),
            named(&one.host),
            named(&one.application)
        ),
    };
    Table {
        title: "Connections",
        figures: vec!["connections", "refused", "ended", "mean session", "longest"],
        text: "who",
        rows: report.connections.iter().map(row).collect(),
    }
}

fn problems(report: &LogReport) -> Table {
    let row = |problem: &plimsoll_core::logs::LogProblem| Row {
        figures: vec![count(problem.count), problem.severity.clone(), problem.sqlstate.clone()],
        text: problem.message.clone(),
    };
    Table {
        title: "Errors and warnings",
        figures: vec!["count", "severity", "state"],
        text: "message",
        rows: report.problems.iter().map(row).collect(),
    }
}

fn lock_waits(report: &LogReport) -> Table {
    let row = |wait: &plimsoll_core::logs::LogLockWaits| Row {
        figures: vec![
            count(wait.waits),
            count(wait.acquired.calls),
            count(wait.given_up),
            duration_ms(wait.acquired.total_ms),
            duration_ms(wait.acquired.max_ms),
        ],
        text: format!(
            "{} on {}{}",
            wait.mode,
            wait.object,
            wait.query.as_ref().map_or_else(String::new, |query| format!(": {query}"))
        ),
    };
    Table {
        title: "Lock waits",
        figures: vec!["waits", "acquired", "given up", "waited", "longest"],
        text: "lock",
        rows: report.lock_waits.iter().map(row).collect(),
    }
}

fn temporary_files(report: &LogReport) -> Table {
    let row = |files: &plimsoll_core::logs::LogTemporaryFiles| Row {
        figures: vec![count(files.files), bytes(files.bytes), bytes(files.largest)],
        text: files.query.clone().unwrap_or_else(|| named("")),
    };
    Table {
        title: "Temporary files",
        figures: vec!["files", "bytes", "largest"],
        text: "query",
        rows: report.temporary_files.iter().map(row).collect(),
    }
}

fn vacuums(report: &LogReport) -> Table {
    let row = |one: &plimsoll_core::logs::LogVacuums| Row {
        figures: vec![
            count(one.figures.calls),
            duration_ms(one.figures.total_ms),
            duration_ms(one.figures.max_ms),
        ],
        text: format!("{} {}", one.kind, one.table),
    };
    Table {
        title: "Automatic vacuums and analyzes",
        figures: vec!["runs", "total", "longest"],
        text: "table",
        rows: report.vacuums.iter().map(row).collect(),
    }
}

fn checkpoints(report: &LogReport) -> Table {
    let row = |one: &LogGroup| Row {
        figures: vec![
            count(one.figures.calls),
            duration_ms(one.figures.total_ms),
            duration_ms(one.figures.max_ms),
        ],
        text: one.name.clone(),
    };
    Table {
        title: "Checkpoints",
        figures: vec!["runs", "total", "longest"],
        text: "kind",
        rows: report.checkpoints.iter().map(row).collect(),
    }
}

fn events(report: &LogReport) -> Table {
    let row =
        |one: &plimsoll_core::logs::LogEvent| Row { figures: vec![count(one.count)], text: one.name.clone() };
    Table {
        title: "Events",
        figures: vec!["count"],
        text: "what",
        rows: report.events.iter().map(row).collect(),
    }
}
