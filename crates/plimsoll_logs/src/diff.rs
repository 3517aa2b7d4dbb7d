//! What has changed between two logs: queries and problems that are new, gone, more frequent, rarer, slower or faster.
//!
//! Traffic isn't random: what runs in one second says much of the next one. So both logs are cut into blocks of the same
//! length, and the blocks' rates (and mean durations) are compared by their ranks (Mann and Whitney, 1947, with the correction
//! for ties). Of all comparisons so many count that at most a given share of them is chance (Benjamini and Hochberg, 1995).

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::logs::{LogChange, LogChangeKind, LogDiff, LogSide};

use crate::report::{figures_of, ms};
use crate::summary::{Figures, Summary, Trend, UNLISTED};
use crate::time::rfc3339;

/// The shorter log is cut into so many blocks, where its steps allow.
const BLOCKS: i64 = 32;
/// Fewer blocks that hold something can't be compared.
const FEWEST_BLOCKS: usize = 6;
/// What is less than this many times more, or less, isn't told.
const LEAST_RATIO: f64 = 1.25;
/// A mean duration that differs by less is the machine's mood, not the query's.
const LEAST_MORE_US: f64 = 100.0;
/// A silence of the whole log that is longer wasn't logged, rather than quiet.
const SILENCE_S: i64 = 1800;

/// Compares two logs. `most_chance` is the share of what is told that may be chance.
#[must_use]
pub fn diff(before: &Summary, after: &Summary, most_chance: f64) -> LogDiff {
    let sides = [Side::of(before), Side::of(after)];
    let width_s = width_s(before, after, &sides);
    let mut found = Vec::new();
    let totals = [before, after].map(by_query);
    let fingerprints: BTreeSet<u64> = totals.iter().flat_map(|total| total.keys().copied()).collect();
    let empty = (Trend::default(), Figures::default());
    for fingerprint in fingerprints {
        let trends = [before, after].map(|one| one.queries.get(&fingerprint).map(|query| &query.trend));
        let trends = trends.map(|trend| trend.unwrap_or(&empty.0));
        let figures = totals.each_ref().map(|total| total.get(&fingerprint).unwrap_or(&empty.1));
        let compared = Compared { sides: &sides, width_s, trends, figures };
        let told = [after, before].iter().find_map(|one| one.queries.get(&fingerprint));
        let what = told.map_or_else(String::new, |query| query.text.clone());
        let plans = [before, after]
            .map(|one| one.queries.get(&fingerprint)?.plan.as_ref().map(|plan| shape(&plan.text)));
        let plan_changed = matches!(&plans, [Some(before), Some(after)] if before != after);
        found.extend(compared.changes().into_iter().map(|change| LogChange {
            fingerprint: Some(format!("{fingerprint:016x}")),
            what: what.clone(),
            plan_changed,
            ..change
        }));
    }
    found.extend(problems(before, after, &sides, width_s));
    let compared = found.len() as u64;
    let mut changes = those_that_count(found, most_chance);
    changes.sort_by(|one, other| {
        one.kind
            .cmp(&other.kind)
            .then(other.weight().total_cmp(&one.weight()))
            .then(one.what.cmp(&other.what))
    });
    LogDiff { sides: sides.map(|side| side.told).into(), block_s: width_s, compared, most_chance, changes }
}

/// One of the logs.
struct Side {
    told: LogSide,
    /// First and last second.
    span_s: (i64, i64),
    /// Silences within it, in which nothing was logged: first and last second.
    silences: Vec<(i64, i64)>,
}

impl Side {
    fn of(summary: &Summary) -> Self {
        let (first, last) = summary.span_us.unwrap_or((0, 0));
        let span_s = (first.div_euclid(1_000_000), last.div_euclid(1_000_000));
        let activity = &summary.activity;
        let ends = activity.steps().iter().map(|step| {
            let begin = step.number * activity.width_s();
            (begin, begin + activity.width_s())
        });
        let ends: Vec<(i64, i64)> = ends.collect();
        let silences: Vec<(i64, i64)> = ends
            .windows(2)
            .map(|pair| (pair[0].1, pair[1].0))
            .filter(|(from, to)| to - from > SILENCE_S)
            .collect();
        let silent_s: i64 = silences.iter().map(|(from, to)| to - from).sum();
        let mut all = summary.unlisted.clone();
        summary.streams.values().for_each(|figures| all.merge(figures));
        let told = LogSide {
            first: summary.span_us.map(|(first, _)| rfc3339(first)),
            last: summary.span_us.map(|(_, last)| rfc3339(last)),
            observed_s: ((span_s.1 - span_s.0 - silent_s) as f64).max(1.0),
            statements: figures_of(&all),
            may_lack_calls: summary.folded.calls,
        };
        Self { told, span_s, silences }
    }

