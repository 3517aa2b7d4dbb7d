//! Counts of durations by size, in buckets that are at most 1/32 wide relative to what they hold.
//!
//! Integers alone: histograms merge in any order to the same bytes. The layout is that of HdrHistogram with five bits
//! below the leading one.

use serde::{Deserialize, Serialize};

/// Bits of a value below its leading one that tell buckets apart.
const PRECISION: u32 = 5;

/// Counts by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

impl Histogram {
    /// Counts a value, in any unit.
    pub fn add(&mut self, value: u64) {
        let bucket = bucket_of(value);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] = self.counts[bucket].saturating_add(1);
        self.total += 1;
    }

    /// Counts what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.total += other.total;
    }

    /// The least value that at least this share (0 to 1) of the values don't exceed, to 1/32 of itself; 0 if there are
    /// none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return highest_of(bucket);
            }
        }
        0
    }
}

fn bucket_of(value: u64) -> usize {
    let exponent = (u64::BITS - value.leading_zeros()).saturating_sub(PRECISION + 1);
    let mantissa = value >> exponent;
    (exponent as usize) * (1 << PRECISION) + mantissa as usize
}

/// The highest value that falls into a bucket.
fn highest_of(bucket: usize) -> u64 {
    let width = 1_usize << PRECISION;
    if bucket < 2 * width {
        return bucket as u64;
    }
    let exponent = bucket / width - 1;
    let mantissa = (bucket - exponent * width) as u64;
    (mantissa << exponent) + ((1 << exponent) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_exact_and_large_ones_to_a_thirty_second() {
        for value in (0..5000).chain([1 << 40, u64::MAX / 3, u64::MAX]) {
            let highest = highest_of(bucket_of(value));
            assert!(highest >= value && highest - value <= value / 32, "{value}: {highest}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), 0);
        (1..=60).for_each(|value| histogram.add(value));
        assert_eq!((histogram.quantile(0.5), histogram.quantile(1.0), histogram.quantile(0.0)), (30, 60, 1));
    }

    proptest::proptest! {
        #[test]
        fn merging_is_counting_together(one in proptest::collection::vec(0_u64..1 << 50, 0..50),
                                        other in proptest::collection::vec(0_u64..1 << 50, 0..50)) {
            let of = |values: &[u64]| {
                let mut histogram = Histogram::default();
                values.iter().for_each(|value| histogram.add(*value));
                histogram
            };
            let mut merged = of(&one);
            merged.merge(&of(&other));
            proptest::prop_assert_eq!(merged, of(&[one, other].concat()));
        }
    }
}
