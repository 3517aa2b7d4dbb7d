//! A chosen threshold with all that it comes to, and whether there is enough data to choose it.

use plimsoll_core::evaluation::{
    ChosenThreshold, Confusion, Estimate, Interval, Share, ThresholdChoice, ThresholdTarget, ThresholdWarning,
};

use super::{Wanted, beta, estimate, interval, words};
use crate::bootstrap::{AtThreshold, Ends, Intervals};
use crate::cases::{Cases, Scores};
use crate::interval::{clopper_pearson, wilson};
use crate::ranking::{Ranking, Step};
use crate::threshold::{confusion_at, trials_for};
use crate::walk::AtPrevalence;

/// How far below a target the truth may be, by the lower end of the interval, for data to support the choice.
const MARGIN: f64 = 0.1;

/// What thresholds are chosen from.
pub(super) struct Choices<'a> {
    pub(super) cases: &'a Cases<'a>,
    pub(super) scores: Scores<'a>,
    pub(super) ranking: &'a Ranking,
    pub(super) wanted: &'a Wanted,
    pub(super) intervals: &'a Intervals,
}

impl Choices<'_> {
    /// One a target.
    pub(super) fn all(&self, told: &[ThresholdTarget], steps: &[Option<Step>]) -> Vec<ThresholdChoice> {
        let steps = steps.iter().zip(told).enumerate();
        steps.map(|(place, (step, target))| self.one(place, *target, *step)).collect()
    }

    fn one(&self, place: usize, target: ThresholdTarget, step: Option<Step>) -> ThresholdChoice {
        let ends = self.intervals.thresholds.get(place).copied().flatten();
        let at = self.intervals.at_thresholds.get(place).copied().unwrap_or_default();
        let chosen = match target {
            // Between steps there are none of the ranking's.
            ThresholdTarget::Given { threshold } => {
                let confusion = confusion_from(self.cases, self.scores, Some(threshold));
                Some(self.told(target, Some(threshold), None, confusion, at))
            }
            _ => step.map(|step| {
                let threshold = step.threshold.is_finite().then_some(step.threshold);
                self.told(target, threshold, finite(ends), confusion_at(self.ranking, step), at)
            }),
        };
        let warning = match &chosen {
            None => Some(ThresholdWarning { text: words::unreached(target), more_positives: None }),
            Some(chosen) => self.trials().warning(target, chosen),
        };
        ThresholdChoice { target, chosen, warning }
    }

    fn trials(&self) -> Trials {
        Trials::of(self.cases, self.wanted.confidence)
    }

    fn told(
        &self,
        target: ThresholdTarget,
        threshold: Option<f64>,
        interval: Option<Interval>,
        confusion: Confusion,
        at: AtThreshold,
    ) -> ChosenThreshold {
        let trials = self.trials();
        let beta = beta(target, self.wanted);
        let of_days = |ends: Ends, days: f64| (ends.0 / days, ends.1 / days);
        ChosenThreshold {
            threshold,
            interval,
            confusion,
            precision: trials.precision(&confusion),
            recall: trials.recall(&confusion),
            precision_at_prevalence: self.precision_elsewhere(&confusion, at),
            beta,
            f_score: estimate(confusion.f_score(beta), at.f_score),
            matthews_correlation: estimate(confusion.matthews_correlation(), at.matthews_correlation),
            balanced_accuracy: estimate(confusion.balanced_accuracy(), at.balanced_accuracy),
            false_alarms_a_day: self.wanted.days.map(|days| {
                estimate(confusion.false_positives / days, at.false_positives.map(|ends| of_days(ends, days)))
            }),
            cost: match target {
                ThresholdTarget::Cost { miss, alarm } => {
                    Some(confusion.false_negatives * miss + confusion.false_positives * alarm)
                }
                _ => None,
            },
        }
    }

    /// Precision where positive cases are as frequent as was asked.
    fn precision_elsewhere(&self, confusion: &Confusion, at: AtThreshold) -> Option<Estimate> {
        let elsewhere = AtPrevalence::new(self.ranking, self.wanted.prevalence?)?;
        let Confusion { true_positives, false_positives, .. } = *confusion;
        let step = elsewhere.weigh(Step { threshold: 0.0, true_positives, false_positives });
        let value = confusion_at(&elsewhere, step).precision();
        Some(estimate(value, at.precision_at_prevalence))
    }
}

