//! What the statements of a workload felt while a change ran among them: samples, and what is made of them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::blocked::Queued;

/// A timeline has at most so many buckets.
const MOST_BUCKETS: usize = 120;
/// Lengths of a bucket, in milliseconds.
const BUCKETS_MS: [f64; 9] = [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];
/// Who was finished by nobody fails with this word in the place of an SQLSTATE.
pub const UNFINISHED: &str = "unfinished";
/// A statement gets its rate if it gets nine tenths of it.
const ACHIEVED: f64 = 0.9;
/// Fewer requests than this don't tell whether a rate was achieved.
const TELLING_REQUESTS: f64 = 20.0;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Index of its statement.
    pub statement: usize,
    /// When it was to be sent, in milliseconds since the load began.
    pub arrived_ms: f64,
    /// From that moment to its end, in milliseconds: what waits for a free connection counts.
    pub latency_ms: f64,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// The failure of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// SQLSTATE, or [`UNFINISHED`].
    pub sqlstate: String,
    /// The server's message.
    pub message: String,
}

/// A change among the requests of a workload. Serializes to the JSON contract, `load[]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadRun {
    /// How long another transaction, which had locks on what the change locks, lasted after the change began; null
    /// where there was none.
    pub long_transaction_ms: Option<f64>,
    /// The `lock_timeout` that the change was given; null where it was run as it is.
    pub lock_timeout_ms: Option<f64>,
    /// Connections that the requests shared.
    pub connections: usize,
    /// The change.
    pub change: ChangeUnderLoad,
    /// The statements, in the workload's order.
    pub statements: Vec<LoadedStatement>,
    /// The longest stall of any statement, in milliseconds.
    pub longest_stall_ms: f64,
    /// Requests that were due and not finished at one moment, at most; what is above the connections waited for one.
    pub most_outstanding: usize,
    /// What happened when.
    pub timeline: Timeline,
}

/// How the change fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeUnderLoad {
    /// When it began, in milliseconds since the load began.
    pub started_ms: f64,
    /// When it ended.
    pub ended_ms: f64,
    /// Why it ended early, as a tool would have ended it; null if it succeeded.
    pub error: Option<ChangeFailure>,
}

/// A statement of the change that failed among the requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeFailure {
    /// Its file.
    pub file: String,
    /// Its first line.
    pub line: usize,
    /// SQLSTATE.
    pub sqlstate: String,
    /// The server's message.
    pub message: String,
}

/// What one statement felt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadedStatement {
    /// Its name.
    pub name: String,
    /// Requests a second that were wanted.
    pub wanted_per_s: f64,
    /// Requests a second that were finished before the change began.
    pub achieved_per_s: f64,
    /// Whether the machine did what was wanted before the change began.
    pub achieved: bool,
    /// Those that arrived before the change.
    pub before: Phase,
    /// Those that arrived while it ran.
    pub during: Phase,
    /// Those that arrived after it.
    pub after: Phase,
    /// How many of those that arrived while it ran took longer than any but the slowest hundredth did before: over twice
    /// that, and at least 10 ms more.
    pub waited: u64,
    /// What was predicted; null where no wait was.
    pub predicted: Option<Queued>,
    /// The longest time in which some request was waiting and none was finished, in milliseconds.
    pub longest_stall_ms: f64,
    /// The first message of each SQLSTATE that its requests failed with.
    pub messages: BTreeMap<String, String>,
}

/// The requests of a statement that arrived before, during or after the change.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Phase {
    /// How many.
    pub requests: usize,
    /// The median latency, in milliseconds; null without requests, as the following.
    pub p50_ms: Option<f64>,
    /// The latency that one in a hundred exceeds.
    pub p99_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
    /// Failures by SQLSTATE.
    pub failures: BTreeMap<String, u64>,
}

/// What happened when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// The length of a bucket, in milliseconds.
    pub bucket_ms: f64,
    /// Buckets from the load's begin on.
    pub buckets: Vec<Bucket>,
}

/// A part of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bucket {
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that were finished.
    pub finished: u64,
    /// Requests that failed.
    pub failed: u64,
    /// The longest latency of those that arrived, for each statement in the workload's order, in milliseconds; null
    /// where none arrived.
    pub longest_ms: Vec<Option<f64>>,
}

/// A statement of the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Requests a second.
    pub rate_per_s: f64,
}

