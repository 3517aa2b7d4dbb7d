//! When requests arrive: each statement at random with its rate, as many users who don't know of each other send them.
//!
//! The same seed gives the same arrivals.

use plimsoll_core::load::Wanted;

/// A request to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arrival {
    /// Index of its statement.
    pub(super) statement: usize,
    /// When, in milliseconds since the load began.
    pub(super) at_ms: f64,
    /// How many of this statement came before it.
    pub(super) number: usize,
}

/// The endless list of arrivals, in order.
pub(super) struct Arrivals {
    random: Random,
    streams: Vec<Stream>,
}

struct Stream {
    /// Milliseconds between two arrivals in the mean.
    mean_ms: f64,
    next_ms: f64,
    number: usize,
}

impl Arrivals {
    /// Arrivals from `from_ms` on.
    pub(super) fn new(wanted: &[Wanted], from_ms: f64, seed: u64) -> Self {
        let mut random = Random(seed);
        let streams = wanted
            .iter()
            .map(|statement| {
                let mean_ms = 1000.0 / statement.rate_per_s;
                Stream { mean_ms, next_ms: from_ms + random.exponential(mean_ms), number: 0 }
            })
            .collect();
        Self { random, streams }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let (statement, stream) =
            self.streams.iter_mut().enumerate().min_by(|(_, a), (_, b)| a.next_ms.total_cmp(&b.next_ms))?;
        let arrival = Arrival { statement, at_ms: stream.next_ms, number: stream.number };
        stream.next_ms += self.random.exponential(stream.mean_ms);
        stream.number += 1;
        Some(arrival)
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A time until the next of many that come independently.
    fn exponential(&mut self, mean: f64) -> f64 {
        // 53 random bits, above 0 and at most 1.
        let uniform = ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -mean * uniform.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, rate_per_s: f64) -> Wanted {
        Wanted { name: name.into(), rate_per_s }
    }

    #[test]
    fn rates_are_kept_and_times_ascend() {
        let arrivals: Vec<Arrival> = Arrivals::new(&[wanted("a", 300.0), wanted("b", 100.0)], -500.0, 7)
            .take_while(|arrival| arrival.at_ms < 9_500.0)
            .collect();
        assert!(arrivals.is_sorted_by(|a, b| a.at_ms <= b.at_ms));
        let count =
            |statement| arrivals.iter().filter(|arrival| arrival.statement == statement).count() as f64;
        // Poisson: five standard deviations.
        assert!((count(0) - 3000.0).abs() < 5.0 * 3000.0_f64.sqrt(), "{}", count(0));
        assert!((count(1) - 1000.0).abs() < 5.0 * 1000.0_f64.sqrt(), "{}", count(1));
        assert!(arrivals[0].at_ms >= -500.0);
    }

    #[test]
    fn a_seed_gives_the_same_arrivals() {
        let take = |seed| Arrivals::new(&[wanted("a", 1.0)], 0.0, seed).take(5).collect::<Vec<_>>();
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }

    #[test]
    fn without_statements_nobody_arrives() {
        assert_eq!(Arrivals::new(&[], 0.0, 1).next(), None);
    }
}
