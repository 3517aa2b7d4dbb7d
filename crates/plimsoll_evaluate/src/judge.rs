//! Everything that is told of detectors, as one value for a person or a program to read.

mod choice;
mod group;
mod points;
mod words;

use plimsoll_core::evaluation::{
    AtPrevalence as ToldAtPrevalence, CalibrationBin, CurveBands, DetectorComparison, DetectorFigures,
    Difference, EVALUATION_FORMAT_VERSION, Estimate, Evaluation, Interval, PartialArea, ThresholdTarget,
};

use crate::areas::{Areas, partial_roc_area};
use crate::bootstrap::{Ends, Intervals, Plan, average_precision_difference, intervals};
use crate::calibration::{Bins, brier_score, calibration_curve};
use crate::cases::{Cases, CasesError, Scores};
use crate::delong::roc_area_difference;
use crate::grid::{GRID, share_at};
use crate::ranking::{Ranking, Step};
use crate::threshold::{Target, choose};
use crate::walk::{AtPrevalence, Walk};
use choice::Choices;
pub use choice::share;

/// Resamples that are made unless another number is asked for.
pub const RESAMPLES: u32 = 1000;
/// Draws of cases at most, where each resample has to draw every case, unless a number of resamples is asked for.
const MOST_DRAWS: u64 = 2_000_000_000;
/// Resamples that such cases have at least.
const FEWEST_RESAMPLES: u64 = 200;

/// A column of scores.
#[derive(Clone, Copy, Debug)]
pub struct Detector<'a> {
    /// Its name.
    pub name: &'a str,
    /// A score a case.
    pub scores: Scores<'a>,
}

/// What cases are grouped by.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a> {
    /// Each group's name.
    pub names: &'a [String],
    /// Each case's group, as a place in `names`.
    pub of_case: &'a [u32],
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What was read, for the report.
    pub source: String,
    /// What thresholds have to reach; the best F score if this is empty.
    pub targets: Vec<ThresholdTarget>,
    /// How many times recall weighs more than precision in F scores.
    pub beta: f64,
    /// Where the partial ROC area ends.
    pub max_false_positive_rate: Option<f64>,
    /// Another prevalence.
    pub prevalence: Option<f64>,
    /// The time that the cases span, in days.
    pub days: Option<f64>,
    /// Resamples; [`RESAMPLES`], or fewer of very many cases, if it isn't said.
    pub resamples: Option<u32>,
    /// What random numbers start from.
    pub seed: u64,
    /// The share of intervals that hold the true figure.
    pub confidence: f64,
    /// Whether curves keep all of their points.
    pub has_all_points: bool,
    /// How the calibration curve's bins are cut.
    pub bins: Bins,
    /// How many they are.
    pub bin_count: usize,
}

/// Judges detectors by the same cases.
///
/// # Errors
/// Where a detector's scores aren't as many as cases, or not finite.
pub fn judge(
    cases: &Cases,
    detectors: &[Detector],
    groups: Option<Groups>,
    wanted: &Wanted,
) -> Result<Evaluation, CasesError> {
    let plan = plan(cases, detectors.len(), wanted);
    let judged: Vec<(Ranking, DetectorFigures)> = detectors
        .iter()
        .map(|detector| figures(cases, detector, groups, wanted, &plan))
        .collect::<Result<_, _>>()?;
    let rankings: Vec<&Ranking> = judged.iter().map(|(ranking, _)| ranking).collect();
    let comparisons = comparisons(cases, detectors, &rankings, &plan)?;
    let weighing = (0..cases.positive().len()).filter(|case| cases.weight(*case) > 0.0);
    let positives = weighing.clone().filter(|case| cases.positive()[*case]).count() as u64;
    let all = weighing.count() as u64;
    let prevalence = rankings
        .first()
        .map_or(0.0, |ranking| ranking.positives() / (ranking.positives() + ranking.negatives()));
    let mut evaluation = Evaluation {
        format_version: EVALUATION_FORMAT_VERSION,
        source: wanted.source.clone(),
        cases: all,
        positives,
        negatives: all - positives,
        is_weighted: cases.weights().is_some(),
        prevalence,
        days: wanted.days,
        confidence: wanted.confidence,
        resamples: u64::from(plan.resamples),
        seed: wanted.seed,
        detectors: judged.into_iter().map(|(_, figures)| figures).collect(),
        comparisons,
        reading: String::new(),
        warnings: Vec::new(),
    };
    evaluation.reading = words::reading(&evaluation);
    evaluation.warnings = words::warnings(&evaluation);
    Ok(evaluation)
}

