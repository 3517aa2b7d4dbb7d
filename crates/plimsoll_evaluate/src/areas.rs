//! Areas under the curves, in one walk and without the curves.

use crate::ranking::Step;
use crate::walk::Walk;

/// What curves come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Areas {
    /// The sum over the thresholds of precision times the recall gained there, which is never a trapezoid; 0 without a positive
    /// case (`average_precision_score`).
    pub average_precision: f64,
    /// Under the ROC curve, by trapezoids; None of one class (`roc_auc_score`).
    pub roc_area: Option<f64>,
}

impl Areas {
    /// Of cases.
    #[must_use]
    pub fn of(cases: &impl Walk) -> Self {
        let (mut precision_steps, mut trapezoids) = (Sum::default(), Sum::default());
        let mut before = Step { threshold: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 };
        cases.walk(|step| {
            let gained = step.true_positives - before.true_positives;
            if gained > 0.0 {
                precision_steps
                    .add(gained * (step.true_positives / (step.true_positives + step.false_positives)));
            }
            let width = step.false_positives - before.false_positives;
            trapezoids.add(width * (step.true_positives + before.true_positives) / 2.0);
            before = step;
        });
        let (positives, negatives) = (cases.positives(), cases.negatives());
        let has_both = positives > 0.0 && negatives > 0.0;
        Self {
            average_precision: if positives > 0.0 { precision_steps.total() / positives } else { 0.0 },
            roc_area: has_both.then(|| trapezoids.total() / positives / negatives),
        }
    }
}

/// The area under the ROC curve up to a false positive rate, itself and stretched so that chance is 0.5 and the best is 1
/// (McClish 1989; `roc_auc_score` with `max_fpr`). None of one class.
#[must_use]
pub fn partial_roc_area(cases: &impl Walk, max_false_positive_rate: f64) -> Option<(f64, f64)> {
    let (positives, negatives) = (cases.positives(), cases.negatives());
    if positives <= 0.0
        || negatives <= 0.0
        || !(max_false_positive_rate > 0.0 && max_false_positive_rate <= 1.0)
    {
        return None;
    }
    let mut area = Sum::default();
    let (mut rate_before, mut recall_before) = (0.0, 0.0);
    cases.walk(|step| {
        let (rate, recall) = (step.false_positives / negatives, step.true_positives / positives);
        if rate_before < max_false_positive_rate {
            let end = rate.min(max_false_positive_rate);
            let share = if rate > end { (end - rate_before) / (rate - rate_before) } else { 1.0 };
            let recall_at_end = recall_before + share * (recall - recall_before);
            area.add((end - rate_before) * (recall_before + recall_at_end) / 2.0);
        }
        (rate_before, recall_before) = (rate, recall);
    });
    let (area, of_chance) = (area.total(), max_false_positive_rate * max_false_positive_rate / 2.0);
    Some((area, 0.5 * (1.0 + (area - of_chance) / (max_false_positive_rate - of_chance))))
}

/// A sum that keeps what rounding loses (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    rounded: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let sum = self.rounded + term;
        self.lost += if self.rounded.abs() >= term.abs() {
            (self.rounded - sum) + term
        } else {
            (term - sum) + self.rounded
        };
        self.rounded = sum;
    }

    fn total(self) -> f64 {
        self.rounded + self.lost
    }
}
