//! Two servers side by side: two versions, or the project before and after its new migrations; with times in pairs.

use std::path::Path;
use std::time::Duration;

use plimsoll_core::units::duration_ms;
use plimsoll_core::{QueryReport, QueryVerdict, Report, Thresholds};
use plimsoll_pg::queries::{MeasuringSession, PreparedQuery, Thoroughness, time_pairs};
use plimsoll_regress::compare::Context;
use plimsoll_regress::pairs::{MORE_PAIRS, PAIRS, Pair, PairTest};
use plimsoll_regress::{Comparison, Outcome, compare};

use super::record::side_effects;
use super::test::concluded;
use super::{Asked, skipped};
use crate::corpus::CorpusQuery;
use crate::exit::Failure;
use crate::kept_run;
use crate::measuring::{Bed, MeasuredQuery, Moment, Task, Way, measure_corpus, timeout};
use crate::progress::Progress;
use crate::query_report::{self, fingerprint, measurement, outcome};
use crate::settings::Settings;

/// What is compared.
pub(super) enum Sides {
    /// Two server versions, each with its settings.
    Versions(Box<Settings>, Box<Settings>),
    /// The project before and after its new migrations.
    Change,
}

impl Sides {
    /// Two major versions.
    pub(super) fn versions(config: Option<&Path>, from: u32, to: u32) -> Result<Self, Failure> {
        if from == to {
            return Err(Failure::input(format!("compare PostgreSQL {from} with {to}: name two versions")));
        }
        let of = |major| Settings::load(config, Some(major)).map(Box::new);
        Ok(Self::Versions(of(from)?, of(to)?))
    }
}

/// Measures the corpus on both sides, and compares.
pub(super) async fn test(asked: &Asked, sides: Sides, with_times: bool) -> Result<Report, Failure> {
    let progress = Progress::new();
    let (base, ground) = (asked.base.as_deref(), asked.ground.as_ref());
    let ((old_settings, old_moment), new_settings) = match &sides {
        Sides::Versions(old, new) => ((&**old, Moment::AfterAll), &**new),
        Sides::Change => ((&asked.settings, Moment::BeforeNew), &asked.settings),
    };
    let old = Bed::make(old_settings, base, ground, old_moment, &progress).await?;
    let new = Bed::make(new_settings, base, ground, Moment::AfterAll, &progress).await?;
    let thoroughness = if ground.is_some() { Thoroughness::FindOut } else { Thoroughness::FindOutOfSeed };
    let find_out = |_| thoroughness;
    let find_out = Way::Measured(&find_out);
    let before = measure_corpus(&old, &asked.corpus, old_settings, 1, find_out, &progress).await?;
    let known = |task| known(&before, task);
    let after =
        measure_corpus(&new, &asked.corpus, new_settings, 1, Way::Measured(&known), &progress).await?;
    let mut reports = judged(&asked.corpus, &before, &after, compare);
    let mut notes: Vec<String> = old.notes.iter().chain(&new.notes).cloned().collect();
    notes.dedup();
    notes.extend(skipped(&asked.corpus));
    notes.extend(side_effects(&asked.corpus, &after));
    let (one, other) = (old.server.server_version(), new.server.server_version());
    notes.push(match sides {
        Sides::Versions(..) => format!("Compared PostgreSQL {} with {}.", one.text, other.text),
        Sides::Change => {
            format!("Compared the state before the new migrations with that after them, on {}.", other.text)
        }
    });
    if with_times {
        timed(asked, (&old, &new), &mut reports, &mut notes, &progress).await?;
    }
    notes.extend(asked.alarm_notes.clone());
    notes.extend(kept_run::keep_test(&asked.settings, &mut reports, &one.text, &other.text));
    Ok(concluded(reports, notes))
}

/// What the other side has shown of how far a result repeats.
fn known(measured: &[MeasuredQuery], task: Task) -> Thoroughness {
    match measured[task.query].sets.get(task.set) {
        Some(Ok(taken)) => Thoroughness::Known(taken.repeats),
        _ => Thoroughness::FindOut,
    }
}

/// Says how a query fared from one side to the other.
pub(super) type Judge = fn((&Outcome, Context), (&Outcome, Context), &Thresholds) -> Comparison;

