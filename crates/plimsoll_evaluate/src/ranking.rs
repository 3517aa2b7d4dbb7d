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
    /// Of half the width.
    Narrow(Counted<u32>),
    /// Of full width.
    Wide(Counted<u64>),
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
            None => match scores {
                Scores::F32(scores) => Self::counted(Counted::new(cases.positive(), scores), Order::Narrow),
                Scores::F64(scores) => Self::counted(Counted::new(cases.positive(), scores), Order::Wide),
            },
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

    fn counted<B>(counted: Counted<B>, order: fn(Counted<B>) -> Order) -> Self {
        let (positives, negatives) = (counted.positives.len() as f64, counted.negatives.len() as f64);
        Self { order: order(counted), positives, negatives }
    }

    fn weighed(positive: &[bool], scores: Scores, weights: &[f64]) -> Self {
        let weighing = (0..positive.len()).filter(|case| weights[*case] != 0.0);
        let mut order: Vec<(u64, usize)> = weighing.map(|case| (!u64::of(scores.at(case)), case)).collect();
        order.sort_unstable();
        let mut steps: Vec<Step> = Vec::new();
        let (mut true_positives, mut false_positives, mut last) = (0.0, 0.0, None);
        for (bits, case) in order {
            let sum = if positive[case] { &mut true_positives } else { &mut false_positives };
            *sum += weights[case];
            if last.replace(bits) == Some(bits) {
                steps.pop();
            }
            steps.push(Step { threshold: (!bits).score(), true_positives, false_positives });
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
            Order::Narrow(counted) => counted.merge(see),
            Order::Wide(counted) => counted.merge(see),
            Order::Placed(placed) => placed.walk(see),
        }
    }
}

/// The bits of each class's scores, the highest first.
#[derive(Clone, Debug)]
struct Counted<B> {
    positives: Vec<B>,
    negatives: Vec<B>,
}

impl<B: Bits> Counted<B> {
    fn new(positive: &[bool], scores: &[B::Score]) -> Self {
        let (positives, negatives) = std::thread::scope(|scope| {
            let positives = scope.spawn(|| Self::of_class(positive, scores, true));
            let negatives = Self::of_class(positive, scores, false);
            (positives.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), negatives)
        });
        Self { positives, negatives }
    }

    fn of_class(positive: &[bool], scores: &[B::Score], class: bool) -> Vec<B> {
        let count = positive.iter().filter(|label| **label == class).count();
        // One more, since what isn't of the class is written, too, and then overwritten: no branch to foresee.
        let mut bits = vec![B::default(); count + 1];
        let mut next = 0;
        for (label, score) in positive.iter().zip(scores) {
            bits[next] = B::of(*score);
            next += usize::from(*label == class);
        }
        bits.truncate(count);
        bits.sort_unstable_by(|one, other| other.cmp(one));
        bits
    }

    fn merge(&self, mut see: impl FnMut(Step)) {
        let (mut positives, mut negatives) =
            (self.positives.iter().peekable(), self.negatives.iter().peekable());
        let (mut tp, mut fp) = (0_u64, 0_u64);
        while let Some(bits) = positives.peek().copied().max(negatives.peek().copied()).copied() {
            while positives.next_if_eq(&&bits).is_some() {
                tp += 1;
            }
            while negatives.next_if_eq(&&bits).is_some() {
                fp += 1;
            }
            see(Step { threshold: bits.score(), true_positives: tp as f64, false_positives: fp as f64 });
        }
    }
}

/// Bits that are in the order of finite numbers.
trait Bits: Copy + Default + Ord + Send {
    type Score: Copy + Sync;
    /// Adding zero makes one zero of the two.
    fn of(score: Self::Score) -> Self;
    fn score(self) -> f64;
}

impl Bits for u64 {
    type Score = f64;

    fn of(score: f64) -> Self {
        let bits = (score + 0.0).to_bits();
        if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
    }

    fn score(self) -> f64 {
        f64::from_bits(if self >> 63 == 1 { self & !(1 << 63) } else { !self })
    }
}

impl Bits for u32 {
    type Score = f32;

    fn of(score: f32) -> Self {
        let bits = (score + 0.0).to_bits();
        if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
    }

    fn score(self) -> f64 {
        f64::from(f32::from_bits(if self >> 31 == 1 { self & !(1 << 31) } else { !self }))
    }
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
        fn half_the_width_comes_to_the_same(cases in prop::collection::vec((any::<bool>(), -9_i8..9), 1..40)) {
            let positive: Vec<bool> = cases.iter().map(|case| case.0).collect();
            let narrow: Vec<f32> = cases.iter().map(|case| f32::from(case.1) / 4.0).collect();
            let checked = Cases::new(&positive, None).expect("sound cases");
            let mut found = Vec::new();
            Ranking::new(&checked, Scores::F32(&narrow)).expect("sound scores").walk(|step| found.push(step));
            let wide: Vec<f64> = narrow.iter().map(|score| f64::from(*score)).collect();
            prop_assert_eq!(found, steps(&positive, &wide, None));
        }

        #[test]
        fn bits_are_in_the_order_of_numbers(one in any::<f64>(), other in any::<f64>()) {
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert_eq!(u64::of(one).cmp(&u64::of(other)), one.partial_cmp(&other).expect("finite"));
            prop_assert_eq!(u64::of(one).score(), one);
            let (one, other) = (one as f32, other as f32);
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert_eq!(u32::of(one).cmp(&u32::of(other)), one.partial_cmp(&other).expect("finite"));
            prop_assert_eq!(u32::of(one).score(), f64::from(one));
        }
    }
}
