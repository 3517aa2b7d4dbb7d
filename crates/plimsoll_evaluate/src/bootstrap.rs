//! Intervals of figures that no formula gives one for: percentiles of what resamples come to (Efron and Tibshirani 1993).
//!
//! Each resample has random numbers of its own, from the seed and its number, so that nothing depends on how many threads work.

use rand::SeedableRng as _;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::areas::{Areas, partial_roc_area};
use crate::cases::{Cases, CasesError, Scores};
use crate::grid::{GRID, precision_by_recall, recall_by_false_positive_rate};
use crate::ranking::Ranking;
use crate::resample::{Draws, Order, Steps, joined};
use crate::threshold::{NO_ALARM, Target, choose, confusion_at};
use crate::walk::{AtPrevalence, Walk};

/// What resamples are for.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How many.
    pub resamples: u32,
    /// What random numbers start from.
    pub seed: u64,
    /// The share of intervals that hold the true figure, as 0.95.
    pub confidence: f64,
    /// Where the partial area ends, if it is asked for.
    pub max_false_positive_rate: Option<f64>,
    /// Another prevalence, if one is asked for.
    pub prevalence: Option<f64>,
    /// How many times recall weighs more than precision at each of `thresholds`.
    pub betas: Vec<f64>,
    /// Thresholds to choose.
    pub targets: Vec<Target>,
    /// Thresholds whose figures are told.
    pub thresholds: Vec<f64>,
}

/// Intervals of what a threshold comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AtThreshold {
    /// Of the F score with this weight of recall.
    pub f_score: Option<Ends>,
    /// Of the Matthews correlation.
    pub matthews_correlation: Option<Ends>,
    /// Of the balanced accuracy.
    pub balanced_accuracy: Option<Ends>,
    /// Of the weight of false positives.
    pub false_positives: Option<Ends>,
    /// Of the weight of false negatives.
    pub false_negatives: Option<Ends>,
    /// Of the precision at the other prevalence.
    pub precision_at_prevalence: Option<Ends>,
}

/// The ends of an interval, the lower one first.
pub type Ends = (f64, f64);

/// Intervals; None where the figure is none in too many resamples to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intervals {
    /// Of the average precision.
    pub average_precision: Option<Ends>,
    /// Of the ROC area.
    pub roc_area: Option<Ends>,
    /// Of the partial ROC area, corrected.
    pub partial_roc_area: Option<Ends>,
    /// Of the average precision at the other prevalence.
    pub average_precision_at_prevalence: Option<Ends>,
    /// Of each target's threshold.
    pub thresholds: Vec<Option<Ends>>,
    /// Of what each of the plan's thresholds comes to.
    pub at_thresholds: Vec<AtThreshold>,
    /// Of precision over recall, at the places of [`grid`](crate::grid).
    pub precision: Vec<Ends>,
    /// The same at the other prevalence; empty without one.
    pub precision_at_prevalence: Vec<Ends>,
    /// Of recall over the false positive rate.
    pub recall: Vec<Ends>,
}

/// What a resample comes to.
#[derive(Clone, Debug)]
struct Figures {
    average_precision: f64,
    roc_area: f64,
    partial: f64,
    at_prevalence: f64,
    thresholds: Vec<f64>,
    /// F score, Matthews correlation, balanced accuracy, false positives, false negatives, precision at the other prevalence.
    at_thresholds: Vec<[f64; 6]>,
    precision: Vec<f64>,
    precision_at_prevalence: Vec<f64>,
    recall: Vec<f64>,
}

impl Figures {
    fn of(cases: &impl Walk, plan: &Plan) -> Self {
        let areas = Areas::of(cases);
        let elsewhere = plan.prevalence.and_then(|prevalence| AtPrevalence::new(cases, prevalence));
        let thresholds = choose(cases, &plan.targets).into_iter();
        Self {
            average_precision: areas.average_precision,
            roc_area: areas.roc_area.unwrap_or(f64::NAN),
            partial: plan
                .max_false_positive_rate
                .and_then(|rate| partial_roc_area(cases, rate))
                .map_or(f64::NAN, |(_, corrected)| corrected),
            at_prevalence: elsewhere.as_ref().map_or(f64::NAN, |cases| Areas::of(cases).average_precision),
            thresholds: thresholds.map(|step| step.map_or(f64::NAN, |step| step.threshold)).collect(),
            at_thresholds: at_thresholds(cases, plan),
            precision: precision_by_recall(cases),
            precision_at_prevalence: elsewhere.as_ref().map_or(Vec::new(), precision_by_recall),
            recall: recall_by_false_positive_rate(cases),
        }
    }
}

