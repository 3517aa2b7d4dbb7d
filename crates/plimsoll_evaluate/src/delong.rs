//! The variance of ROC areas and of their difference, without resamples (DeLong et al. 1988), by ranks (Sun and Xu 2014).

use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::cases::{Cases, CasesError, Scores};

/// The ROC area of one detector less that of another on the same cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaDifference {
    /// Of the data.
    pub value: f64,
    /// The interval's ends, by the normal distribution.
    pub ends: (f64, f64),
    /// The chance of one at least so far from zero if there were none; two-sided.
    pub p_value: f64,
}

/// The difference of two detectors' ROC areas. None of fewer than two cases of a class, or where cases have weights.
///
/// # Errors
/// Where scores aren't as many as cases, or not finite.
pub fn roc_area_difference(
    cases: &Cases,
    first: Scores,
    second: Scores,
    confidence: f64,
) -> Result<Option<AreaDifference>, CasesError> {
    cases.check(&first)?;
    cases.check(&second)?;
    let positives = cases.positive().iter().filter(|label| **label).count();
    let negatives = cases.positive().len() - positives;
    if cases.weights().is_some() || positives < 2 || negatives < 2 {
        return Ok(None);
    }
    let first = wins(cases.positive(), first, positives as f64, negatives as f64);
    let second = wins(cases.positive(), second, positives as f64, negatives as f64);
    let differences = first.iter().zip(&second).map(|(one, other)| one - other);
    let of_class = |class: bool| {
        let labelled = differences.clone().zip(cases.positive());
        labelled.filter(move |(_, label)| **label == class).map(|(difference, _)| difference)
    };
    let (value, of_positives) = mean_and_variance(of_class(true));
    let (_, of_negatives) = mean_and_variance(of_class(false));
    let deviation = (of_positives / positives as f64 + of_negatives / negatives as f64).sqrt();
    Ok(Some(tested(value, deviation, confidence)))
}

fn tested(value: f64, deviation: f64, confidence: f64) -> AreaDifference {
    let normal = Normal::standard();
    let half = normal.inverse_cdf(1.0 - (1.0 - confidence) / 2.0) * deviation;
    let p_value = match (value == 0.0, deviation > 0.0) {
        (true, _) => 1.0,
        (false, false) => 0.0,
        (false, true) => 2.0 * normal.sf(value.abs() / deviation),
    };
    AreaDifference { value, ends: (value - half, value + half), p_value }
}

/// For each case, the share of the other class's cases that it is on the right side of; half of a tie counts.
fn wins(positive: &[bool], scores: Scores, positives: f64, negatives: f64) -> Vec<f64> {
    let mut order: Vec<(f64, u32)> = (0..positive.len()).map(|case| (scores.at(case), case as u32)).collect();
    order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let mut wins = vec![0.0; positive.len()];
    let (mut positives_below, mut negatives_below) = (0.0, 0.0);
    for ties in order.chunk_by(|one, other| one.0 == other.0) {
        let tied = ties.iter().filter(|(_, case)| positive[*case as usize]).count() as f64;
        let tied_negatives = ties.len() as f64 - tied;
        for (_, case) in ties {
            let case = *case as usize;
            wins[case] = if positive[case] {
                (negatives_below + tied_negatives / 2.0) / negatives
            } else {
                (positives - positives_below - tied / 2.0) / positives
            };
        }
        positives_below += tied;
        negatives_below += tied_negatives;
    }
    wins
}

/// The variance is of a sample.
fn mean_and_variance(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (count, sum) = values.clone().fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    let mean = sum / count;
    (mean, values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::areas::Areas;
    use crate::{Ranking, Scores};
    use proptest::prelude::*;

    /// By the definition, pair by pair.
    fn by_pairs(positive: &[bool], scores: [&[f64]; 2]) -> (f64, f64) {
        let of_class = |class| (0..positive.len()).filter(move |case| positive[*case] == class);
        let wins = |scores: &[f64], one: usize, other: usize| match scores[one].total_cmp(&scores[other]) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        let pair = |one, other| wins(scores[0], one, other) - wins(scores[1], one, other);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let variance = |values: &[f64]| {
            let mean = mean(values);
            values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
        };
        let by_positive: Vec<f64> = of_class(true)
            .map(|one| mean(&of_class(false).map(|other| pair(one, other)).collect::<Vec<_>>()))
            .collect();
        let by_negative: Vec<f64> = of_class(false)
            .map(|other| mean(&of_class(true).map(|one| pair(one, other)).collect::<Vec<_>>()))
            .collect();
        let of_both = variance(&by_positive) / by_positive.len() as f64
            + variance(&by_negative) / by_negative.len() as f64;
        (mean(&by_positive), of_both.sqrt())
    }

    proptest! {
        #[test]
        fn ranks_come_to_what_pairs_do(
            cases in prop::collection::vec((any::<bool>(), 0_u8..6, 0_u8..6), 8..40)
        ) {
            let positive: Vec<bool> = cases.iter().map(|case| case.0).collect();
            let first: Vec<f64> = cases.iter().map(|case| f64::from(case.1)).collect();
            let second: Vec<f64> = cases.iter().map(|case| f64::from(case.2)).collect();
            let checked = Cases::new(&positive, None).expect("sound cases");
            let found = roc_area_difference(&checked, Scores::F64(&first), Scores::F64(&second), 0.95);
            if let Some(found) = found.expect("sound scores") {
                let (value, deviation) = by_pairs(&positive, [&first, &second]);
                prop_assert!((found.value - value).abs() < 1e-12);
                prop_assert!((found.ends.1 - value - 1.959_963_984_540_054 * deviation).abs() < 1e-7);
                let area = |scores| Areas::of(&Ranking::new(&checked, Scores::F64(scores)).expect("sound")).roc_area;
                let difference = area(&first).expect("both") - area(&second).expect("both");
                prop_assert!((found.value - difference).abs() < 1e-12);
            }
        }
    }
}
