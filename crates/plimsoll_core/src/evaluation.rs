//! How far alarms can be trusted, for a person or a program to read: what `plimsoll evaluate` tells of detectors' scores.
//!
//! A *case* is a row, *positive* if what the alarm is about was there. A *detector* gives each case a score; it raises an
//! alarm where the score is at least the threshold. Counts are sums of weights where cases have weights.

pub mod history;

use serde::{Deserialize, Serialize};

/// The version of the JSON contract.
pub const EVALUATION_FORMAT_VERSION: u32 = 1;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// [`EVALUATION_FORMAT_VERSION`].
    pub format_version: u32,
    /// What was read.
    pub source: String,
    /// Cases whose weight isn't zero.
    pub cases: u64,
    /// Positive ones among them.
    pub positives: u64,
    /// The others.
    pub negatives: u64,
    /// Whether the cases have weights.
    pub is_weighted: bool,
    /// The share of positive cases, by weight.
    pub prevalence: f64,
    /// The time that the cases span, in days, where it is known.
    pub days: Option<f64>,
    /// The share of intervals that hold the true figure, as 0.95.
    pub confidence: f64,
    /// Resamples behind the bootstrap's intervals; 0 if none were made.
    pub resamples: u64,
    /// What the bootstrap's random numbers start from.
    pub seed: u64,
    /// In the order of the columns.
    pub detectors: Vec<DetectorFigures>,
    /// Each pair of detectors on the same cases.
    pub comparisons: Vec<DetectorComparison>,
    /// Which curve to read, and why.
    pub reading: String,
    /// What a reader must know before trusting the figures.
    pub warnings: Vec<String>,
}

/// A figure with the bootstrap's interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Of the data.
    pub value: f64,
    /// The interval's ends; None without resamples.
    pub interval: Option<Interval>,
}

/// The ends of an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What is told of one detector.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DetectorFigures {
    /// The column of its scores.
    pub name: String,
    /// The step-wise area under the precision-recall curve.
    pub average_precision: Estimate,
    /// The area under the ROC curve.
    pub roc_area: Estimate,
    /// The area up to a false positive rate, where that was asked for.
    pub partial_roc_area: Option<PartialArea>,
    /// The mean squared distance of scores from labels; None where scores aren't probabilities.
    pub brier_score: Option<Estimate>,
    /// Mean scores beside the share of positive cases; empty where scores aren't probabilities.
    pub calibration: Vec<CalibrationBin>,
    /// The same at another prevalence, where that was asked for.
    pub at_prevalence: Option<AtPrevalence>,
    /// Thresholds that were asked for, or the one with the best F score.
    pub thresholds: Vec<ThresholdChoice>,
    /// The curves' points, from the highest threshold to the lowest; thinned for display unless all were asked for.
    pub points: Vec<OperatingPoint>,
    /// Whether `points` are all there are.
    pub has_all_points: bool,
    /// The bootstrap's bands.
    pub bands: Option<CurveBands>,
    /// Figures of groups, the largest first.
    pub groups: Vec<GroupFigures>,
}

/// The area under the ROC curve from 0 to a false positive rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PartialArea {
    /// Where it ends.
    pub max_false_positive_rate: f64,
    /// The area itself, at most the rate above.
    pub area: f64,
    /// Stretched so that chance is 0.5 and the best is 1 (McClish 1989).
    pub corrected: Estimate,
}

/// A bin of the calibration curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// The mean score of its cases.
    pub mean_score: f64,
    /// The share of positive ones.
    pub positive_share: f64,
    /// How many there are.
    pub cases: u64,
    /// The share's interval (Wilson).
    pub interval: Option<Interval>,
}

/// Figures re-weighted to another prevalence. The ROC curve stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AtPrevalence {
    /// The share of positive cases that is assumed; the precision of no skill.
    pub prevalence: f64,
    /// The average precision there.
    pub average_precision: Estimate,
}

/// Cases by label and alarm, by weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Confusion {
    /// Positive, with an alarm.
    pub true_positives: f64,
    /// Negative, with an alarm.
    pub false_positives: f64,
    /// Positive, without.
    pub false_negatives: f64,
    /// Negative, without.
    pub true_negatives: f64,
}

impl Confusion {
    /// The share of alarms that are right; 0 without an alarm.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of positive cases with an alarm; 0 without a positive case.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// The weighted harmonic mean of precision and recall, recall weighing `beta` times as much (van Rijsbergen 1979).
    #[must_use]
    pub fn f_score(&self, beta: f64) -> f64 {
        let square = beta * beta;
        let right = (1.0 + square) * self.true_positives;
        ratio(right, right + square * self.false_negatives + self.false_positives)
    }

