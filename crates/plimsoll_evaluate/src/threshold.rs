//! Which threshold reaches what is asked for.

use crate::ranking::Step;
use crate::walk::Walk;
use plimsoll_core::evaluation::Confusion;

/// What a threshold has to reach. Of two that do equally well, the one with fewer alarms is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// This one.
    Given(f64),
    /// The best F score; recall weighs so many times as much as precision.
    FScore(f64),
    /// At least this precision, with the most recall.
    Precision(f64),
    /// At least this recall, with the most precision.
    Recall(f64),
    /// At most so many false alarms, by weight, with the most recall.
    FalseAlarms(f64),
    /// The lowest cost.
    Cost {
        /// Of a positive case without an alarm.
        miss: f64,
        /// Of an alarm for a negative case.
        alarm: f64,
    },
}

/// No alarm at all.
pub const NO_ALARM: Step = Step { threshold: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 };

/// What a step comes to, in a set of cases.
#[must_use]
pub fn confusion_at(cases: &impl Walk, step: Step) -> Confusion {
    confusion(step, cases.positives(), cases.negatives())
}

fn confusion(step: Step, positives: f64, negatives: f64) -> Confusion {
    Confusion {
        true_positives: step.true_positives,
        false_positives: step.false_positives,
        false_negatives: (positives - step.true_positives).max(0.0),
        true_negatives: (negatives - step.false_positives).max(0.0),
    }
}

/// The steps that reach these targets, in one walk; None where none does. A step with an infinite threshold raises no alarm.
#[must_use]
pub fn choose(cases: &impl Walk, targets: &[Target]) -> Vec<Option<Step>> {
    let (positives, negatives) = (cases.positives(), cases.negatives());
    let mut choices: Vec<Choice> =
        targets.iter().map(|target| Choice { target: *target, best: None }).collect();
    choices.iter_mut().for_each(|choice| choice.see(NO_ALARM, positives, negatives));
    cases.walk(|step| choices.iter_mut().for_each(|choice| choice.see(step, positives, negatives)));
    choices.into_iter().map(|choice| choice.best.map(|(_, step)| step)).collect()
}

struct Choice {
    target: Target,
    best: Option<(f64, Step)>,
}

impl Choice {
    fn see(&mut self, step: Step, positives: f64, negatives: f64) {
        if let Some(merit) = self.target.merit(step, positives, negatives)
            && self.best.is_none_or(|(best, _)| merit > best)
        {
            self.best = Some((merit, step));
        }
    }
}

impl Target {
    /// How good a step is; None if it doesn't reach the target.
    fn merit(self, step: Step, positives: f64, negatives: f64) -> Option<f64> {
        let of_step = confusion(step, positives, negatives);
        let has_alarms = step.true_positives + step.false_positives > 0.0;
        match self {
            // The lowest that isn't below.
            Self::Given(threshold) => (step.threshold >= threshold).then(|| -step.threshold.min(f64::MAX)),
            Self::FScore(beta) => Some(of_step.f_score(beta)),
            Self::Precision(precision) => {
                (has_alarms && of_step.precision() >= precision).then_some(step.true_positives)
            }
            Self::Recall(recall) => (has_alarms && of_step.recall() >= recall).then(|| of_step.precision()),
            Self::FalseAlarms(most) => (step.false_positives <= most).then_some(step.true_positives),
            Self::Cost { miss, alarm } => {
                Some(-(of_step.false_negatives * miss + of_step.false_positives * alarm))
            }
        }
    }
}

/// How many trials it takes until the lower end of Wilson's interval of this share is no lower than `low`; None if no number
/// will do.
#[must_use]
pub fn trials_for(share: f64, low: f64, confidence: f64) -> Option<u64> {
    let is_enough = |trials: u64| {
        crate::interval::wilson(share, trials as f64, confidence).is_some_and(|found| found.0 >= low)
    };
    let mut enough = 1_u64;
    while !is_enough(enough) {
        enough = enough.checked_mul(2).filter(|trials| *trials <= 1 << 50)?;
    }
    let mut too_few = enough / 2;
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if is_enough(middle) { enough = middle } else { too_few = middle }
    }
    Some(enough)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cases, Ranking, Scores};

    const POSITIVE: [bool; 6] = [true, true, false, true, false, false];
    const SCORES: [f64; 6] = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0];

    fn chosen(target: Target) -> Option<f64> {
        let cases = Cases::new(&POSITIVE, None).expect("sound cases");
        let ranking = Ranking::new(&cases, Scores::F64(&SCORES)).expect("sound scores");
        choose(&ranking, &[target])[0].map(|step| step.threshold)
    }

    #[test]
    fn each_target_has_its_threshold() {
        assert_eq!(chosen(Target::Given(6.5)), Some(7.0));
        assert_eq!(chosen(Target::Given(99.0)), Some(f64::INFINITY));
        assert_eq!(chosen(Target::FScore(1.0)), Some(6.0));
        assert_eq!(chosen(Target::Precision(0.9)), Some(8.0));
        assert_eq!(chosen(Target::Precision(0.7)), Some(6.0));
        assert_eq!(chosen(Target::Recall(0.5)), Some(8.0));
        assert_eq!(chosen(Target::Recall(1.0)), Some(6.0));
        assert_eq!(chosen(Target::FalseAlarms(0.5)), Some(8.0));
        assert_eq!(chosen(Target::Cost { miss: 1.0, alarm: 10.0 }), Some(8.0));
        assert_eq!(chosen(Target::Cost { miss: 10.0, alarm: 1.0 }), Some(6.0));
    }

    #[test]
    fn what_can_not_be_reached_is_not_chosen() {
        let cases = Cases::new(&[false, true], None).expect("sound cases");
        let ranking = Ranking::new(&cases, Scores::F64(&[2.0, 1.0])).expect("sound scores");
        assert_eq!(choose(&ranking, &[Target::Precision(0.6)]), [None]);
        assert_eq!(choose(&ranking, &[Target::FalseAlarms(0.0)]), [Some(NO_ALARM)]);
    }

    #[test]
    fn the_trials_that_a_share_takes_are_the_fewest() {
        let trials = trials_for(0.97, 0.85, 0.95).expect("a number will do");
        let low = |trials: u64| crate::interval::wilson(0.97, trials as f64, 0.95).expect("trials").0;
        assert!(low(trials) >= 0.85 && low(trials - 1) < 0.85, "{trials}");
        assert_eq!(trials_for(0.8, 0.85, 0.95), None);
    }
}