    /// Blocks of this width that were logged whole, each with nothing counted yet.
    fn blocks(&self, width_s: i64) -> BTreeMap<i64, (u64, u64)> {
        let (first, last) = (self.span_s.0.div_euclid(width_s), self.span_s.1.div_euclid(width_s));
        let is_whole = |block: &i64| {
            let (from, to) = (block * width_s, (block + 1) * width_s);
            from >= self.span_s.0
                && to <= self.span_s.1 + 1
                && !self.silences.iter().any(|silence| silence.0 < to && from < silence.1)
        };
        let whole: BTreeMap<_, _> = (first..=last).filter(is_whole).map(|block| (block, (0, 0))).collect();
        if whole.is_empty() { [(first, (0, 0))].into() } else { whole }
    }
}

/// The width of blocks: that of the widest step, and wide enough for so many blocks.
fn width_s(before: &Summary, after: &Summary, sides: &[Side; 2]) -> i64 {
    let trends = [before, after].into_iter().flat_map(|summary| {
        let queries = summary.queries.values().map(|query| &query.trend);
        queries.chain(summary.problems.values().map(|problem| &problem.trend))
    });
    let widest = trends.map(Trend::width_s).max().unwrap_or(1);
    let shorter = sides.iter().map(|side| side.span_s.1 - side.span_s.0).min().unwrap_or(0);
    // Steps are powers of two, so wider blocks hold whole ones.
    (widest.max(1) as u64).max((shorter / BLOCKS).max(1) as u64).next_power_of_two() as i64
}

fn by_query(summary: &Summary) -> BTreeMap<u64, Figures> {
    let mut by_query: BTreeMap<u64, Figures> = BTreeMap::new();
    for (stream, figures) in summary.streams.iter().filter(|(stream, _)| stream.query != UNLISTED) {
        by_query.entry(stream.query).or_default().merge(figures);
    }
    by_query
}

