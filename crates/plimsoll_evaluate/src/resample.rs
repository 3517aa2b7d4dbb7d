//! Resamples of cases, drawn from each class apart, in the order that the cases already have.
//!
//! Nothing is sorted anew: a resample gives each case of the one sorted order a number of times that it counts. In a large class
//! these numbers are Poisson's, one case's independent of the others', and the class is scaled to its size (Chamandy et al. 2012);
//! in a small one as many cases as it has are drawn, with replacement (Efron 1979).

use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, Poisson};

use crate::cases::{Cases, CasesError, Scores};
use crate::ranking::{Ranking, Step};
use crate::walk::Walk;

/// Classes of fewer cases are drawn case by case.
const SMALL: u64 = 1000;

/// How often each case of a sample counts.
#[derive(Clone, Debug)]
pub struct Draws {
    counts: Vec<u16>,
    /// The cases of each class that is small.
    small: Vec<Vec<u32>>,
}

impl Draws {
    /// For cases of these labels.
    #[must_use]
    pub fn new(positive: &[bool]) -> Self {
        let of_class = |class: bool| -> Vec<u32> {
            let cases = positive.iter().enumerate().filter(|(_, label)| **label == class);
            cases.map(|(case, _)| case as u32).take(SMALL as usize).collect()
        };
        let small = [true, false].map(of_class).into_iter().filter(|cases| (cases.len() as u64) < SMALL);
        Self { counts: vec![1; positive.len()], small: small.collect() }
    }

    /// How often a case counts.
    #[must_use]
    pub fn count(&self, case: usize) -> f64 {
        f64::from(self.counts[case])
    }

    /// Draws anew.
    pub fn draw(&mut self, generator: &mut impl Rng) {
        if self.small.len() < 2 {
            for pair in self.counts.chunks_mut(2) {
                let drawn = generator.next_u64();
                pair[0] = poisson_of_one(drawn as u32);
                if let Some(second) = pair.get_mut(1) {
                    *second = poisson_of_one((drawn >> 32) as u32);
                }
            }
        }
        for class in &self.small {
            class.iter().for_each(|case| self.counts[*case as usize] = 0);
            for _ in class {
                let case = class[generator.random_range(0..class.len())];
                self.counts[case as usize] += 1;
            }
        }
    }
}

/// Some of a curve's steps; see [`joined`].
#[derive(Clone, Debug)]
pub struct Joined {
    steps: Vec<Step>,
    positives: f64,
    negatives: f64,
}

/// Steps of the same curve: the first thousand, and from there on those at which a class comes a four-thousandth of its weight
/// further, and whatever scores at least a threshold that is to be kept. Fewer cases than that have all of their steps.
#[must_use]
pub fn joined(cases: &impl Walk, kept: &[f64]) -> Joined {
    let (positives, negatives) = (cases.positives(), cases.negatives());
    let place = |part: f64, whole: f64| if whole > 0.0 { (part / whole * SHARES) as u32 } else { 0 };
    let (mut steps, mut last, mut at) = (Vec::new(), None, (0, 0));
    cases.walk(|step| {
        let now = (place(step.true_positives, positives), place(step.false_positives, negatives));
        let parts = |before: &Step| kept.iter().any(|at| before.threshold >= *at && step.threshold < *at);
        steps.extend(last.filter(parts));
        last = Some(step);
        if steps.len() < FIRST || now != at {
            steps.extend(last.take());
            at = now;
        }
    });
    steps.extend(last);
    Joined { steps, positives, negatives }
}

impl Walk for Joined {
    fn positives(&self) -> f64 {
        self.positives
    }

    fn negatives(&self) -> f64 {
        self.negatives
    }

    fn walk(&self, see: impl FnMut(Step)) {
        self.steps.iter().copied().for_each(see);
    }
}

/// Steps that [`joined`] keeps from the top.
const FIRST: usize = 1024;
/// Shares of a class that it tells apart.
const SHARES: f64 = 4096.0;

/// One detector's cases, each with its place in the order, for resamples that several share, or whose cases have weights.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    cases: &'a Cases<'a>,
    thresholds: Vec<f64>,
    /// Twice the place in `thresholds` of each case, and one more for a negative one.
    places: Vec<u32>,
    sums: [f64; 2],
}

impl<'a> Order<'a> {
    /// Of the cases behind a ranking, at its [`joined`] steps.
    ///
    /// # Errors
    /// Where scores aren't as many as cases, or not finite.
    pub fn new(
        cases: &'a Cases,
        scores: Scores,
        ranking: &Ranking,
        kept: &[f64],
    ) -> Result<Self, CasesError> {
        cases.check(&scores)?;
        let thresholds: Vec<f64> = joined(ranking, kept).steps.iter().map(|step| step.threshold).collect();
        let last = thresholds.len().saturating_sub(1);
        let place = |case: usize| {
            let score = scores.at(case);
            // A case that weighs nothing may be below all.
            let place = thresholds.partition_point(|threshold| *threshold > score).min(last);
            2 * place as u32 + u32::from(!cases.positive()[case])
        };
        let places = (0..scores.len()).map(place).collect();
        Ok(Self { cases, thresholds, places, sums: [ranking.positives(), ranking.negatives()] })
    }

