//! Curves at the same places, so that those of many resamples make a band.

use crate::ranking::Step;
use crate::walk::Walk;

/// Where curves are looked at: from 0 to 1 by hundredths.
pub const GRID: usize = 101;

/// The share at a place of the grid.
#[must_use]
pub fn share_at(place: usize) -> f64 {
    place as f64 / (GRID - 1) as f64
}

/// Precision at the first threshold that reaches each recall; 0 without a positive case.
#[must_use]
pub fn precision_by_recall(cases: &impl Walk) -> Vec<f64> {
    let positives = cases.positives();
    let mut found = Vec::with_capacity(GRID);
    // Sums of weights may end a little below their sum.
    let reaches = |step: Step, place| step.true_positives >= share_at(place) * positives * (1.0 - 1e-12);
    cases.walk(|step| {
        if step.true_positives > 0.0 {
            while found.len() < GRID && reaches(step, found.len()) {
                found.push(step.true_positives / (step.true_positives + step.false_positives));
            }
        }
    });
    found.resize(GRID, 0.0);
    found
}

/// The ROC curve's height over each false positive rate, straight between thresholds; where it rises upright, the upper end.
#[must_use]
pub fn recall_by_false_positive_rate(cases: &impl Walk) -> Vec<f64> {
    let (positives, negatives) = (cases.positives(), cases.negatives());
    let mut found = Vec::with_capacity(GRID);
    let mut before = (0.0, 0.0);
    cases.walk(|step| {
        let now = (step.false_positives / negatives, step.true_positives / positives);
        while found.len() < GRID && share_at(found.len()) < now.0 {
            let way = (share_at(found.len()) - before.0) / (now.0 - before.0);
            found.push(before.1 + way * (now.1 - before.1));
        }
        before = now;
    });
    found.resize(GRID, 1.0);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cases, Ranking, Scores};

    #[test]
    fn curves_are_looked_at_where_they_are() {
        let positive = [true, false, true, false];
        let cases = Cases::new(&positive, None).expect("sound cases");
        let ranking = Ranking::new(&cases, Scores::F64(&[4.0, 3.0, 2.0, 1.0])).expect("sound scores");
        let precision = precision_by_recall(&ranking);
        assert_eq!(
            [precision[0], precision[50], precision[51], precision[100]],
            [1.0, 1.0, 2.0 / 3.0, 2.0 / 3.0]
        );
        let recall = recall_by_false_positive_rate(&ranking);
        assert_eq!([recall[0], recall[49], recall[50], recall[100]], [0.5, 0.5, 1.0, 1.0]);
    }
}