/// A query or a problem in both logs.
struct Compared<'a> {
    sides: &'a [Side; 2],
    width_s: i64,
    trends: [&'a Trend; 2],
    figures: [&'a Figures; 2],
}

impl Compared<'_> {
    /// What may have changed, with its chance.
    fn changes(&self) -> Vec<LogChange> {
        let calls = self.figures.map(|figures| figures.calls);
        let mut changes: Vec<LogChange> = self.rate(calls).into_iter().collect();
        if calls.iter().all(|calls| *calls > 0) {
            changes.extend(self.duration());
        }
        changes
    }

    fn rate(&self, calls: [u64; 2]) -> Option<LogChange> {
        let per_second = [0, 1].map(|side| calls[side] as f64 / self.sides[side].told.observed_s);
        let ratio = per_second[1] / per_second[0];
        let kind = match calls {
            [0, _] => LogChangeKind::New,
            [_, 0] => LogChangeKind::Gone,
            _ if ratio >= LEAST_RATIO => LogChangeKind::MoreFrequent,
            _ if ratio <= 1.0 / LEAST_RATIO => LogChangeKind::Rarer,
            _ => return None,
        };
        let blocks = [0, 1]
            .map(|side| self.blocks(side).into_values().map(|(calls, _)| calls as f64).collect::<Vec<_>>());
        Some(self.change(kind, ratio, chance(&blocks[0], &blocks[1])))
    }

    fn duration(&self) -> Option<LogChange> {
        let mean = self.figures.map(|figures| figures.total_us as f64 / figures.timed.max(1) as f64);
        let ratio = mean[1] / mean[0];
        let kind = match ratio {
            _ if (mean[1] - mean[0]).abs() < LEAST_MORE_US => return None,
            _ if ratio >= LEAST_RATIO => LogChangeKind::Slower,
            _ if ratio <= 1.0 / LEAST_RATIO => LogChangeKind::Faster,
            _ => return None,
        };
        let means = [0, 1].map(|side| {
            let means = self.blocks(side).into_values().filter(|(calls, _)| *calls > 0);
            means.map(|(calls, total_us)| total_us as f64 / calls as f64).collect::<Vec<_>>()
        });
        (means.iter().all(|means| means.len() >= FEWEST_BLOCKS))
            .then(|| self.change(kind, ratio, chance(&means[0], &means[1])))
    }

    /// Calls and time of the logged blocks.
    fn blocks(&self, side: usize) -> BTreeMap<i64, (u64, u64)> {
        let mut blocks = self.sides[side].blocks(self.width_s);
        let trend = self.trends[side];
        for step in trend.steps() {
            if let Some((calls, total_us)) =
                blocks.get_mut(&(step.number * trend.width_s()).div_euclid(self.width_s))
            {
                *calls += step.calls;
                *total_us += step.total_us;
            }
        }
        blocks
    }

    fn change(&self, kind: LogChangeKind, ratio: f64, chance: f64) -> LogChange {
        let per_hour =
            [0, 1].map(|side| self.figures[side].calls as f64 / self.sides[side].told.observed_s * 3600.0);
        LogChange {
            kind,
            fingerprint: None,
            what: String::new(),
            ratio: ratio.is_finite().then_some(ratio),
            chance,
            per_hour,
            before: figures_of(self.figures[0]),
            after: figures_of(self.figures[1]),
            more_time_ms_an_hour: [0, 1]
                .map(|side| ms(self.figures[side].total_us) / self.sides[side].told.observed_s * 3600.0)
                .iter()
                .rev()
                .copied()
                .reduce(|after, before| after - before)
                .unwrap_or(0.0),
            plan_changed: false,
        }
    }
}

fn problems(before: &Summary, after: &Summary, sides: &[Side; 2], width_s: i64) -> Vec<LogChange> {
    let known: BTreeSet<_> = before.problems.keys().chain(after.problems.keys()).collect();
    let empty = Trend::default();
    let mut found = Vec::new();
    for problem in known {
        let both = [before, after].map(|one| one.problems.get(problem));
        let trends = both.map(|one| one.map_or(&empty, |one| &one.trend));
        let figures = both.map(|one| Figures { calls: one.map_or(0, |one| one.count), ..Figures::default() });
        let compared = Compared { sides, width_s, trends, figures: figures.each_ref() };
        let calls = figures.each_ref().map(|figures| figures.calls);
        let what = format!("{}: {}", problem.severity.word(), problem.message);
        found.extend(compared.rate(calls).map(|change| LogChange { what, ..change }));
    }
    found
}

/// The nodes of a plan, without figures.
fn shape(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.split(" expected rows=").next().unwrap_or(line)).collect()
}

/// Those of which at most this share is chance (Benjamini and Hochberg's step-up).
fn those_that_count(mut found: Vec<LogChange>, most_chance: f64) -> Vec<LogChange> {
    found.sort_by(|one, other| one.chance.total_cmp(&other.chance));
    let total = found.len() as f64;
    let passes =
        |(place, change): (usize, &LogChange)| change.chance <= most_chance * (place + 1) as f64 / total;
    let last = found.iter().enumerate().rposition(passes);
    found.truncate(last.map_or(0, |last| last + 1));
    found
}

