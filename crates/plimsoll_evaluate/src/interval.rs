//! Intervals of a share that was counted.

use statrs::distribution::{ContinuousCDF as _, Normal};
use statrs::function::beta::beta_reg;

/// The exact interval, `(low, high)`, of a share that was seen in `successes` of `trials` (Clopper and Pearson 1934): it holds
/// the true share at least with this confidence. None without trials.
#[must_use]
pub fn clopper_pearson(successes: u64, trials: u64, confidence: f64) -> Option<(f64, f64)> {
    if trials == 0 || successes > trials {
        return None;
    }
    let (hits, misses) = (successes as f64, (trials - successes) as f64);
    let outside = (1.0 - confidence) / 2.0;
    let low = if successes == 0 { 0.0 } else { beta_quantile(hits, misses + 1.0, outside) };
    let high = if successes == trials { 1.0 } else { beta_quantile(hits + 1.0, misses, 1.0 - outside) };
    Some((low, high))
}

/// The interval, `(low, high)`, of the score test (Wilson 1927). `trials` may be an effective number. None without trials.
#[must_use]
pub fn wilson(share: f64, trials: f64, confidence: f64) -> Option<(f64, f64)> {
    if trials.is_nan() || trials <= 0.0 {
        return None;
    }
    let square = Normal::standard().inverse_cdf(1.0 - (1.0 - confidence) / 2.0).powi(2);
    let middle = share + square / (2.0 * trials);
    let half = (square * (share * (1.0 - share) / trials + square / (4.0 * trials * trials))).sqrt();
    let stretched = 1.0 + square / trials;
    Some((((middle - half) / stretched).max(0.0), ((middle + half) / stretched).min(1.0)))
}

/// Where the beta distribution reaches `share`, by halving. The library's own inverse goes by Newton's method from a formula
/// that is given for middling shares.
fn beta_quantile(a: f64, b: f64, share: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    loop {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if beta_reg(a, b, middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<(f64, f64)>, low: f64, high: f64) {
        let found = found.expect("there are trials");
        assert!((found.0 - low).abs() < 1e-9 && (found.1 - high).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn ends_without_hits_or_misses_are_known_in_closed_form() {
        check(clopper_pearson(0, 20, 0.95), 0.0, 1.0 - 0.025_f64.powf(1.0 / 20.0));
        check(clopper_pearson(59, 59, 0.9), 0.05_f64.powf(1.0 / 59.0), 1.0);
        assert_eq!(clopper_pearson(0, 0, 0.95), None);
        assert_eq!(wilson(0.0, 0.0, 0.95), None);
    }

    #[test]
    fn an_exact_end_is_where_the_binomial_tail_has_the_rest() {
        let (low, high) = clopper_pearson(7, 10, 0.95).expect("there are trials");
        let tail = |share: f64, from: i32, to: i32| -> f64 {
            let ways = [1.0, 10.0, 45.0, 120.0, 210.0, 252.0, 210.0, 120.0, 45.0, 10.0, 1.0];
            (from..=to)
                .map(|hits| ways[hits as usize] * share.powi(hits) * (1.0 - share).powi(10 - hits))
                .sum()
        };
        assert!((tail(low, 7, 10) - 0.025).abs() < 1e-9, "{low}");
        assert!((tail(high, 0, 7) - 0.025).abs() < 1e-9, "{high}");
    }

    #[test]
    fn the_ends_of_wilson_fail_the_score_test_just_so() {
        let (low, high) = wilson(0.3, 50.0, 0.95).expect("there are trials");
        for end in [low, high] {
            let distance = (0.3 - end) / (end * (1.0 - end) / 50.0_f64).sqrt();
            assert!((distance.abs() - 1.959_963_984_540_054).abs() < 1e-6, "{end}");
        }
    }
}
