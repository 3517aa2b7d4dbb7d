//! Queries, their bursts, their failures, and the requests that they belong to.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::logs::{
    LogBursts, LogFailed, LogPlan, LogQuery, LogRequests, LogRhythm, LogStream, LogTrend,
};

use super::{figures_of, ms, share, text, trend};
use crate::rhythm::rhythm;
use crate::summary::{Figures, Query, Stream, Summary, UNLISTED};

/// Places that a query is told to come from.
const MOST_STREAMS: usize = 20;

/// Of one query.
type Streams<'a> = Vec<(&'a Stream, &'a Figures)>;

pub(super) fn queries(summary: &Summary, total_us: u64) -> Vec<LogQuery> {
    let mut by_query: BTreeMap<u64, (Figures, Streams<'_>)> = BTreeMap::new();
    for (stream, figures) in summary.streams.iter().filter(|(stream, _)| stream.query != UNLISTED) {
        let (sum, streams) = by_query.entry(stream.query).or_default();
        sum.merge(figures);
        streams.push((stream, figures));
    }
    let mut queries: Vec<(u64, LogQuery)> = by_query
        .into_iter()
        .map(|(fingerprint, (sum, streams))| {
            let query = summary.queries.get(&fingerprint);
            let query = LogQuery {
                fingerprint: format!("{fingerprint:016x}"),
                query: query.map_or_else(String::new, |query| query.text.clone()),
                share: share(sum.total_us, total_us),
                figures: figures_of(&sum),
                applications: applications(&streams),
                streams: longest(streams),
                trend: query.map_or_else(LogTrend::default, |query| trend(&query.trend)),
                rhythm: query.and_then(of_query),
                plan: query
                    .and_then(|query| query.plan.as_ref())
                    .map(|plan| LogPlan { duration_ms: ms(plan.duration_us), text: plan.text.clone() }),
            };
            (sum.total_us, query)
        })
        .collect();
    queries.sort_by(|(a_us, a), (b_us, b)| {
        b_us.cmp(a_us).then(b.figures.calls.cmp(&a.figures.calls)).then_with(|| a.query.cmp(&b.query))
    });
    queries.into_iter().map(|(_, query)| query).collect()
}

/// Names of applications, in order.
fn applications(streams: &Streams<'_>) -> Vec<String> {
    let names: BTreeSet<&String> = streams.iter().map(|(stream, _)| &stream.who.application).collect();
    names.into_iter().filter(|name| !name.is_empty()).cloned().collect()
}

/// Where a query comes from, the places with most time first.
fn longest(mut streams: Streams<'_>) -> Vec<LogStream> {
    streams.sort_by_key(|(_, figures)| std::cmp::Reverse((figures.total_us, figures.calls)));
    let told = |(stream, figures): (&Stream, &Figures)| LogStream {
        application: stream.who.application.clone(),
        user: stream.who.user.clone(),
        database: stream.who.database.clone(),
        host: stream.who.host.clone(),
        route: stream.route.clone(),
        calls: figures.calls,
        total_ms: ms(figures.total_us),
    };
    streams.into_iter().take(MOST_STREAMS).map(told).collect()
}

/// The period at which a query comes back.
fn of_query(query: &Query) -> Option<LogRhythm> {
    let seconds: Vec<i64> = query.trend.seconds().collect();
    rhythm(&seconds).map(|found| LogRhythm {
        period_s: found.period_s,
        phase_s: found.phase_s,
        jitter_s: found.jitter_s,
        cycles: found.cycles,
        hits: found.hits,
        confidence: found.confidence,
    })
}

pub(super) fn bursts(summary: &Summary) -> Vec<LogBursts> {
    let mut bursts: Vec<LogBursts> = summary
        .bursts
        .iter()
        .map(|(burst, figures)| LogBursts {
            kind: burst.kind.word().to_owned(),
            fingerprint: format!("{:016x}", burst.query),
            query: text(summary, burst.query).unwrap_or_default(),
            before: text(summary, burst.before),
            application: burst.application.clone(),
            route: burst.route.clone(),
            bursts: figures.bursts,
            statements: figures.statements,
            most: figures.most,
            in_database_ms: ms(figures.in_database_us),
            between_ms: ms(figures.between_us),
            trend: trend(&figures.trend),
        })
        .collect();
    bursts.sort_by_key(|one| std::cmp::Reverse(one.statements));
    bursts
}

pub(super) fn requests(summary: &Summary) -> Vec<LogRequests> {
    let told = |(route, one): (&String, &crate::summary::Requests)| LogRequests {
        route: route.clone(),
        requests: one.requests,
        traced: one.traced,
        mean: one.statements as f64 / one.requests.max(1) as f64,
        p95: one.sizes.quantile(0.95).min(one.most),
        most: one.most,
    };
    let mut requests: Vec<LogRequests> = summary.requests.iter().map(told).collect();
    requests.sort_by_key(|one| std::cmp::Reverse((one.most, one.requests)));
    requests
}

pub(super) fn failed(summary: &Summary) -> Vec<LogFailed> {
    let told = |((query, sqlstate), count): (&(u64, String), &u64)| LogFailed {
        fingerprint: format!("{query:016x}"),
        query: text(summary, *query).unwrap_or_default(),
        sqlstate: sqlstate.clone(),
        count: *count,
    };
    let mut failed: Vec<LogFailed> = summary.failed.iter().map(told).collect();
    failed.sort_by_key(|one| std::cmp::Reverse(one.count));
    failed
}
