//! A summary as a report: sorted, with figures that a person asks for.

mod locks;
mod over_time;
mod queries;

use std::collections::BTreeMap;

use plimsoll_core::logs::{
    LOG_FORMAT_VERSION, LogConnections, LogEvent, LogFigures, LogFolded, LogGroup, LogHour, LogProblem,
    LogRead, LogReport, LogSource, LogTemporaryFiles, LogTrend, LogVacuums,
};

use crate::summary::{Figures, Maintenance, Stream, Summary, Trend, UNLISTED};
use crate::time::rfc3339;

const HOUR_S: i64 = 3600;

/// Makes the report of a summary.
#[must_use]
pub fn report(summary: &Summary, sources: Vec<LogSource>) -> LogReport {
    let all = all(summary);
    let total_us = all.total_us;
    let group = |name: fn(&Stream) -> &str| groups(summary, total_us, name);
    let (first, last) = summary.span_us.map_or((None, None), |(first, last)| (Some(first), Some(last)));
    LogReport {
        format_version: LOG_FORMAT_VERSION,
        read: read(summary),
        first: first.map(rfc3339),
        last: last.map(rfc3339),
        lasted_s: first.zip(last).map_or(0.0, |(first, last)| (last - first) as f64 / 1e6),
        statements: figures_of(&all),
        queries: queries::queries(summary, total_us),
        unlisted: figures_of(&unlisted(summary)),
        folded: folded(summary),
        activity: trend(&summary.activity),
        concurrency: over_time::concurrency(summary),
        applications: group(|stream| &stream.who.application),
        users: group(|stream| &stream.who.user),
        databases: group(|stream| &stream.who.database),
        hosts: group(|stream| &stream.who.host),
        routes: group(|stream| &stream.route),
        hours: hours(summary),
        connections: connections(summary),
        bursts: queries::bursts(summary),
        requests: queries::requests(summary),
        problems: problems(summary),
        failed: queries::failed(summary),
        lock_waits: locks::lock_waits(summary),
        lock_edges: locks::lock_edges(summary),
        deadlocks: locks::deadlocks(summary),
        temporary_files: temporary_files(summary),
        vacuums: vacuums(summary),
        checkpoints: summary
            .checkpoints
            .iter()
            .map(|(name, one)| LogGroup { name: name.clone(), share: 0.0, figures: figures_of(one) })
            .collect(),
        checkpointed: trend(&summary.checkpointed),
        events: summary
            .events
            .iter()
            .map(|(name, one)| LogEvent { name: name.clone(), count: one.count, trend: trend(&one.trend) })
            .collect(),
        missing: missing(summary, &sources),
        sources,
    }
}