/// The reports of the corpus, which was measured on both sides: one a set of each query.
pub(super) fn judged(
    corpus: &[CorpusQuery],
    before: &[MeasuredQuery],
    after: &[MeasuredQuery],
    judge: Judge,
) -> Vec<QueryReport> {
    let mut reports = Vec::new();
    for (query, (before, after)) in corpus.iter().zip(before.iter().zip(after)) {
        let text = fingerprint(&query.query);
        for (set, (old, new)) in query.sets.iter().zip(before.sets.iter().zip(&after.sets)) {
            let compared = judge(
                (&outcome(old), before.context(&text)),
                (&outcome(new), after.context(&text)),
                &query.thresholds,
            );
            let sides = (measurement(old), measurement(new));
            reports.push(query_report::report(&query.prepared_with(set), compared, sides.0, sides.1));
        }
    }
    reports
}

/// Compares times in pairs, where both sides run and nothing that repeats has decided.
async fn timed(
    asked: &Asked,
    (old, new): (&Bed, &Bed),
    reports: &mut [QueryReport],
    notes: &mut Vec<String>,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut untimed = 0;
    for query in &asked.corpus {
        for prepared in query.prepared() {
            let Some(report) = reports.iter_mut().find(|report| report.name == prepared.query.name) else {
                continue;
            };
            if report.before.is_none() || report.after.is_none() {
                continue;
            }
            // Fixtures were loaded into copies that are gone.
            if !query.fixtures.is_empty() {
                untimed += 1;
                continue;
            }
            progress.step(format!("timing {}", prepared.query.name));
            let timeout = timeout(query, &asked.settings);
            let look = async |pairs: usize| look(old, new, &prepared, pairs, timeout).await;
            let Some(pairs) = look(PAIRS).await? else { continue };
            set_times(report, &pairs);
            let Some(first) = PairTest::of(&pairs) else { continue };
            if !first.is_slower() && !first.is_faster() {
                continue;
            }
            // A second look, which must come to the same: one in a hundred tests is wrong, one in ten thousand twice.
            let Some(second) = look(MORE_PAIRS).await?.as_deref().and_then(PairTest::of) else { continue };
            if first.is_slower() == second.is_slower() && first.is_faster() == second.is_faster() {
                tell_times(report, &second);
            }
        }
    }
    if untimed > 0 {
        notes
            .push(format!("{} with fixtures weren't timed.", plimsoll_core::units::plural(untimed, "query")));
    }
    Ok(())
}

/// Pairs that share their sessions. A process has speeds of its own, by where its memory lies: fresh ones make that chance.
const PAIRS_OF_A_SESSION: usize = 3;

/// Runs a query in pairs; nothing where either side fails.
async fn look(
    old: &Bed,
    new: &Bed,
    query: &PreparedQuery,
    pairs: usize,
    timeout: Duration,
) -> Result<Option<Vec<Pair>>, Failure> {
    let mut taken = Vec::new();
    while taken.len() < pairs {
        let before =
            MeasuringSession::open(&old.server, &old.database).await.map_err(Failure::environment)?;
        let after = MeasuringSession::open(&new.server, &new.database).await.map_err(Failure::environment)?;
        let of_these = PAIRS_OF_A_SESSION.min(pairs - taken.len());
        let some = time_pairs((&before, query), (&after, query), of_these, timeout, seed()).await;
        let Some(some) = some.map_err(Failure::environment)? else { return Ok(None) };
        taken.extend(some);
    }
    Ok(Some(taken))
}

/// The order within pairs need not repeat.
fn seed() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}

/// Medians of the pairs, where times of different servers can be held against each other.
fn set_times(report: &mut QueryReport, pairs: &[Pair]) {
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    };
    let sides = [
        (&mut report.before, pairs.iter().map(|pair| pair.before_ms).collect()),
        (&mut report.after, pairs.iter().map(|pair| pair.after_ms).collect()),
    ];
    for (measurement, times) in sides {
        if let Some(measurement) = measurement {
            measurement.time_ms = median(times);
            measurement.runs = pairs.len();
        }
    }
}

fn tell_times(report: &mut QueryReport, test: &PairTest) {
    let (low, high) = test.interval;
    let times = |side: &Option<plimsoll_core::Measurement>| {
        side.as_ref().and_then(|side| side.time_ms).map_or_else(String::new, duration_ms)
    };
    report.reasons.push(format!(
        "time {} → {}: ×{:.2} in the median of {} pairs (99 % interval {low:.2} to {high:.2}, sign test p = {:.1e})",
        times(&report.before),
        times(&report.after),
        test.ratio,
        test.pairs,
        test.p
    ));
    if report.verdict == QueryVerdict::Same {
        // The alarm rests on times, and not on how far buffers and rows grew.
        report.growth = None;
        report.verdict = if test.is_slower() { QueryVerdict::Worse } else { QueryVerdict::Better };
        report.reasons.rotate_right(1);
    }
}
