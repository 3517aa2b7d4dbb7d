//! A ranking where few cases are positive: only these are sorted, and each negative case is placed among them.
//!
//! Between two positive scores a curve runs straight, so that how many negative cases are there is all that counts. To place a
//! case takes a look into a table of equally wide ranges of scores and about one comparison.

use crate::ranking::Step;

/// Negative cases between positive scores.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Distinct positive scores, rising.
    scores: Vec<f64>,
    /// How many positive cases have each.
    positives: Vec<u64>,
    /// Below the first score, at it, between it and the second, and so on: one more than twice as many.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    negatives: u64,
    lowest: f64,
}

const NOBODY: Place = Place { negatives: 0, lowest: f64::INFINITY };

impl Placed {
    /// Of finite scores.
    pub(crate) fn new<T: Copy + Into<f64> + Sync>(positive: &[bool], scores: &[T]) -> Self {
        let mut sorted: Vec<f64> = positive
            .iter()
            .zip(scores)
            .filter(|(label, _)| **label)
            .map(|(_, score)| (*score).into())
            .collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (mut distinct, mut positives) = (Vec::new(), Vec::new());
        for run in sorted.chunk_by(|one, other| one == other) {
            distinct.extend(run.first());
            positives.push(run.len() as u64);
        }
        let table = Table::of(&distinct);
        let middle = scores.len() / 2;
        let place =
            |range: std::ops::Range<usize>| table.place(&distinct, &positive[range.clone()], &scores[range]);
        let places = std::thread::scope(|scope| {
            let first = scope.spawn(|| place(0..middle));
            let second = place(middle..scores.len());
            let first = first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            merged(first, &second)
        });
        Self { scores: distinct, positives, places }
    }

    /// How many negative cases there are.
    pub(crate) fn negatives(&self) -> u64 {
        self.places.iter().map(|place| place.negatives).sum()
    }

    /// The steps with a positive case, and the last before each.
    pub(crate) fn walk(&self, mut see: impl FnMut(Step)) {
        let (mut tp, mut fp) = (0, 0);
        let mut add = |threshold: f64, positives: u64, negatives: u64| {
            tp += positives;
            fp += negatives;
            if positives + negatives > 0 {
                see(Step { threshold, true_positives: tp as f64, false_positives: fp as f64 });
            }
        };
        for (index, place) in self.places.iter().enumerate().rev() {
            if index % 2 == 0 {
                add(place.lowest, 0, place.negatives);
            } else {
                add(self.scores[index / 2] + 0.0, self.positives[index / 2], place.negatives);
            }
        }
    }
}

fn merged(mut one: Vec<Place>, other: &[Place]) -> Vec<Place> {
    for (place, other) in one.iter_mut().zip(other) {
        place.negatives += other.negatives;
        place.lowest = place.lowest.min(other.lowest);
    }
    one
}

/// Equally wide ranges of scores, and the first distinct score that is in each or above.
struct Table {
    low: f64,
    scale: f64,
    starts: Vec<u32>,
}

impl Table {
    fn of(distinct: &[f64]) -> Self {
        let (low, high) =
            (distinct.first().copied().unwrap_or_default(), distinct.last().copied().unwrap_or_default());
        let ranges = (4 * distinct.len()).next_power_of_two().clamp(4, 1 << 20);
        // Where all are in one range, halving does all of the work.
        let scale = (ranges as f64) / (high - low);
        let scale = if scale.is_finite() { scale } else { 0.0 };
        let mut table = Self { low, scale, starts: vec![0; ranges + 1] };
        for score in distinct {
            let range = table.range_of(*score);
            table.starts[range + 1] += 1;
        }
        for range in 0..ranges {
            table.starts[range + 1] += table.starts[range];
        }
        table
    }

    /// Never falls as scores rise. A cast ends at the type's ends.
    fn range_of(&self, score: f64) -> usize {
        (((score - self.low) * self.scale) as usize).min(self.starts.len() - 2)
    }

    fn place<T: Copy + Into<f64>>(&self, distinct: &[f64], positive: &[bool], scores: &[T]) -> Vec<Place> {
        let mut places = vec![NOBODY; 2 * distinct.len() + 1];
        for (label, score) in positive.iter().zip(scores) {
            if *label {
                continue;
            }
            let score: f64 = (*score).into();
            let range = self.range_of(score);
            let (start, end) = (self.starts[range] as usize, self.starts[range + 1] as usize);
            let below = match end - start {
                0 => start,
                1 => start + usize::from(distinct[start] <= score),
                _ => start + distinct[start..end].partition_point(|one| *one <= score),
            };
            let is_tie = below > 0 && distinct[below - 1] == score;
            let place = &mut places[2 * below - usize::from(is_tie)];
            place.negatives += 1;
            place.lowest = place.lowest.min(score + 0.0);
        }
        places
    }
}
