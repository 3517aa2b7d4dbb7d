//! Whole curves, in the order and with the ends of scikit-learn's functions of the same names.

use crate::ranking::Step;
use crate::threshold::NO_ALARM;
use crate::walk::Walk;

/// Which points a curve keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    /// All.
    All,
    /// Without some that change nothing about the drawn curve (`drop_intermediate`).
    Corners,
}

/// By falling recall. One more point than thresholds: at the end, recall 0 and precision 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrecisionRecall {
    /// The share of alarms that are right.
    pub precision: Vec<f64>,
    /// The share of positive cases with an alarm; all 1 without a positive case, but for the last.
    pub recall: Vec<f64>,
    /// Rising.
    pub thresholds: Vec<f64>,
}

/// By falling threshold, from an infinite one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roc {
    /// NaN without a negative case.
    pub false_positive_rate: Vec<f64>,
    /// NaN without a positive case.
    pub true_positive_rate: Vec<f64>,
    /// Falling.
    pub thresholds: Vec<f64>,
}

/// By rising threshold, between the last one without a miss and the first one without a false alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Det {
    /// The share of negative cases with an alarm.
    pub false_positive_rate: Vec<f64>,
    /// The share of positive cases without one.
    pub false_negative_rate: Vec<f64>,
    /// Rising; it may end with infinity.
    pub thresholds: Vec<f64>,
}

/// Precision over recall (`precision_recall_curve`).
#[must_use]
pub fn precision_recall(cases: &impl Walk, points: Points) -> PrecisionRecall {
    let mut kept = steps(cases);
    keep(&mut kept, points, same_true_positives);
    let positives = cases.positives();
    let mut curve = PrecisionRecall::default();
    for step in kept.iter().rev() {
        let alarms = step.true_positives + step.false_positives;
        curve.precision.push(if alarms == 0.0 { 0.0 } else { step.true_positives / alarms });
        curve.recall.push(if positives == 0.0 { 1.0 } else { step.true_positives / positives });
        curve.thresholds.push(step.threshold);
    }
    curve.precision.push(1.0);
    curve.recall.push(0.0);
    curve
}

/// True over false positive rate (`roc_curve`).
#[must_use]
pub fn roc(cases: &impl Walk, points: Points) -> Roc {
    let mut kept = steps(cases);
    keep(&mut kept, points, same_slope);
    kept.insert(0, NO_ALARM);
    let (positives, negatives) = (cases.positives(), cases.negatives());
    let rate = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { f64::NAN };
    Roc {
        false_positive_rate: kept.iter().map(|step| rate(step.false_positives, negatives)).collect(),
        true_positive_rate: kept.iter().map(|step| rate(step.true_positives, positives)).collect(),
        thresholds: kept.iter().map(|step| step.threshold).collect(),
    }
}

/// Misses over false alarms (`det_curve`). None of one class.
#[must_use]
pub fn det(cases: &impl Walk, points: Points) -> Option<Det> {
    let (positives, negatives) = (cases.positives(), cases.negatives());
    if positives <= 0.0 || negatives <= 0.0 {
        return None;
    }
    let mut kept = steps(cases);
    kept.insert(0, NO_ALARM);
    keep(&mut kept, points, same_true_positives);
    let first = kept.partition_point(|step| step.false_positives <= 0.0).saturating_sub(1);
    let after_last = kept.partition_point(|step| step.true_positives < positives) + 1;
    let shown = kept.get(first..after_last.min(kept.len())).unwrap_or_default();
    Some(Det {
        false_positive_rate: shown.iter().rev().map(|step| step.false_positives / negatives).collect(),
        false_negative_rate: shown
            .iter()
            .rev()
            .map(|step| (positives - step.true_positives) / positives)
            .collect(),
        thresholds: shown.iter().rev().map(|step| step.threshold).collect(),
    })
}

fn steps(cases: &impl Walk) -> Vec<Step> {
    let mut steps = Vec::new();
    cases.walk(|step| steps.push(step));
    steps
}

/// Drops points between others where `is_between` says so of the originals.
fn keep(steps: &mut Vec<Step>, points: Points, is_between: fn(&[Step]) -> bool) {
    if points == Points::All || steps.len() <= 2 {
        return;
    }
    let mut kept = Vec::with_capacity(steps.len());
    kept.extend(steps.first());
    kept.extend(steps.windows(3).filter(|three| !is_between(three)).map(|three| three[1]));
    kept.extend(steps.last());
    *steps = kept;
}

fn same_true_positives(three: &[Step]) -> bool {
    three[0].true_positives == three[1].true_positives && three[1].true_positives == three[2].true_positives
}

fn same_slope(three: &[Step]) -> bool {
    let second = |of: fn(&Step) -> f64| (of(&three[2]) - of(&three[1])) - (of(&three[1]) - of(&three[0]));
    second(|step| step.true_positives) == 0.0 && second(|step| step.false_positives) == 0.0
}