    /// The cases, as often as they were drawn.
    #[must_use]
    pub fn of_draws(&self, draws: &Draws) -> OrderOfDraws<'_> {
        let mut drawn = vec![[0.0; 2]; self.thresholds.len()];
        let places = drawn.as_flattened_mut();
        match self.cases.weights() {
            None => {
                for (place, count) in self.places.iter().zip(&draws.counts) {
                    places[*place as usize] += f64::from(*count);
                }
            }
            Some(weights) => {
                for ((place, count), weight) in self.places.iter().zip(&draws.counts).zip(weights) {
                    places[*place as usize] += f64::from(*count) * weight;
                }
            }
        }
        let sums = drawn.iter().fold([0.0; 2], |sums, of| [sums[0] + of[0], sums[1] + of[1]]);
        let scale = [0, 1].map(|class| if sums[class] > 0.0 { self.sums[class] / sums[class] } else { 0.0 });
        OrderOfDraws { order: self, drawn, scale }
    }
}

/// See [`Order::of_draws`].
#[derive(Clone, Debug)]
pub struct OrderOfDraws<'a> {
    order: &'a Order<'a>,
    /// The weight of each class at each threshold.
    drawn: Vec<[f64; 2]>,
    scale: [f64; 2],
}

impl Walk for OrderOfDraws<'_> {
    fn positives(&self) -> f64 {
        self.order.sums[0]
    }

    fn negatives(&self) -> f64 {
        self.order.sums[1]
    }

    fn walk(&self, mut see: impl FnMut(Step)) {
        let mut sums = [0.0; 2];
        for (threshold, drawn) in self.order.thresholds.iter().zip(&self.drawn) {
            sums = [sums[0] + drawn[0], sums[1] + drawn[1]];
            let [true_positives, false_positives] = [sums[0] * self.scale[0], sums[1] * self.scale[1]];
            see(Step { threshold: *threshold, true_positives, false_positives });
        }
    }
}

/// The steps of one detector, whose cases all weigh 1, and how many cases a draw has at each.
#[derive(Clone, Debug)]
pub struct Steps {
    thresholds: Vec<f64>,
    classes: [Class; 2],
}

#[derive(Clone, Debug)]
struct Class {
    counts: Vec<u32>,
    drawn: Vec<u32>,
    total: u64,
    /// The step of each case, where they are few.
    steps_of_cases: Vec<u32>,
    scale: f64,
}

impl Steps {
    /// At the [`joined`] steps of cases whose counts are whole.
    #[must_use]
    pub fn new(cases: &impl Walk, kept: &[f64]) -> Self {
        let mut thresholds = Vec::new();
        let (mut positives, mut negatives) = (Vec::new(), Vec::new());
        let (mut tp, mut fp) = (0.0, 0.0);
        for step in joined(cases, kept).steps {
            thresholds.push(step.threshold);
            positives.push((step.true_positives - tp) as u32);
            negatives.push((step.false_positives - fp) as u32);
            (tp, fp) = (step.true_positives, step.false_positives);
        }
        Self { thresholds, classes: [Class::new(positives), Class::new(negatives)] }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.thresholds.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.thresholds.is_empty()
    }

    /// Draws anew.
    pub fn draw(&mut self, generator: &mut impl Rng) {
        self.classes.iter_mut().for_each(|class| class.draw(generator));
    }
}

impl Class {
    fn new(counts: Vec<u32>) -> Self {
        let total = counts.iter().map(|count| u64::from(*count)).sum();
        let steps_of_cases = if total < SMALL {
            let steps = counts.iter().enumerate();
            steps.flat_map(|(step, count)| std::iter::repeat_n(step as u32, *count as usize)).collect()
        } else {
            Vec::new()
        };
        Self { drawn: counts.clone(), counts, total, steps_of_cases, scale: 1.0 }
    }

    fn draw(&mut self, generator: &mut impl Rng) {
        if self.total < SMALL {
            self.drawn.fill(0);
            for _ in 0..self.total {
                let case = generator.random_range(0..self.steps_of_cases.len());
                self.drawn[self.steps_of_cases[case] as usize] += 1;
            }
            return;
        }
        let mut total = 0;
        for (drawn, count) in self.drawn.iter_mut().zip(&self.counts) {
            *drawn = poisson(*count, generator);
            total += u64::from(*drawn);
        }
        self.scale = if total > 0 { self.total as f64 / total as f64 } else { 0.0 };
    }
}

impl Walk for Steps {
    fn positives(&self) -> f64 {
        self.classes[0].total as f64
    }

    fn negatives(&self) -> f64 {
        self.classes[1].total as f64
    }

    fn walk(&self, mut see: impl FnMut(Step)) {
        let [positives, negatives] = &self.classes;
        let (mut tp, mut fp) = (0_u64, 0_u64);
        for ((threshold, positive), negative) in
            self.thresholds.iter().zip(&positives.drawn).zip(&negatives.drawn)
        {
            tp += u64::from(*positive);
            fp += u64::from(*negative);
            see(Step {
                threshold: *threshold,
                true_positives: tp as f64 * positives.scale,
                false_positives: fp as f64 * negatives.scale,
            });
        }
    }
}