fn plan(cases: &Cases, detectors: usize, wanted: &Wanted) -> Plan {
    let draws_cases = cases.weights().is_some() || detectors > 1;
    let affordable = (MOST_DRAWS / cases.positive().len().max(1) as u64).max(FEWEST_RESAMPLES);
    let usual = if draws_cases { RESAMPLES.min(affordable as u32) } else { RESAMPLES };
    Plan {
        resamples: wanted.resamples.unwrap_or(usual),
        seed: wanted.seed,
        confidence: wanted.confidence,
        max_false_positive_rate: wanted.max_false_positive_rate,
        prevalence: wanted.prevalence,
        targets: targets(wanted).iter().map(|target| of_days(*target, wanted.days)).collect(),
        thresholds: Vec::new(),
        betas: Vec::new(),
    }
}

fn targets(wanted: &Wanted) -> Vec<ThresholdTarget> {
    match wanted.targets.is_empty() {
        true => vec![ThresholdTarget::FScore { beta: wanted.beta }],
        false => wanted.targets.clone(),
    }
}

/// How many times recall weighs more than precision.
fn beta(target: ThresholdTarget, wanted: &Wanted) -> f64 {
    match target {
        ThresholdTarget::FScore { beta } => beta,
        _ => wanted.beta,
    }
}

/// False alarms a day become those of all days; without days none is few enough.
fn of_days(target: ThresholdTarget, days: Option<f64>) -> Target {
    match target {
        ThresholdTarget::Given { threshold } => Target::Given(threshold),
        ThresholdTarget::FScore { beta } => Target::FScore(beta),
        ThresholdTarget::Precision { precision } => Target::Precision(precision),
        ThresholdTarget::Recall { recall } => Target::Recall(recall),
        ThresholdTarget::FalseAlarms { a_day } => Target::FalseAlarms(a_day * days.unwrap_or(0.0)),
        ThresholdTarget::Cost { miss, alarm } => Target::Cost { miss, alarm },
    }
}

fn figures(
    cases: &Cases,
    detector: &Detector,
    groups: Option<Groups>,
    wanted: &Wanted,
    plan: &Plan,
) -> Result<(Ranking, DetectorFigures), CasesError> {
    let Detector { name, scores } = *detector;
    let targets = targets(wanted);
    // A threshold that is given may lie between the corners.
    let is_given = targets.iter().any(|target| matches!(target, ThresholdTarget::Given { .. }));
    let ranking = match wanted.has_all_points || is_given {
        true => Ranking::new(cases, scores)?,
        false => Ranking::corners(cases, scores)?,
    };
    let steps: Vec<Option<Step>> = choose(&ranking, &plan.targets);
    let plan = &Plan {
        thresholds: steps.iter().map(|step| step.map_or(f64::INFINITY, |step| step.threshold)).collect(),
        betas: targets.iter().map(|target| beta(*target, wanted)).collect(),
        ..plan.clone()
    };
    let resampled = match plan.resamples {
        0 => Intervals::default(),
        _ => intervals(cases, scores, &ranking, plan)?,
    };
    let areas = Areas::of(&ranking);
    let choices = Choices { cases, scores, ranking: &ranking, wanted, intervals: &resampled };
    let thresholds = choices.all(&targets, &steps);
    let first = thresholds.first().and_then(|choice| choice.chosen.as_ref());
    let groups =
        group::figures(cases, scores, groups, first.map(|chosen| chosen.threshold), wanted.confidence)?;
    let chosen: Vec<f64> = thresholds
        .iter()
        .filter_map(|choice| choice.chosen.as_ref().and_then(|chosen| chosen.threshold))
        .collect();
    let told = DetectorFigures {
        name: name.to_owned(),
        average_precision: estimate(areas.average_precision, resampled.average_precision),
        roc_area: estimate(areas.roc_area.unwrap_or(f64::NAN), resampled.roc_area),
        partial_roc_area: partial(&ranking, wanted, &resampled),
        brier_score: brier_score(cases, scores, wanted.confidence)
            .map(|(value, ends)| estimate(value, Some(ends))),
        calibration: calibration(cases, scores, wanted),
        at_prevalence: at_prevalence(&ranking, wanted, &resampled),
        thresholds,
        points: points::points(&ranking, wanted.has_all_points, &chosen),
        has_all_points: wanted.has_all_points,
        bands: bands(&resampled),
        groups,
    };
    Ok((ranking, told))
}

