//! What every figure is computed from: thresholds, the highest first, with what is at or above each.

use crate::ranking::Step;

/// Cases by score. [`Ranking`](crate::Ranking) is one; so are a resample of it and one at another prevalence, and every figure
/// is there for all of them.
pub trait Walk {
    /// Positive cases, by weight.
    fn positives(&self) -> f64;

    /// Negative ones.
    fn negatives(&self) -> f64;

    /// Shows thresholds, the highest first, with what scores at least this. Two of the same counts may follow each other.
    fn walk(&self, see: impl FnMut(Step));
}

/// The same cases, weighed so that positive ones are as frequent as they are elsewhere. Recall and the false positive rate
/// stay; precision falls with the prevalence (Elkan 2001; Siblini et al. 2020).
#[derive(Clone, Copy, Debug)]
pub struct AtPrevalence<'a, W> {
    cases: &'a W,
    of_positives: f64,
    of_negatives: f64,
}

impl<'a, W: Walk> AtPrevalence<'a, W> {
    /// At this share of positive cases, between 0 and 1. None of one class, or of another share.
    #[must_use]
    pub fn new(cases: &'a W, prevalence: f64) -> Option<Self> {
        let (positives, negatives) = (cases.positives(), cases.negatives());
        let is_share = prevalence > 0.0 && prevalence < 1.0;
        (is_share && positives > 0.0 && negatives > 0.0).then(|| {
            let all = positives + negatives;
            Self {
                cases,
                of_positives: prevalence * all / positives,
                of_negatives: (1.0 - prevalence) * all / negatives,
            }
        })
    }

    /// A step of the cases, weighed.
    #[must_use]
    pub fn weigh(&self, step: Step) -> Step {
        Step {
            true_positives: step.true_positives * self.of_positives,
            false_positives: step.false_positives * self.of_negatives,
            ..step
        }
    }
}

impl<W: Walk> Walk for AtPrevalence<'_, W> {
    fn positives(&self) -> f64 {
        self.cases.positives() * self.of_positives
    }

    fn negatives(&self) -> f64 {
        self.cases.negatives() * self.of_negatives
    }

    fn walk(&self, mut see: impl FnMut(Step)) {
        self.cases.walk(|step| see(self.weigh(step)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::areas::Areas;
    use crate::{Cases, Ranking, Scores};

    #[test]
    fn at_another_prevalence_precision_falls_and_the_roc_area_stays() {
        let positive = [true, false, true, false];
        let cases = Cases::new(&positive, None).expect("sound cases");
        let ranking = Ranking::new(&cases, Scores::F64(&[4.0, 3.0, 2.0, 1.0])).expect("sound scores");
        let rare = AtPrevalence::new(&ranking, 0.1).expect("both classes");
        let (here, there) = (Areas::of(&ranking), Areas::of(&rare));
        assert!((there.roc_area.expect("both") - here.roc_area.expect("both")).abs() < 1e-15);
        // The second half of the positive cases comes with half of the negative ones: 0.1 to 0.45.
        assert!((there.average_precision - (0.5 + 0.5 * 0.1 / 0.55)).abs() < 1e-15);
        assert!(AtPrevalence::new(&ranking, 1.0).is_none());
    }
}
