//! Cases by score, the highest first: what every curve and area is read from.
//!
//! Without weights the two classes are sorted apart, by the scores' bits, and merged while they are read: no case is moved with
//! its label. With weights, sums have to be taken in the order of the cases, since they are rounded.

use crate::cases::{Cases, CasesError, Scores};
use crate::placed::Placed;
use crate::walk::Walk;

/// At most one case in so many is positive where negative ones are placed rather than sorted.
const PLACED_SHARE: usize = 16;

/// A threshold and what is at or above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// A score of some case.
    pub threshold: f64,
    /// Positive cases that score at least this, by weight.
    pub true_positives: f64,
    /// Negative ones.
    pub false_positives: f64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Ranking {
    order: Order,
    positives: f64,
    negatives: f64,
}

#[derive(Clone, Debug)]
enum Order {
    /// The bits of each class's scores, the highest first.
    Counted { positives: Vec<u64>, negatives: Vec<u64> },
    /// A step a distinct score.
    Weighed(Vec<Step>),
    /// Some of the steps.
    Placed(Placed),
}

impl Ranking {
    /// Sorts cases by their scores. Those that weigh nothing drop out.
    ///
    /// # Errors
    /// Where scores aren't as many as cases, or not finite.
    pub fn new(cases: &Cases, scores: Scores) -> Result<Self, CasesError> {
        cases.check(&scores)?;
        Ok(match cases.weights() {
            None => Self::counted(cases.positive(), scores),
            Some(weights) => Self::weighed(cases.positive(), scores, weights),
        })
    }

    /// As [`Ranking::new`], without most of the steps at which negative cases alone are added: every figure of curves, areas and
    /// thresholds is the same, and where few cases are positive, it is far quicker.
    ///
    /// # Errors
    /// As [`Ranking::new`].
    pub fn corners(cases: &Cases, scores: Scores) -> Result<Self, CasesError> {
        let positives = cases.positive().iter().filter(|label| **label).count();
        if cases.weights().is_some() || positives > cases.positive().len() / PLACED_SHARE {
            return Self::new(cases, scores);
        }
        cases.check(&scores)?;
        let placed = match scores {
            Scores::F32(scores) => Placed::new(cases.positive(), scores),
            Scores::F64(scores) => Placed::new(cases.positive(), scores),
        };
        let (positives, negatives) = (positives as f64, placed.negatives() as f64);
        Ok(Self { order: Order::Placed(placed), positives, negatives })
    }

    fn counted(positive: &[bool], scores: Scores) -> Self {
        let of_class = |class: bool| {
            let mut bits = Vec::with_capacity(positive.iter().filter(|label| **label == class).count());
            bits.extend(
                (0..positive.len())
                    .filter(|case| positive[*case] == class)
                    .map(|case| to_bits(scores.at(case))),
            );
            bits.sort_unstable_by(|one, other| other.cmp(one));
            bits
        };
        let (positives, negatives) = std::thread::scope(|scope| {
            let positives = scope.spawn(|| of_class(true));
            let negatives = of_class(false);
            (positives.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), negatives)
        });
        Self {
            positives: positives.len() as f64,
            negatives: negatives.len() as f64,
            order: Order::Counted { positives, negatives },
        }
    }

    fn weighed(positive: &[bool], scores: Scores, weights: &[f64]) -> Self {
        let weighing = (0..positive.len()).filter(|case| weights[*case] != 0.0);
        let mut order: Vec<(u64, usize)> = weighing.map(|case| (!to_bits(scores.at(case)), case)).collect();
        order.sort_unstable();
        let mut steps: Vec<Step> = Vec::new();
        let (mut true_positives, mut false_positives, mut last) = (0.0, 0.0, None);
        for (bits, case) in order {
            let sum = if positive[case] { &mut true_positives } else { &mut false_positives };
            *sum += weights[case];
            if last.replace(bits) == Some(bits) {
                steps.pop();
            }
            steps.push(Step { threshold: of_bits(!bits), true_positives, false_positives });
        }
        Self { positives: true_positives, negatives: false_positives, order: Order::Weighed(steps) }
    }
}

impl Walk for Ranking {
    fn positives(&self) -> f64 {
        self.positives
    }

    fn negatives(&self) -> f64 {
        self.negatives
    }

    fn walk(&self, see: impl FnMut(Step)) {
        match &self.order {
            Order::Weighed(steps) => steps.iter().copied().for_each(see),
            Order::Counted { positives, negatives } => merge(positives, negatives, see),
            Order::Placed(placed) => placed.walk(see),
        }
    }
}

fn merge(positives: &[u64], negatives: &[u64], mut see: impl FnMut(Step)) {
    let (mut tp, mut fp) = (0, 0);
    while tp < positives.len() || fp < negatives.len() {
        let heads = (positives.get(tp).copied(), negatives.get(fp).copied());
        let bits = heads.0.max(heads.1).unwrap_or_default();
        tp += run(&positives[tp..], bits);
        fp += run(&negatives[fp..], bits);
        see(Step { threshold: of_bits(bits), true_positives: tp as f64, false_positives: fp as f64 });
    }
}