    /// The mean of the recalls of both classes; that of the one where the other has no case.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let [positives, negatives] =
            [self.true_positives + self.false_negatives, self.true_negatives + self.false_positives];
        let of_negatives = ratio(self.true_negatives, negatives);
        match (positives > 0.0, negatives > 0.0) {
            (true, true) => (self.recall() + of_negatives) / 2.0,
            (true, false) => self.recall(),
            _ => of_negatives,
        }
    }

    /// The correlation of label and alarm, from -1 to 1; 0 where one of them is always the same (Matthews 1975).
    #[must_use]
    pub fn matthews_correlation(&self) -> f64 {
        let [alarms, silences] =
            [self.true_positives + self.false_positives, self.true_negatives + self.false_negatives];
        let [positives, negatives] =
            [self.true_positives + self.false_negatives, self.true_negatives + self.false_positives];
        let spread = alarms.sqrt() * silences.sqrt() * positives.sqrt() * negatives.sqrt();
        let joint = self.true_positives * self.true_negatives - self.false_positives * self.false_negatives;
        if spread > 0.0 { joint / spread } else { 0.0 }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Where a detector can work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// Scores at least this high raise an alarm. None is above every score: no alarm.
    pub threshold: Option<f64>,
    /// Positive cases with an alarm.
    pub true_positives: f64,
    /// Negative ones with an alarm.
    pub false_positives: f64,
}

/// Pointwise intervals of the curves, at the shares of a grid from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CurveBands {
    /// The grid: recalls of the one, false positive rates of the other.
    pub at: Vec<f64>,
    /// Precision at each recall.
    pub precision: Vec<Interval>,
    /// Precision at each recall, at the other prevalence; empty if none was asked for.
    pub precision_at_prevalence: Vec<Interval>,
    /// True positive rate at each false positive rate.
    pub true_positive_rate: Vec<Interval>,
}

/// What a threshold has to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ThresholdTarget {
    /// This threshold.
    Given {
        /// Scores at least this high raise an alarm.
        threshold: f64,
    },
    /// The best F score.
    FScore {
        /// How many times recall weighs more than precision.
        beta: f64,
    },
    /// At least this precision, with the most recall.
    Precision {
        /// From 0 to 1.
        precision: f64,
    },
    /// At least this recall, with the most precision.
    Recall {
        /// From 0 to 1.
        recall: f64,
    },
    /// At most so many false alarms a day, with the most recall.
    FalseAlarms {
        /// False alarms a day.
        a_day: f64,
    },
    /// The lowest cost.
    Cost {
        /// Of a positive case without an alarm.
        miss: f64,
        /// Of an alarm without a positive case.
        alarm: f64,
    },
}

/// A share with its intervals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// Of the data.
    pub value: f64,
    /// By the binomial distribution (Clopper and Pearson 1934); None where cases have weights.
    pub exact: Option<Interval>,
    /// By the score test (Wilson 1927), with the effective number of cases where they have weights; None of no cases.
    pub wilson: Option<Interval>,
}

/// A threshold, and what it comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThresholdChoice {
    /// What was asked for.
    pub target: ThresholdTarget,
    /// None if no threshold reaches it.
    pub chosen: Option<ChosenThreshold>,
    /// Why the data can't support the choice, and how many more positive cases it takes.
    pub warning: Option<ThresholdWarning>,
}

/// What a threshold comes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChosenThreshold {
    /// Scores at least this high raise an alarm. None: above every score.
    pub threshold: Option<f64>,
    /// Where the choice falls in the bootstrap's resamples.
    pub interval: Option<Interval>,
    /// The cases.
    pub confusion: Confusion,
    /// The share of alarms that are right.
    pub precision: Share,
    /// The share of positive cases with an alarm.
    pub recall: Share,
    /// The precision at the other prevalence, where one was asked for.
    pub precision_at_prevalence: Option<Estimate>,
    /// How many times recall weighs more than precision in `f_score`.
    pub beta: f64,
    /// The weighted harmonic mean of precision and recall.
    pub f_score: Estimate,
    /// From -1 to 1; 0 where a row or a column of the confusion is empty.
    pub matthews_correlation: Estimate,
    /// The mean of the recalls of both classes.
    pub balanced_accuracy: Estimate,
    /// Where the time is known.
    pub false_alarms_a_day: Option<Estimate>,
    /// Where costs were given.
    pub cost: Option<f64>,
}

/// Why data can't support a choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThresholdWarning {
    /// In a sentence or two.
    pub text: String,
    /// About how many more positive cases it takes; None where no number would do.
    pub more_positives: Option<u64>,
}

/// Two detectors on the same cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DetectorComparison {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// ROC area of the first less that of the second (DeLong 1988); None where cases have weights.
    pub roc_area: Option<Difference>,
    /// Average precision of the first less that of the second, by paired resamples; None without resamples.
    pub average_precision: Option<Difference>,
}

/// A difference, and whether it may be chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Of the data.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
    /// The chance of one at least so far from zero if there were none; two-sided.
    pub p_value: f64,
}

/// Figures of the cases of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GroupFigures {
    /// As in the column.
    pub name: String,
    /// Its cases.
    pub cases: u64,
    /// Positive ones.
    pub positives: u64,
    /// None where all cases are of one class; so is the next.
    pub average_precision: Option<f64>,
    /// The area under the ROC curve.
    pub roc_area: Option<f64>,
    /// At the first chosen threshold, if one could be chosen.
    pub precision: Option<Share>,
    /// At the same.
    pub recall: Option<Share>,
}