/// How often `count` cases are drawn, each of them once on average.
fn poisson(count: u32, generator: &mut impl Rng) -> u32 {
    match count {
        0 => 0,
        1..=8 => (0..count).map(|_| u32::from(poisson_of_one(generator.next_u32()))).sum(),
        _ => Poisson::new(f64::from(count)).map_or(count, |of_all| of_all.sample(generator) as u32),
    }
}

/// Poisson's distribution function of mean 1, in shares of 2^32, until what is left is below one share.
const LEVELS: [u32; 13] = levels();

const fn levels() -> [u32; 13] {
    let mut levels = [0; 13];
    // 2^64 / e, rounded down.
    let mut term: u64 = 6_786_177_901_268_885_274;
    let mut sum: u64 = 0;
    let mut times = 0;
    while times < 13 {
        sum = sum.saturating_add(term);
        levels[times] = (sum >> 32) as u32;
        term /= times as u64 + 1;
        times += 1;
    }
    levels
}

fn poisson_of_one(drawn: u32) -> u16 {
    // Nine draws in ten end here; without a branch, since it could not be foreseen.
    let few = u16::from(drawn >= LEVELS[0]) + u16::from(drawn >= LEVELS[1]) + u16::from(drawn >= LEVELS[2]);
    if few < 3 {
        return few;
    }
    LEVELS.iter().take_while(|level| drawn >= **level).count() as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::areas::Areas;
    use rand::SeedableRng as _;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn sample(count: usize) -> (Vec<bool>, Vec<f64>) {
        let positive: Vec<bool> = (0..count).map(|case| case % 3 == 0).collect();
        let scores = (0..count).map(|case| ((case * 7919) % 101 + 30 * usize::from(positive[case])) as f64);
        let scores = scores.collect();
        (positive, scores)
    }

    #[test]
    fn the_mean_and_the_variance_of_draws_are_one() {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
        let drawn: Vec<f64> = (0..400_000).map(|_| f64::from(poisson_of_one(generator.next_u32()))).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance = drawn.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / drawn.len() as f64;
        assert!((mean - 1.0).abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let none = drawn.iter().filter(|one| **one == 0.0).count() as f64 / drawn.len() as f64;
        assert!((none - (-1.0_f64).exp()).abs() < 0.005, "{none}");
    }

    #[test]
    fn a_resample_has_as_many_of_each_class() {
        for count in [60, 9000] {
            let (positive, scores) = sample(count);
            let cases = Cases::new(&positive, None).expect("sound cases");
            let ranking = Ranking::new(&cases, Scores::F64(&scores)).expect("sound scores");
            let mut generator = Xoshiro256PlusPlus::seed_from_u64(2);
            let (mut steps, mut draws) = (Steps::new(&ranking, &[]), Draws::new(&positive));
            let order = Order::new(&cases, Scores::F64(&scores), &ranking, &[]).expect("sound scores");
            assert_eq!(Areas::of(&steps), Areas::of(&ranking));
            assert_eq!(Areas::of(&order.of_draws(&draws)), Areas::of(&ranking));
            for _ in 0..20 {
                steps.draw(&mut generator);
                draws.draw(&mut generator);
                for last in [last(&steps), last(&order.of_draws(&draws))] {
                    assert!((last.true_positives - ranking.positives()).abs() < 1e-6, "{last:?}");
                    assert!((last.false_positives - ranking.negatives()).abs() < 1e-6, "{last:?}");
                }
                assert_ne!(Areas::of(&steps), Areas::of(&ranking));
            }
        }
    }

    #[test]
    fn a_joined_curve_runs_through_steps_of_the_whole() {
        let positive: Vec<bool> = (0..60_000).map(|case| case % 3 == 0).collect();
        let scores: Vec<f64> = (0..60_000)
            .map(|case| f64::from(case * 7919 % 60_000) + if case % 3 == 0 { 9e3 } else { 0.0 })
            .collect();
        let cases = Cases::new(&positive, None).expect("sound cases");
        let ranking = Ranking::new(&cases, Scores::F64(&scores)).expect("sound scores");
        let mut all = Vec::new();
        ranking.walk(|step| all.push(step));
        let kept = joined(&ranking, &[all[5000].threshold]).steps;
        assert!(kept.contains(&all[5000]) && !kept.contains(&all[5001]));
        assert!(kept.len() < 10_000 && kept.iter().all(|step| all.contains(step)), "{}", kept.len());
        assert_eq!((kept[..FIRST].last(), kept.last()), (all[..FIRST].last(), all.last()));
        let furthest = kept.windows(2).map(|pair| pair[1].true_positives - pair[0].true_positives);
        assert!(furthest.fold(0.0, f64::max) <= 20_000.0 / SHARES + 1.0);
    }

    fn last(cases: &impl Walk) -> Step {
        let mut last = None;
        cases.walk(|step| last = Some(step));
        last.expect("there are cases")
    }
}
