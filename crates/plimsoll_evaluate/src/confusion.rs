//! What one threshold comes to, as a number.

/// Cases by label and alarm, by weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of positive cases with an alarm; 0 without a positive case.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// The weighted harmonic mean of precision and recall, recall weighing `beta` times as much (van Rijsbergen 1979).
    #[must_use]
    pub fn f_score(&self, beta: f64) -> f64 {
        let square = beta * beta;
        let right = (1.0 + square) * self.true_positives;
        share(right, right + square * self.false_negatives + self.false_positives)
    }

    /// The mean of the recalls of both classes; that of the one where the other has no case.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let [positives, negatives] =
            [self.true_positives + self.false_negatives, self.true_negatives + self.false_positives];
        let of_negatives = share(self.true_negatives, negatives);
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

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