fn estimate(value: f64, ends: Option<Ends>) -> Estimate {
    Estimate { value, interval: ends.map(interval) }
}

fn interval((low, high): Ends) -> Interval {
    Interval { low, high }
}

fn partial(ranking: &Ranking, wanted: &Wanted, resampled: &Intervals) -> Option<PartialArea> {
    let max_false_positive_rate = wanted.max_false_positive_rate?;
    let (area, corrected) = partial_roc_area(ranking, max_false_positive_rate)?;
    let corrected = estimate(corrected, resampled.partial_roc_area);
    Some(PartialArea { max_false_positive_rate, area, corrected })
}

fn calibration(cases: &Cases, scores: Scores, wanted: &Wanted) -> Vec<CalibrationBin> {
    let bins = calibration_curve(cases, scores, wanted.bins, wanted.bin_count, wanted.confidence);
    bins.into_iter()
        .map(|bin| CalibrationBin {
            mean_score: bin.mean_score,
            positive_share: bin.positive_share,
            cases: bin.cases,
            interval: bin.ends.map(interval),
        })
        .collect()
}

fn at_prevalence(ranking: &Ranking, wanted: &Wanted, resampled: &Intervals) -> Option<ToldAtPrevalence> {
    let prevalence = wanted.prevalence?;
    let elsewhere = AtPrevalence::new(ranking, prevalence)?;
    let value = Areas::of(&elsewhere).average_precision;
    let average_precision = estimate(value, resampled.average_precision_at_prevalence);
    Some(ToldAtPrevalence { prevalence, average_precision })
}

fn bands(resampled: &Intervals) -> Option<CurveBands> {
    let told = |band: &[Ends]| -> Vec<Interval> { band.iter().copied().map(interval).collect() };
    (!resampled.precision.is_empty()).then(|| CurveBands {
        at: (0..GRID).map(share_at).collect(),
        precision: told(&resampled.precision),
        precision_at_prevalence: told(&resampled.precision_at_prevalence),
        true_positive_rate: told(&resampled.recall),
    })
}

fn comparisons(
    cases: &Cases,
    detectors: &[Detector],
    rankings: &[&Ranking],
    plan: &Plan,
) -> Result<Vec<DetectorComparison>, CasesError> {
    let mut told = Vec::new();
    for (place, one) in detectors.iter().enumerate() {
        for (other_place, other) in detectors.iter().enumerate().skip(place + 1) {
            let pair = [(one, rankings[place]), (other, rankings[other_place])];
            told.push(comparison(cases, pair, plan)?);
        }
    }
    Ok(told)
}

fn comparison(
    cases: &Cases,
    [one, other]: [(&Detector, &Ranking); 2],
    plan: &Plan,
) -> Result<DetectorComparison, CasesError> {
    let scores = (one.0.scores, other.0.scores);
    let by_area = roc_area_difference(cases, scores.0, scores.1, plan.confidence)?;
    let by_precision = average_precision_difference(cases, (scores.0, one.1), (scores.1, other.1), plan)?;
    let value = Areas::of(one.1).average_precision - Areas::of(other.1).average_precision;
    Ok(DetectorComparison {
        first: one.0.name.to_owned(),
        second: other.0.name.to_owned(),
        roc_area: by_area.map(|found| Difference {
            value: found.value,
            interval: interval(found.ends),
            p_value: found.p_value,
        }),
        average_precision: by_precision.map(|found| Difference {
            value,
            interval: interval(found.ends),
            p_value: found.p_value,
        }),
    })
}

#[cfg(test)]
mod tests;