/// Latencies of each statement before, during and after the change.
#[must_use]
pub fn summarized(wanted: &[Wanted], samples: &[Sample], change: &ChangeUnderLoad) -> Vec<LoadedStatement> {
    let of = |index: usize| samples.iter().filter(move |sample| sample.statement == index);
    wanted
        .iter()
        .enumerate()
        .map(|(index, statement)| {
            let phase = |from: f64, to: f64| {
                Phase::of(of(index).filter(|sample| sample.arrived_ms >= from && sample.arrived_ms < to))
            };
            let before = phase(0.0, change.started_ms);
            let threshold = before.p99_ms.map(|p99| (2.0 * p99).max(p99 + 10.0));
            let waited = of(index)
                .filter(|one| one.arrived_ms >= change.started_ms && one.arrived_ms < change.ended_ms)
                .filter(|one| threshold.is_some_and(|threshold| one.latency_ms > threshold))
                .count();
            let finished =
                of(index).filter(|one| is_success(one) && one.ended_ms() < change.started_ms).count();
            let achieved_per_s =
                if change.started_ms > 0.0 { finished as f64 * 1000.0 / change.started_ms } else { 0.0 };
            let arrived = before.requests as f64;
            LoadedStatement {
                name: statement.name.clone(),
                wanted_per_s: statement.rate_per_s,
                achieved_per_s,
                achieved: arrived < TELLING_REQUESTS || finished as f64 >= ACHIEVED * arrived,
                before,
                during: phase(change.started_ms, change.ended_ms),
                after: phase(change.ended_ms, f64::INFINITY),
                waited: waited as u64,
                predicted: None,
                longest_stall_ms: longest_stall(of(index)),
                messages: messages(of(index)),
            }
        })
        .collect()
}

/// How many requests were due and not finished at one moment, at most.
#[must_use]
pub fn most_outstanding(samples: &[Sample]) -> usize {
    let mut arrivals: Vec<f64> = samples.iter().map(|sample| sample.arrived_ms).collect();
    let mut ends: Vec<f64> = samples.iter().map(Sample::ended_ms).collect();
    arrivals.sort_by(f64::total_cmp);
    ends.sort_by(f64::total_cmp);
    let outstanding = arrivals.iter().enumerate().map(|(arrived, moment)| {
        // With this one; less those that had ended by then.
        arrived + 1 - ends.partition_point(|end| end <= moment)
    });
    outstanding.max().unwrap_or(0)
}

/// What happened when, up to the end of the last request.
#[must_use]
pub fn timeline(statements: usize, samples: &[Sample]) -> Timeline {
    let end = samples.iter().map(Sample::ended_ms).fold(1.0, f64::max);
    let fits = |length: &f64| end / length <= MOST_BUCKETS as f64;
    let bucket_ms = BUCKETS_MS.into_iter().find(fits).unwrap_or(end / MOST_BUCKETS as f64);
    let empty = Bucket { longest_ms: vec![None; statements], ..Bucket::default() };
    let mut buckets = vec![empty; (end / bucket_ms).floor() as usize + 1];
    let last = buckets.len() - 1;
    let at = |moment: f64| ((moment.max(0.0) / bucket_ms) as usize).min(last);
    for sample in samples {
        let arrival = &mut buckets[at(sample.arrived_ms)];
        arrival.arrived += 1;
        if let Some(longest) = arrival.longest_ms.get_mut(sample.statement) {
            *longest = Some(longest.unwrap_or(0.0).max(sample.latency_ms));
        }
        let end = &mut buckets[at(sample.ended_ms())];
        if is_success(sample) {
            end.finished += 1;
        } else {
            end.failed += 1;
        }
    }
    Timeline { bucket_ms, buckets }
}

fn is_success(sample: &Sample) -> bool {
    sample.failure.is_none()
}

impl Sample {
    /// When it ended, in milliseconds since the load began.
    #[must_use]
    pub fn ended_ms(&self) -> f64 {
        self.arrived_ms + self.latency_ms
    }
}

impl Phase {
    fn of<'a>(samples: impl Iterator<Item = &'a Sample>) -> Self {
        let mut phase = Self::default();
        let mut latencies = Vec::new();
        for sample in samples {
            latencies.push(sample.latency_ms);
            if let Some(failure) = &sample.failure {
                *phase.failures.entry(failure.sqlstate.clone()).or_default() += 1;
            }
        }
        latencies.sort_by(f64::total_cmp);
        phase.requests = latencies.len();
        phase.p50_ms = percentile(&latencies, 0.5);
        phase.p99_ms = percentile(&latencies, 0.99);
        phase.max_ms = latencies.last().copied();
        phase
    }

    /// How many failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// The first message of each SQLSTATE.
fn messages<'a>(samples: impl Iterator<Item = &'a Sample>) -> BTreeMap<String, String> {
    let mut messages = BTreeMap::new();
    for failure in samples.filter_map(|sample| sample.failure.as_ref()) {
        messages.entry(failure.sqlstate.clone()).or_insert_with(|| failure.message.clone());
    }
    messages
}