/// The probability that two samples of one kind differ so much by their ranks, to either side: the normal approximation, with
/// a correction for ties and for continuity. 1 if there is too little to compare.
fn chance(one: &[f64], other: &[f64]) -> f64 {
    if one.len().min(other.len()) < FEWEST_BLOCKS {
        return 1.0;
    }
    let mut all: Vec<(f64, bool)> =
        one.iter().map(|value| (*value, true)).chain(other.iter().map(|value| (*value, false))).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (m, n, total) = (one.len() as f64, other.len() as f64, all.len() as f64);
    let (mut ranks, mut ties, mut seen) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|one, other| one.0 == other.0) {
        let count = equal.len() as f64;
        let rank = seen + (count + 1.0) / 2.0;
        ranks += rank * equal.iter().filter(|value| value.1).count() as f64;
        ties += count.powi(3) - count;
        seen += count;
    }
    let above = ranks - m * (m + 1.0) / 2.0;
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ((above - m * n / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    libm::erfc(distance / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::{Query, Stream};

    /// A query that runs so often a second, each time so long, with some noise.
    fn run(summary: &mut Summary, query: u64, from_s: i64, a_second: u64, duration_us: u64) {
        summary.reach(from_s * 1_000_000);
        summary.reach((from_s + 599) * 1_000_000);
        let mut noise = query.wrapping_mul(7919);
        for second in from_s..from_s + 600 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let calls = if a_second == 0 { 0 } else { a_second + (noise >> 60) % 3 };
            for _ in 0..calls {
                let duration_us = duration_us + (noise >> 33) % (duration_us / 4 + 1);
                let known = summary
                    .queries
                    .entry(query)
                    .or_insert_with(|| Query { text: format!("select {query}"), ..Query::default() });
                known.trend.add(second * 1_000_000, 1, duration_us);
                summary.activity.add(second * 1_000_000, 1, duration_us);
                let stream = Stream { query, ..Stream::default() };
                summary.streams.entry(stream).or_default().add(Some(duration_us));
            }
        }
    }

    fn kinds(before: &Summary, after: &Summary) -> Vec<(LogChangeKind, String)> {
        diff(before, after, 0.01).changes.into_iter().map(|change| (change.kind, change.what)).collect()
    }

    #[test]
    fn each_kind_of_change_is_told_and_what_stayed_is_not() {
        let (mut before, mut after) = (Summary::default(), Summary::default());
        for (query, [rates, durations]) in [
            (1, [[2, 2], [1000, 1000]]),
            (2, [[2, 2], [1000, 3000]]),
            (3, [[2, 2], [3000, 1000]]),
            (4, [[2, 9], [500, 500]]),
            (5, [[0, 2], [500, 500]]),
            (6, [[2, 0], [500, 500]]),
        ] {
            run(&mut before, query, 10_000, rates[0], durations[0]);
            run(&mut after, query, 90_000, rates[1], durations[1]);
        }
        let told = kinds(&before, &after);
        let expected = [
            (LogChangeKind::New, "select 5"),
            (LogChangeKind::Slower, "select 2"),
            (LogChangeKind::MoreFrequent, "select 4"),
            (LogChangeKind::Gone, "select 6"),
            (LogChangeKind::Faster, "select 3"),
        ];
        assert_eq!(told, expected.map(|(kind, what)| (kind, what.to_owned())));
    }

    #[test]
    fn the_same_traffic_on_another_day_is_no_change() {
        let (mut before, mut after) = (Summary::default(), Summary::default());
        for query in 1..200 {
            run(&mut before, query, 10_000, query % 4 + 1, 1000);
            run(&mut after, query, 90_000 + query as i64 % 3, query % 4 + 1, 1000);
        }
        assert_eq!(kinds(&before, &after), []);
    }

    #[test]
    fn too_little_tells_nothing() {
        let (mut before, mut after) = (Summary::default(), Summary::default());
        run(&mut before, 1, 10_000, 2, 1000);
        after.reach(90_000_000_000);
        let diff = diff(&before, &after, 0.01);
        assert_eq!(diff.changes, []);
        assert_eq!(diff.compared, 1);
        assert_eq!(super::diff(&Summary::default(), &Summary::default(), 0.01).changes, []);
    }

    #[test]
    fn ranks_give_the_chances_of_tables() {
        // U is 8 of 64, of which four ties of two take 24 / 240 from the variance: z = 23.5 / sqrt(64 / 12 * 16.9).
        let one: Vec<f64> = (1..=8).map(f64::from).collect();
        let other: Vec<f64> = (5..=12).map(f64::from).collect();
        assert!((chance(&one, &other) - 0.013_313).abs() < 1e-6, "{}", chance(&one, &other));
        assert_eq!(chance(&[1.0; 8], &[1.0; 8]), 1.0);
    }
}
