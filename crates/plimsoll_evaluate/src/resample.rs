//! Resamples of cases, drawn from each class apart, in the order that the cases already have.
//!
//! Nothing is sorted anew: a resample gives each case of the one sorted order a number of times that it counts. In a large class
//! these numbers are Poisson's, one case's independent of the others', and the class is scaled to its size (Chamandy et al. 2012);
//! in a small one as many cases as it has are drawn, with replacement (Efron 1979).

use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, Poisson};

use crate::cases::{Cases, CasesError, Scores};
use crate::ranking::Step;
use crate::walk::Walk;

/// Classes of fewer cases are drawn case by case.
const SMALL: u64 = 1000;

/// How often each case of a sample counts.
#[derive(Clone, Debug)]
pub struct Draws {
    counts: Vec<u32>,
    classes: [Vec<u32>; 2],
}

impl Draws {
    /// For cases of these labels.
    #[must_use]
    pub fn new(positive: &[bool]) -> Self {
        let of_class = |class: bool| {
            let cases = positive.iter().enumerate().filter(|(_, label)| **label == class);
            cases.map(|(case, _)| case as u32).collect()
        };
        Self { counts: vec![1; positive.len()], classes: [of_class(true), of_class(false)] }
    }

    /// Draws anew.
    pub fn draw(&mut self, generator: &mut impl Rng) {
        for class in &self.classes {
            if (class.len() as u64) < SMALL {
                class.iter().for_each(|case| self.counts[*case as usize] = 0);
                for _ in class {
                    let case = class[generator.random_range(0..class.len())];
                    self.counts[case as usize] += 1;
                }
            } else {
                class.iter().for_each(|case| self.counts[*case as usize] = poisson_of_one(generator));
            }
        }
    }
}

/// One detector's order of cases, for resamples that several share, or whose cases have weights.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    cases: &'a Cases<'a>,
    /// The highest score first.
    by_score: Vec<(f64, u32)>,
    sums: [f64; 2],
}

impl<'a> Order<'a> {
    /// Sorts cases by their scores. Those that weigh nothing drop out.
    ///
    /// # Errors
    /// Where scores aren't as many as cases, or not finite.
    pub fn new(cases: &'a Cases, scores: Scores) -> Result<Self, CasesError> {
        cases.check(&scores)?;
        let weighing = (0..cases.positive().len()).filter(|case| cases.weight(*case) != 0.0);
        let mut by_score: Vec<(f64, u32)> =
            weighing.map(|case| (scores.at(case) + 0.0, case as u32)).collect();
        by_score.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let mut order = Self { cases, by_score, sums: [0.0; 2] };
        order.sums = order.sums_of(|_| 1.0);
        Ok(order)
    }

    fn sums_of(&self, count: impl Fn(usize) -> f64) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for (_, case) in &self.by_score {
            let case = *case as usize;
            sums[usize::from(!self.cases.positive()[case])] += self.cases.weight(case) * count(case);
        }
        sums
    }

    /// The cases, as often as they were drawn.
    #[must_use]
    pub fn of_draws<'b>(&'b self, draws: &'b Draws) -> OrderOfDraws<'b> {
        let drawn = self.sums_of(|case| f64::from(draws.counts[case]));
        OrderOfDraws { order: self, draws, scale: scales(self.sums, drawn) }
    }
}

fn scales(sums: [f64; 2], drawn: [f64; 2]) -> [f64; 2] {
    [0, 1].map(|class| if drawn[class] > 0.0 { sums[class] / drawn[class] } else { 0.0 })
}

/// See [`Order::of_draws`].
#[derive(Clone, Copy, Debug)]
pub struct OrderOfDraws<'a> {
    order: &'a Order<'a>,
    draws: &'a Draws,
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
        let cases = self.order.cases;
        let mut sums = [0.0; 2];
        for ties in self.order.by_score.chunk_by(|one, other| one.0 == other.0) {
            for (_, case) in ties {
                let case = *case as usize;
                let times = f64::from(self.draws.counts[case]);
                sums[usize::from(!cases.positive()[case])] += cases.weight(case) * times;
            }
            let [true_positives, false_positives] = [sums[0] * self.scale[0], sums[1] * self.scale[1]];
            see(Step { threshold: ties[0].0, true_positives, false_positives });
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
    /// Of cases whose counts are whole.
    #[must_use]
    pub fn new(cases: &impl Walk) -> Self {
        let mut thresholds = Vec::new();
        let (mut positives, mut negatives) = (Vec::new(), Vec::new());
        let (mut tp, mut fp) = (0.0, 0.0);
        cases.walk(|step| {
            thresholds.push(step.threshold);
            positives.push((step.true_positives - tp) as u32);
            negatives.push((step.false_positives - fp) as u32);
            (tp, fp) = (step.true_positives, step.false_positives);
        });
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
        1 => poisson_of_one(generator),
        2..=8 => (0..count).map(|_| poisson_of_one(generator)).sum(),
        _ => Poisson::new(f64::from(count)).map_or(count, |of_all| of_all.sample(generator) as u32),
    }
}

/// Poisson's distribution function of mean 1, in shares of 2^64, until what is left is below one share.
const LEVELS: [u64; 20] = levels();

const fn levels() -> [u64; 20] {
    let mut levels = [0; 20];
    // 2^64 / e, rounded down.
    let mut term: u64 = 6_786_177_901_268_885_274;
    let mut sum: u64 = 0;
    let mut times = 0;
    while times < 20 {
        sum = sum.saturating_add(term);
        levels[times] = sum;
        term /= times as u64 + 1;
        times += 1;
    }
    levels
}

fn poisson_of_one(generator: &mut impl Rng) -> u32 {
    let drawn = generator.next_u64();
    // Seven draws in ten end here; without a branch, since it could not be foreseen.
    let few = u32::from(drawn >= LEVELS[0]) + u32::from(drawn >= LEVELS[1]) + u32::from(drawn >= LEVELS[2]);
    if few < 3 {
        return few;
    }
    LEVELS.iter().take_while(|level| drawn >= **level).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ranking;
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
        let drawn: Vec<f64> = (0..400_000).map(|_| f64::from(poisson_of_one(&mut generator))).collect();
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
            let (mut steps, mut draws) = (Steps::new(&ranking), Draws::new(&positive));
            let order = Order::new(&cases, Scores::F64(&scores)).expect("sound scores");
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

    fn last(cases: &impl Walk) -> Step {
        let mut last = None;
        cases.walk(|step| last = Some(step));
        last.expect("there are cases")
    }
}