/// What each of the plan's thresholds comes to.
fn at_thresholds(cases: &impl Walk, plan: &Plan) -> Vec<[f64; 6]> {
    let mut steps = vec![NO_ALARM; plan.thresholds.len()];
    if !steps.is_empty() {
        cases.walk(|step| {
            for (at, threshold) in steps.iter_mut().zip(&plan.thresholds) {
                if step.threshold >= *threshold {
                    *at = step;
                }
            }
        });
    }
    let elsewhere = plan.prevalence.and_then(|prevalence| AtPrevalence::new(cases, prevalence));
    steps
        .into_iter()
        .zip(&plan.betas)
        .map(|(step, beta)| {
            let found = confusion_at(cases, step);
            let there = elsewhere.as_ref().map(|cases| confusion_at(cases, cases.weigh(step)).precision());
            [
                found.f_score(*beta),
                found.matthews_correlation(),
                found.balanced_accuracy(),
                found.false_positives,
                found.false_negatives,
                there.unwrap_or(f64::NAN),
            ]
        })
        .collect()
}

/// Intervals of one detector's figures. Without weights the ranking is all it takes.
///
/// # Errors
/// As [`Ranking::new`].
pub fn intervals(
    cases: &Cases,
    scores: Scores,
    ranking: &Ranking,
    plan: &Plan,
) -> Result<Intervals, CasesError> {
    let figures = if cases.weights().is_some() {
        let order = Order::new(cases, scores, ranking, &plan.thresholds)?;
        resampled(plan, Draws::new(cases.positive()), |draws, generator| {
            draws.draw(generator);
            Figures::of(&order.of_draws(draws), plan)
        })
    } else {
        resampled(plan, Steps::new(ranking, &plan.thresholds), |steps, generator| {
            steps.draw(generator);
            Figures::of(steps, plan)
        })
    };
    // Joined steps make areas a little smaller; the resamples' spread is what they are for.
    let (whole, joined) = (Figures::of(ranking, plan), Figures::of(&joined(ranking, &plan.thresholds), plan));
    Ok(summary(&figures, plan, &whole, &joined))
}

/// A difference of two detectors on the same cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// Its interval.
    pub ends: Ends,
    /// The share of resamples on the other side of zero, doubled, as the chance of such a difference without one.
    pub p_value: f64,
}

/// The average precision of one detector less that of the other, each resample counting the same cases for both. None without
/// resamples.
///
/// # Errors
/// As [`Ranking::new`].
pub fn average_precision_difference(
    cases: &Cases,
    first: (Scores, &Ranking),
    second: (Scores, &Ranking),
    plan: &Plan,
) -> Result<Option<PairedDifference>, CasesError> {
    let orders = [Order::new(cases, first.0, first.1, &[])?, Order::new(cases, second.0, second.1, &[])?];
    let lost = lost_by_joining(first.1) - lost_by_joining(second.1);
    let differences = resampled(plan, Draws::new(cases.positive()), |draws, generator| {
        draws.draw(generator);
        let of = |order: &Order| Areas::of(&order.of_draws(draws)).average_precision;
        of(&orders[0]) - of(&orders[1]) + lost
    });
    Ok(percentiles(&differences, plan.confidence).map(|ends| {
        let all = differences.len() as f64;
        let share = |is: fn(&f64) -> bool| differences.iter().filter(|one| is(one)).count() as f64;
        // One more of each, since a share of resamples is never surely zero (Davison and Hinkley 1997, 4.2).
        let smaller = (share(|one| *one <= 0.0) + 1.0).min(share(|one| *one >= 0.0) + 1.0);
        PairedDifference { ends, p_value: (2.0 * smaller / (all + 1.0)).min(1.0) }
    }))
}

fn lost_by_joining(ranking: &Ranking) -> f64 {
    Areas::of(ranking).average_precision - Areas::of(&joined(ranking, &[])).average_precision
}