pub(crate) fn ms(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

pub(crate) fn figures_of(figures: &Figures) -> LogFigures {
    LogFigures {
        calls: figures.calls,
        timed: figures.timed,
        total_ms: ms(figures.total_us),
        mean_ms: if figures.timed > 0 { ms(figures.total_us) / figures.timed as f64 } else { 0.0 },
        p50_ms: ms(figures.quantile_us(0.5)),
        p95_ms: ms(figures.quantile_us(0.95)),
        p99_ms: ms(figures.quantile_us(0.99)),
        max_ms: ms(figures.max_us),
    }
}

fn trend(trend: &Trend) -> LogTrend {
    LogTrend {
        step_s: trend.width_s(),
        steps: trend.steps().iter().map(|step| (step.number, step.calls, ms(step.total_us))).collect(),
    }
}

fn folded(summary: &Summary) -> Option<LogFolded> {
    let folded = &summary.folded;
    (folded.queries + folded.others > 0).then(|| LogFolded {
        queries: folded.queries,
        calls: folded.calls,
        total_ms: ms(folded.time_us),
        others: folded.others,
    })
}

fn share(part_us: u64, total_us: u64) -> f64 {
    if total_us > 0 { part_us as f64 / total_us as f64 } else { 0.0 }
}

fn all(summary: &Summary) -> Figures {
    let mut all = summary.unlisted.clone();
    summary.streams.values().for_each(|figures| all.merge(figures));
    all
}

fn unlisted(summary: &Summary) -> Figures {
    let mut unlisted = summary.unlisted.clone();
    let streams = summary.streams.iter().filter(|(stream, _)| stream.query == UNLISTED);
    streams.for_each(|(_, figures)| unlisted.merge(figures));
    unlisted
}

fn read(summary: &Summary) -> LogRead {
    let counts = &summary.counts;
    LogRead {
        bytes: counts.bytes,
        records: counts.records,
        unparsed: counts.unparsed,
        foreign: counts.foreign,
        suspicious: counts.suspicious,
        replaced: counts.replaced,
        unknown_zones: counts.unknown_zones,
    }
}

fn groups(summary: &Summary, total_us: u64, name: fn(&Stream) -> &str) -> Vec<LogGroup> {
    let mut by_name: BTreeMap<&str, Figures> = BTreeMap::new();
    for (stream, figures) in &summary.streams {
        by_name.entry(name(stream)).or_default().merge(figures);
    }
    // Nothing is told by a single group without a name.
    if by_name.keys().all(|name| name.is_empty()) {
        return Vec::new();
    }
    let mut groups: Vec<(&str, Figures)> = by_name.into_iter().collect();
    groups.sort_by_key(|(name, figures)| (std::cmp::Reverse((figures.total_us, figures.calls)), *name));
    let told = |(name, sum): (&str, Figures)| LogGroup {
        name: name.to_owned(),
        share: share(sum.total_us, total_us),
        figures: figures_of(&sum),
    };
    groups.into_iter().map(told).collect()
}

fn hours(summary: &Summary) -> Vec<LogHour> {
    let activity = &summary.activity;
    if activity.width_s() > HOUR_S {
        return Vec::new();
    }
    let mut hours: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    for step in activity.steps() {
        let (calls, total_us) =
            hours.entry((step.number * activity.width_s()).div_euclid(HOUR_S)).or_default();
        *calls += step.calls;
        *total_us += step.total_us;
    }
    let told = |(hour, (calls, total_us))| LogHour {
        hour: rfc3339(hour * HOUR_S * 1_000_000),
        calls,
        total_ms: ms(total_us),
    };
    hours.into_iter().map(told).collect()
}

fn connections(summary: &Summary) -> Vec<LogConnections> {
    let mut connections: Vec<LogConnections> = summary
        .sessions
        .iter()
        .map(|(who, sessions)| LogConnections {
            application: who.application.clone(),
            user: who.user.clone(),
            database: who.database.clone(),
            host: who.host.clone(),
            connections: sessions.connections,
            refused: sessions.refused,
            sessions: figures_of(&sessions.ended),
        })
        .collect();
    connections.sort_by_key(|one| std::cmp::Reverse((one.connections, one.sessions.calls, one.refused)));
    connections
}

fn text(summary: &Summary, fingerprint: u64) -> Option<String> {
    summary.queries.get(&fingerprint).map(|query| query.text.clone())
}

fn problems(summary: &Summary) -> Vec<LogProblem> {
    let mut problems: Vec<LogProblem> = summary
        .problems
        .iter()
        .map(|(problem, occurrences)| LogProblem {
            severity: problem.severity.word().to_owned(),
            sqlstate: problem.sqlstate.clone(),
            message: problem.message.clone(),
            count: occurrences.count,
            trend: trend(&occurrences.trend),
        })
        .collect();
    problems.sort_by_key(|one| std::cmp::Reverse(one.count));
    problems
}

fn temporary_files(summary: &Summary) -> Vec<LogTemporaryFiles> {
    let mut files: Vec<LogTemporaryFiles> = summary
        .temporary_files
        .iter()
        .map(|(query, files)| LogTemporaryFiles {
            query: text(summary, *query),
            files: files.files,
            bytes: files.bytes,
            largest: files.largest,
        })
        .collect();
    files.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    files
}

fn vacuums(summary: &Summary) -> Vec<LogVacuums> {
    let mut vacuums: Vec<LogVacuums> = summary
        .vacuums
        .iter()
        .map(|((kind, table), one)| LogVacuums {
            kind: match kind {
                Maintenance::Vacuum => "vacuum".to_owned(),
                Maintenance::Analyze => "analyze".to_owned(),
            },
            table: table.clone(),
            figures: figures_of(one),
        })
        .collect();
    vacuums.sort_by(|a, b| b.figures.total_ms.total_cmp(&a.figures.total_ms));
    vacuums
}

/// What can't be told, and what to set so that it can.
fn missing(summary: &Summary, sources: &[LogSource]) -> Vec<String> {
    let mut missing = Vec::new();
    let lacks = |letter: char| {
        let mut prefixes = sources.iter().flat_map(|source| &source.prefixes);
        prefixes.any(|prefix| !prefix.contains(&format!("%{letter}")))
    };
    for (letter, what) in [('a', "applications"), ('u', "roles"), ('d', "databases")] {
        if lacks(letter) {
            missing.push(format!("statements by {what}: log_line_prefix lacks %{letter}"));
        }
    }
    // An envelope tells when and by whom its lines were written.
    let is_wrapped = sources.iter().all(|source| source.format != "stderr");
    if !is_wrapped && lacks('m') && lacks('n') {
        missing.push("bursts, to the millisecond: log_line_prefix has neither %m nor %n".to_owned());
    }
    if !is_wrapped && lacks('p') && lacks('c') {
        missing.push("sessions and what they do in order: log_line_prefix has neither %p nor %c".to_owned());
    }
    let has = |event: &str| summary.events.contains_key(event);
    let absent = [
        (summary.streams.is_empty(), "queries: no statement is logged; set log_min_duration_statement"),
        (!has("connection authorized"), "connections: none is logged; set log_connections = on"),
        (!has("disconnection"), "sessions' lengths: no end is logged; set log_disconnections = on"),
    ];
    missing.extend(absent.iter().filter(|(is_absent, _)| *is_absent).map(|(_, why)| (*why).to_owned()));
    missing
}