/// How many of the first are these.
fn run(sorted: &[u64], bits: u64) -> usize {
    sorted.iter().take_while(|one| **one == bits).count()
}

/// Bits that are in the order of finite numbers. Adding zero makes one zero of the two.
fn to_bits(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn of_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::areas::Areas;
    use crate::threshold::{Target, choose};
    use proptest::prelude::*;

    fn steps(positive: &[bool], scores: &[f64], weights: Option<&[f64]>) -> Vec<Step> {
        let cases = Cases::new(positive, weights).expect("sound cases");
        let mut steps = Vec::new();
        Ranking::new(&cases, Scores::F64(scores)).expect("sound scores").walk(|step| steps.push(step));
        steps
    }

    #[test]
    fn both_zeros_are_one_score() {
        assert_eq!(steps(&[true, false, false], &[0.0, -0.0, -1.0], None).len(), 2);
    }

    #[test]
    fn a_case_without_weight_drops_out() {
        assert_eq!(steps(&[true, false], &[2.0, 1.0], Some(&[1.0, 0.0])).len(), 1);
    }

    #[test]
    fn odd_input_is_named() {
        let cases = Cases::new(&[true, false], None).expect("sound cases");
        let refused = Ranking::new(&cases, Scores::F64(&[1.0, f64::INFINITY])).expect_err("infinite");
        assert_eq!(refused.to_string(), "the score of case 1 is inf, not a finite number");
        let refused = Cases::new(&[true], Some(&[-1.0])).expect_err("negative");
        assert_eq!(refused.to_string(), "the weight of case 0 is -1, not a finite number of at least 0");
        assert_eq!(Cases::new(&[], None).expect_err("empty"), CasesError::Empty);
        assert_eq!(Cases::new(&[true], Some(&[0.0])).expect_err("nothing"), CasesError::NoWeight);
        let refused = Ranking::new(&cases, Scores::F32(&[1.0])).expect_err("short");
        assert_eq!(refused.to_string(), "2 labels have 1 scores");
    }

    proptest! {
        #[test]
        fn a_step_counts_what_scores_at_least_its_threshold(
            cases in prop::collection::vec((any::<bool>(), -3_i8..3), 1..40)
        ) {
            let (positive, scores): (Vec<bool>, Vec<f64>) =
                cases.iter().map(|(label, score)| (*label, f64::from(*score) / 2.0)).unzip();
            let counted = steps(&positive, &scores, None);
            for step in &counted {
                let count = |class| (0..scores.len())
                    .filter(|case| positive[*case] == class && scores[*case] >= step.threshold).count() as f64;
                prop_assert_eq!(step.true_positives, count(true));
                prop_assert_eq!(step.false_positives, count(false));
            }
            prop_assert!(counted.windows(2).all(|pair| pair[0].threshold > pair[1].threshold));
            prop_assert_eq!(counted, steps(&positive, &scores, Some(&vec![1.0; scores.len()])));
        }

        #[test]
        fn figures_of_corners_are_those_of_all_steps(
            positives in prop::collection::vec(-3_i8..4, 0..4),
            negatives in prop::collection::vec(-5_i8..6, 64..90),
            scale in prop::sample::select(vec![0.5, 1e300, 5e-324]),
        ) {
            let scores: Vec<f64> = positives.iter().chain(&negatives).map(|score| f64::from(*score) * scale).collect();
            let positive: Vec<bool> = (0..scores.len()).map(|case| case < positives.len()).collect();
            let cases = Cases::new(&positive, None).expect("sound cases");
            let all = steps(&positive, &scores, None);
            let corners = Ranking::corners(&cases, Scores::F64(&scores)).expect("sound scores");
            prop_assert!(matches!(corners.order, Order::Placed(_)));
            let mut kept = Vec::new();
            corners.walk(|step| kept.push(step));
            prop_assert!(kept.iter().all(|step| all.contains(step)));
            prop_assert_eq!(kept.last(), all.last());
            let full = Ranking::new(&cases, Scores::F64(&scores)).expect("sound scores");
            prop_assert_eq!(Areas::of(&corners), Areas::of(&full));
            let targets = [Target::FScore(1.0), Target::Precision(0.2), Target::Recall(0.5), Target::FalseAlarms(9.0)];
            prop_assert_eq!(choose(&corners, &targets), choose(&full, &targets));
        }

        #[test]
        fn bits_are_in_the_order_of_numbers(one in any::<f64>(), other in any::<f64>()) {
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert_eq!(to_bits(one).cmp(&to_bits(other)), one.partial_cmp(&other).expect("finite"));
            prop_assert_eq!(of_bits(to_bits(one)), one);
        }
    }
}