/// No alarm at all has no number.
fn finite(ends: Option<(f64, f64)>) -> Option<Interval> {
    ends.filter(|(low, high)| low.is_finite() && high.is_finite()).map(interval)
}

/// Cases that score at least this, counted; None is above all.
pub(super) fn confusion_from(cases: &Cases, scores: Scores, threshold: Option<f64>) -> Confusion {
    let mut confusion = Confusion::default();
    for (case, positive) in cases.positive().iter().enumerate() {
        let has_alarm = threshold.is_some_and(|threshold| scores.at(case) >= threshold);
        let count = match (positive, has_alarm) {
            (true, true) => &mut confusion.true_positives,
            (true, false) => &mut confusion.false_negatives,
            (false, true) => &mut confusion.false_positives,
            (false, false) => &mut confusion.true_negatives,
        };
        *count += cases.weight(case);
    }
    confusion
}

/// A share of cases that were counted, with its intervals; None of none.
#[must_use]
pub fn share(part: u64, whole: u64, confidence: f64) -> Option<Share> {
    (whole > 0).then(|| Trials { of_weight: None, confidence }.share(part as f64, whole as f64))
}

/// How sums of weights become numbers of trials.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trials {
    /// The effective number of cases a unit of weight (Kish 1965), where cases have weights.
    of_weight: Option<f64>,
    confidence: f64,
}

impl Trials {
    pub(super) fn of(cases: &Cases, confidence: f64) -> Self {
        let of_weight = cases.weights().map(|weights| {
            let (sum, squares) =
                weights.iter().fold((0.0, 0.0), |sums, weight| (sums.0 + weight, sums.1 + weight * weight));
            if squares > 0.0 { sum / squares } else { 0.0 }
        });
        Self { of_weight, confidence }
    }

    pub(super) fn precision(&self, confusion: &Confusion) -> Share {
        self.share(confusion.true_positives, confusion.true_positives + confusion.false_positives)
    }

    pub(super) fn recall(&self, confusion: &Confusion) -> Share {
        self.share(confusion.true_positives, confusion.true_positives + confusion.false_negatives)
    }

    fn share(&self, part: f64, whole: f64) -> Share {
        let value = if whole > 0.0 { part / whole } else { 0.0 };
        let exact = match self.of_weight {
            None => clopper_pearson(part as u64, whole as u64, self.confidence),
            Some(_) => None,
        };
        let trials = whole * self.of_weight.unwrap_or(1.0);
        Share {
            value,
            exact: exact.map(interval),
            wilson: wilson(value, trials, self.confidence).map(interval),
        }
    }

    /// Says so where the data leave too much open.
    fn warning(&self, target: ThresholdTarget, chosen: &ChosenThreshold) -> Option<ThresholdWarning> {
        let Confusion { true_positives, false_positives, false_negatives, .. } = chosen.confusion;
        let positives = true_positives + false_negatives;
        let (what, share, trials, least) = match target {
            ThresholdTarget::Precision { precision } => {
                ("precision", chosen.precision, true_positives + false_positives, precision - MARGIN)
            }
            ThresholdTarget::Recall { recall } => ("recall", chosen.recall, positives, recall - MARGIN),
            _ => ("recall", chosen.recall, positives, chosen.recall.value - MARGIN),
        };
        let low = share.wilson?.low;
        if low >= least || least <= 0.0 {
            return None;
        }
        let effective = trials * self.of_weight.unwrap_or(1.0);
        let needed = trials_for(share.value, least, self.confidence)? as f64;
        // Alarms become more as positive cases do.
        let more = (positives * (needed / effective - 1.0)).ceil().max(1.0) as u64;
        Some(ThresholdWarning {
            text: words::unsupported(what, share.value, low, positives, more),
            more_positives: Some(more),
        })
    }
}