/// Each resample's figures, in their order.
fn resampled<S: Clone + Send, T: Send>(
    plan: &Plan,
    sample: S,
    compute: impl Fn(&mut S, &mut Xoshiro256PlusPlus) -> T + Sync,
) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
    let each = plan.resamples.div_ceil(threads).max(1);
    let run = |start: u32, mut sample: S| -> Vec<T> {
        let numbers = start..(start + each).min(plan.resamples);
        numbers.map(|number| compute(&mut sample, &mut generator(plan.seed, number))).collect()
    };
    std::thread::scope(|scope| {
        let starts = (0..plan.resamples).step_by(each as usize);
        let running: Vec<_> = starts
            .map(|start| {
                let (run, sample) = (&run, sample.clone());
                scope.spawn(move || run(start, sample))
            })
            .collect();
        let ended = running.into_iter();
        ended.flat_map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn generator(seed: u64, number: u32) -> Xoshiro256PlusPlus {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&number.to_le_bytes());
    bytes[12] = 1;
    let mut generator = Xoshiro256PlusPlus::from_seed(bytes);
    // Seeds that are alike begin alike.
    generator.jump();
    generator
}

/// Percentiles, moved by what the whole curve has more than the joined one.
fn summary(figures: &[Figures], plan: &Plan, whole: &Figures, joined: &Figures) -> Intervals {
    let ends = |of: &dyn Fn(&Figures) -> f64| {
        percentiles(&figures.iter().map(of).collect::<Vec<_>>(), plan.confidence)
    };
    let moved = |of: &dyn Fn(&Figures) -> f64| {
        let lost = of(whole) - of(joined);
        let lost = if lost.is_finite() { lost } else { 0.0 };
        ends(of).map(|(low, high)| ((low + lost).clamp(0.0, 1.0), (high + lost).clamp(0.0, 1.0)))
    };
    let band = |of: fn(&Figures) -> &Vec<f64>| -> Vec<Ends> {
        (0..GRID).map_while(|place| moved(&|one| of(one).get(place).copied().unwrap_or(f64::NAN))).collect()
    };
    Intervals {
        average_precision: moved(&|one| one.average_precision),
        roc_area: moved(&|one| one.roc_area),
        partial_roc_area: moved(&|one| one.partial),
        average_precision_at_prevalence: moved(&|one| one.at_prevalence),
        thresholds: (0..plan.targets.len()).map(|target| ends(&|one| one.thresholds[target])).collect(),
        at_thresholds: (0..plan.thresholds.len())
            .map(|place| {
                let of = |figure: usize| ends(&|one| one.at_thresholds[place][figure]);
                AtThreshold {
                    f_score: of(0),
                    matthews_correlation: of(1),
                    balanced_accuracy: of(2),
                    false_positives: of(3),
                    false_negatives: of(4),
                    precision_at_prevalence: of(5),
                }
            })
            .collect(),
        precision: band(|one| &one.precision),
        precision_at_prevalence: band(|one| &one.precision_at_prevalence),
        recall: band(|one| &one.recall),
    }
}

/// The middle part of what there is, ends between two values as `numpy.quantile` puts them. None where more than the outer part
/// has no value.
fn percentiles(values: &[f64], confidence: f64) -> Option<Ends> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let outside = (1.0 - confidence) / 2.0;
    if sorted.is_empty() || ((values.len() - sorted.len()) as f64) > outside * values.len() as f64 {
        return None;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    Some((quantile(&sorted, outside), quantile(&sorted, 1.0 - outside)))
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    // Infinite thresholds have no middle.
    if below == above { below } else { below + (above - below) * place.fract() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Plan {
        Plan {
            resamples: 400,
            seed,
            confidence: 0.95,
            max_false_positive_rate: Some(0.5),
            prevalence: Some(0.01),
            targets: vec![Target::FScore(1.0), Target::Precision(2.0)],
            thresholds: vec![0.8],
            betas: vec![1.0],
        }
    }

    fn sample(count: usize) -> (Vec<bool>, Vec<f64>, Vec<f64>) {
        let positive: Vec<bool> = (0..count).map(|case| case % 4 == 0).collect();
        let mixed = |case: usize, salt: usize| ((case + salt) * 7919 % 1009) as f64 / 1009.0;
        let score = |salt, gain: f64| -> Vec<f64> {
            (0..count).map(|case| mixed(case, salt) + gain * f64::from(u8::from(positive[case]))).collect()
        };
        let (good, bad) = (score(3, 0.6), score(500, 0.1));
        (positive, good, bad)
    }

    #[test]
    fn intervals_hold_the_figure_and_narrow_with_the_cases() {
        let mut widths = Vec::new();
        for count in [200, 8000] {
            let (positive, scores, _) = sample(count);
            let cases = Cases::new(&positive, None).expect("sound cases");
            let scores = Scores::F64(&scores);
            let ranking = Ranking::new(&cases, scores).expect("sound scores");
            let found = intervals(&cases, scores, &ranking, &plan(1)).expect("sound scores");
            let areas = Areas::of(&ranking);
            let (low, high) = found.average_precision.expect("resamples");
            assert!(low < areas.average_precision && areas.average_precision < high);
            let (low, high) = found.roc_area.expect("resamples");
            let area = areas.roc_area.expect("two classes");
            assert!(low < area && area < high);
            widths.push(high - low);
            assert_eq!((found.precision.len(), found.recall.len()), (GRID, GRID));
            assert!(found.thresholds[0].is_some() && found.thresholds[1].is_none());
            let positives = ranking.positives();
            let step = choose(&ranking, &[Target::Given(0.8)])[0].expect("scores are as high");
            let confusion = confusion_at(&ranking, step);
            let at = found.at_thresholds[0];
            let holds =
                |ends: Option<Ends>, value| ends.is_some_and(|(low, high)| low < value && value < high);
            assert!(
                holds(at.f_score, confusion.f_score(1.0))
                    && holds(at.matthews_correlation, confusion.matthews_correlation())
            );
            assert!(
                holds(at.balanced_accuracy, confusion.balanced_accuracy())
                    && at.precision_at_prevalence.is_some()
            );
            // Misses are as a binomial distribution has them: 1.96 deviations to either side.
            let share = confusion.false_negatives / positives;
            let expected = 2.0 * 1.96 * (positives * share * (1.0 - share)).sqrt();
            let (low, high) = at.false_negatives.expect("resamples");
            assert!(((high - low) / expected - 1.0).abs() < 0.2, "{low} {high} {expected}");
            assert!(found.partial_roc_area.is_some() && found.average_precision_at_prevalence.is_some());
            assert_eq!(found, intervals(&cases, scores, &ranking, &plan(1)).expect("the same"));
            assert_ne!(found, intervals(&cases, scores, &ranking, &plan(2)).expect("others"));
        }
        // A root of forty times the cases.
        assert!(widths[0] / widths[1] > 4.0 && widths[0] / widths[1] < 9.0, "{widths:?}");
    }

    #[test]
    fn weights_of_one_change_little() {
        let (positive, scores, _) = sample(2000);
        let ones = vec![1.0; positive.len()];
        let of = |weights| {
            let cases = Cases::new(&positive, weights).expect("sound cases");
            let scores = Scores::F64(&scores);
            let ranking = Ranking::new(&cases, scores).expect("sound scores");
            intervals(&cases, scores, &ranking, &plan(1)).expect("sound").roc_area.expect("two classes")
        };
        let (counted, weighed) = (of(None), of(Some(&ones)));
        assert!((counted.0 - weighed.0).abs() < 0.005 && (counted.1 - weighed.1).abs() < 0.005);
    }

    #[test]
    fn joined_steps_change_no_interval_that_is_read() {
        let (positive, scores, _) = sample(40_000);
        let scores: Vec<f64> =
            scores.iter().enumerate().map(|(case, score)| score + (case % 977) as f64 * 1e-7).collect();
        let cases = Cases::new(&positive, None).expect("sound cases");
        let ranking = Ranking::new(&cases, Scores::F64(&scores)).expect("sound scores");
        let found = intervals(&cases, Scores::F64(&scores), &ranking, &plan(1)).expect("sound");
        let whole = resampled(&plan(1), Draws::new(&positive), |draws, generator| {
            draws.draw(generator);
            let drawn: Vec<f64> = (0..positive.len()).map(|case| draws.count(case)).collect();
            let cases = Cases::new(&positive, Some(&drawn)).expect("sound cases");
            Areas::of(&Ranking::new(&cases, Scores::F64(&scores)).expect("sound scores")).average_precision
        });
        let (low, high) = percentiles(&whole, 0.95).expect("resamples");
        let joined = found.average_precision.expect("resamples");
        let width = high - low;
        assert!((joined.0 - low).abs() < width / 8.0 && (joined.1 - high).abs() < width / 8.0, "{joined:?}");
    }

    #[test]
    fn a_difference_is_told_from_chance() {
        let (positive, good, bad) = sample(1000);
        let cases = Cases::new(&positive, None).expect("sound cases");
        let difference = |first, second| {
            let [of_first, of_second] =
                [first, second].map(|scores| Ranking::new(&cases, scores).expect("sound scores"));
            let found =
                average_precision_difference(&cases, (first, &of_first), (second, &of_second), &plan(1));
            found.expect("sound").expect("resamples")
        };
        let found = difference(Scores::F64(&good), Scores::F64(&bad));
        assert!(found.ends.0 > 0.0 && found.p_value < 0.01, "{found:?}");
        let found = difference(Scores::F64(&good), Scores::F64(&good));
        assert!(found.ends == (0.0, 0.0) && found.p_value == 1.0, "{found:?}");
    }
}