/// The smallest value that at least this part doesn't exceed.
fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The longest time in which some request was waiting and none was finished.
fn longest_stall<'a>(samples: impl Iterator<Item = &'a Sample>) -> f64 {
    let mut by_end: Vec<&Sample> = samples.collect();
    by_end.sort_by(|a, b| a.ended_ms().total_cmp(&b.ended_ms()));
    // The earliest arrival of those that end here or later.
    let mut earliest = vec![f64::INFINITY; by_end.len()];
    let mut so_far = f64::INFINITY;
    for (at, sample) in by_end.iter().enumerate().rev() {
        so_far = so_far.min(sample.arrived_ms);
        earliest[at] = so_far;
    }
    let mut last_end = f64::NEG_INFINITY;
    let mut longest = 0.0_f64;
    for (sample, earliest) in by_end.iter().zip(earliest) {
        longest = longest.max(sample.ended_ms() - last_end.max(earliest));
        last_end = sample.ended_ms();
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(arrived_ms: f64, latency_ms: f64, failure: Option<&str>) -> Sample {
        let failure =
            failure.map(|sqlstate| Failure { sqlstate: sqlstate.to_owned(), message: "no".to_owned() });
        Sample { statement: 0, arrived_ms, latency_ms, failure }
    }

    fn change(started_ms: f64, ended_ms: f64) -> ChangeUnderLoad {
        ChangeUnderLoad { started_ms, ended_ms, error: None }
    }

    fn wanted(rate_per_s: f64) -> [Wanted; 1] {
        [Wanted { name: "a".into(), rate_per_s }]
    }

    #[test]
    fn requests_belong_to_the_phase_that_they_arrive_in() {
        let samples =
            [sample(10.0, 5.0, None), sample(110.0, 400.0, Some("40P01")), sample(600.0, 1.0, None)];
        let statements = summarized(&wanted(10.0), &samples, &change(100.0, 500.0));
        let statement = &statements[0];
        assert_eq!((statement.before.requests, statement.before.max_ms), (1, Some(5.0)));
        assert_eq!((statement.during.p99_ms, statement.during.failures["40P01"]), (Some(400.0), 1));
        assert_eq!((statement.after.requests, statement.waited), (1, 1));
        assert_eq!(statement.after.failures.len(), 0);
        assert_eq!(statement.messages["40P01"], "no");
    }

    #[test]
    fn a_rate_that_the_machine_cannot_do_is_told() {
        let slow: Vec<Sample> =
            (0..100).map(|n| sample(f64::from(n) * 10.0, f64::from(n) * 50.0, None)).collect();
        let statements = summarized(&wanted(100.0), &slow, &change(1000.0, 1001.0));
        assert!(!statements[0].achieved && statements[0].achieved_per_s < 20.0, "{statements:?}");
        let quick: Vec<Sample> = (0..100).map(|n| sample(f64::from(n) * 10.0, 1.0, None)).collect();
        assert!(summarized(&wanted(100.0), &quick, &change(1000.0, 1001.0))[0].achieved);
    }

    #[test]
    fn a_stall_is_a_time_without_an_end_while_somebody_waits() {
        let samples = [
            sample(0.0, 10.0, None),
            // Nobody waits from 10 to 500.
            sample(500.0, 300.0, None),
            sample(600.0, 300.0, None),
        ];
        assert_eq!(longest_stall(samples.iter()), 300.0);
        assert_eq!(longest_stall([].iter()), 0.0);
    }

    #[test]
    fn those_who_wait_together_are_counted() {
        let samples = [sample(0.0, 10.0, None), sample(5.0, 10.0, None), sample(15.0, 1.0, None)];
        assert_eq!(most_outstanding(&samples), 2);
        assert_eq!(most_outstanding(&[]), 0);
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), Some(50.0));
        assert_eq!(percentile(&values, 0.99), Some(99.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn a_timeline_has_few_buckets_and_loses_nobody() {
        let samples: Vec<Sample> = (0..1000).map(|n| sample(f64::from(n) * 30.0, 5.0, None)).collect();
        let timeline = timeline(1, &samples);
        assert!(timeline.buckets.len() <= MOST_BUCKETS + 1);
        assert_eq!(timeline.buckets.iter().map(|bucket| bucket.arrived).sum::<u64>(), 1000);
        assert_eq!(timeline.buckets.iter().map(|bucket| bucket.finished).sum::<u64>(), 1000);
        assert_eq!(timeline.buckets[0].longest_ms, [Some(5.0)]);
    }
}
