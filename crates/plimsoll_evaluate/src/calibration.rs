//! Whether scores that are probabilities come true.

use crate::cases::{Cases, Scores};
use crate::interval::wilson;

/// The mean squared distance of scores from labels, by weight (Brier 1950; `brier_score_loss`), with its interval by the normal
/// distribution, each class apart. None where a score is no probability.
#[must_use]
pub fn brier_score(cases: &Cases, scores: Scores, confidence: f64) -> Option<(f64, (f64, f64))> {
    if !are_probabilities(scores) {
        return None;
    }
    let mut classes = [Moments::default(); 2];
    for (case, positive) in cases.positive().iter().enumerate() {
        let distance = scores.at(case) - f64::from(u8::from(*positive));
        classes[usize::from(*positive)].add(cases.weight(case), distance * distance);
    }
    let weight: f64 = classes.iter().map(|class| class.weight).sum();
    let score = classes.iter().map(|class| class.sum).sum::<f64>() / weight;
    let variance: f64 = classes.iter().map(Moments::variance_of_sum).sum::<f64>() / (weight * weight);
    let normal = statrs::distribution::Normal::standard();
    let quantile = statrs::distribution::ContinuousCDF::inverse_cdf(&normal, 1.0 - (1.0 - confidence) / 2.0);
    let half = quantile * variance.max(0.0).sqrt();
    Some((score, ((score - half).max(0.0), (score + half).min(1.0))))
}

/// Whether all scores are from 0 to 1.
#[must_use]
pub fn are_probabilities(scores: Scores) -> bool {
    (0..scores.len()).all(|case| (0.0..=1.0).contains(&scores.at(case)))
}

#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    weight: f64,
    sum: f64,
    squares: f64,
    weighted_squares: f64,
    weighted_sum: f64,
    squared_weight: f64,
}

impl Moments {
    fn add(&mut self, weight: f64, value: f64) {
        self.weight += weight;
        self.sum += weight * value;
        self.squares += weight * value * value;
        self.squared_weight += weight * weight;
        self.weighted_sum += weight * weight * value;
        self.weighted_squares += weight * weight * value * value;
    }

    /// Of a sum whose weights are given.
    fn variance_of_sum(&self) -> f64 {
        if self.weight <= 0.0 {
            return 0.0;
        }
        let mean = self.sum / self.weight;
        self.weighted_squares - 2.0 * mean * self.weighted_sum + mean * mean * self.squared_weight
    }
}

/// How bins of scores are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bins {
    /// Equally wide.
    Uniform,
    /// With equally many cases, but for ties.
    Quantile,
}

/// Cases whose scores are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The mean of their scores, by weight.
    pub mean_score: f64,
    /// The share of positive ones, by weight.
    pub positive_share: f64,
    /// How many there are.
    pub cases: u64,
    /// The share's interval (Wilson), by the effective number of cases where they have weights (Kish 1965).
    pub ends: Option<(f64, f64)>,
}

/// Mean scores beside shares of positive cases; bins without a case are left out (`calibration_curve`, which knows no weights).
/// Empty where a score is no probability.
#[must_use]
pub fn calibration_curve(
    cases: &Cases,
    scores: Scores,
    bins: Bins,
    count: usize,
    confidence: f64,
) -> Vec<Bin> {
    if count == 0 || !are_probabilities(scores) {
        return Vec::new();
    }
    let borders = borders(scores, bins, count);
    let mut found = vec![Filling::default(); count];
    for (case, positive) in cases.positive().iter().enumerate() {
        let (score, weight) = (scores.at(case), cases.weight(case));
        if weight > 0.0 {
            let bin = borders.partition_point(|border| *border < score);
            found[bin].add(weight, score, *positive);
        }
    }
    found.into_iter().filter(|bin| bin.cases > 0).map(|bin| bin.filled(confidence)).collect()
}

/// The borders between bins, rising. A score that equals one is in the bin below.
fn borders(scores: Scores, bins: Bins, count: usize) -> Vec<f64> {
    let inner = (1..count).map(|border| border as f64 / count as f64);
    match bins {
        Bins::Uniform => inner.collect(),
        Bins::Quantile => {
            let mut sorted: Vec<f64> = (0..scores.len()).map(|case| scores.at(case)).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let last = sorted.len() - 1;
            let quantile = |share: f64| {
                let place = share * last as f64;
                let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
                below + (above - below) * place.fract()
            };
            inner.map(quantile).collect()
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Filling {
    weight: f64,
    squared_weight: f64,
    score: f64,
    positive: f64,
    cases: u64,
}

impl Filling {
    fn add(&mut self, weight: f64, score: f64, positive: bool) {
        self.weight += weight;
        self.squared_weight += weight * weight;
        self.score += weight * score;
        self.positive += if positive { weight } else { 0.0 };
        self.cases += 1;
    }

    fn filled(self, confidence: f64) -> Bin {
        let positive_share = self.positive / self.weight;
        Bin {
            mean_score: self.score / self.weight,
            positive_share,
            cases: self.cases,
            ends: wilson(positive_share, self.weight * self.weight / self.squared_weight, confidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_probability_has_no_calibration() {
        let cases = Cases::new(&[true, false], None).expect("sound cases");
        assert_eq!(brier_score(&cases, Scores::F64(&[1.5, 0.0]), 0.95), None);
        assert!(calibration_curve(&cases, Scores::F64(&[1.5, 0.0]), Bins::Uniform, 10, 0.95).is_empty());
    }

    #[test]
    fn a_score_on_a_border_is_in_the_bin_below() {
        let cases = Cases::new(&[true, false, true], None).expect("sound cases");
        let found = calibration_curve(&cases, Scores::F64(&[0.5, 0.2, 0.7]), Bins::Uniform, 2, 0.95);
        let plain: Vec<(u64, f64)> = found.iter().map(|bin| (bin.cases, bin.positive_share)).collect();
        assert_eq!(plain, [(2, 0.5), (1, 1.0)]);
    }
}
