//! When something happened, in bounded room: calls and time by step. Steps are a second wide at first; when too many hold
//! something, each two become one. The width hangs on what was counted alone, so trends merge in any order to the same bytes.

use serde::{Deserialize, Serialize};

/// As many steps hold something at most.
pub const MOST_STEPS: usize = 1024;

/// What happened in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The step's number since 1970: its begin divided by the width.
    pub number: i64,
    /// How often it happened.
    pub calls: u64,
    /// Time that it took, in microseconds.
    pub total_us: u64,
}

/// Steps in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trend {
    /// The width is 2 to this power, in seconds.
    doublings: u32,
    steps: Vec<Step>,
}

impl Trend {
    /// Counts calls that ended at a moment.
    pub fn add(&mut self, time_us: i64, calls: u64, total_us: u64) {
        let number = time_us.div_euclid(1_000_000) >> self.doublings;
        let step = Step { number, calls, total_us };
        match self.steps.last_mut() {
            Some(last) if last.number == number => last.add(step),
            Some(last) if last.number > number => self.insert(step),
            _ => self.steps.push(step),
        }
        self.make_room();
    }

    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        while self.doublings < other.doublings {
            self.halve();
        }
        let shift = self.doublings - other.doublings;
        for step in &other.steps {
            self.insert(Step { number: step.number >> shift, ..*step });
        }
        self.make_room();
    }

    /// The width of a step, in seconds.
    #[must_use]
    pub const fn width_s(&self) -> i64 {
        1 << self.doublings
    }

    /// The steps that hold something, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn insert(&mut self, step: Step) {
        match self.steps.binary_search_by_key(&step.number, |step| step.number) {
            Ok(at) => self.steps[at].add(step),
            Err(at) => self.steps.insert(at, step),
        }
    }

    fn make_room(&mut self) {
        while self.steps.len() > MOST_STEPS {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.doublings += 1;
        self.steps.iter_mut().for_each(|step| step.number >>= 1);
        self.steps.dedup_by(|next, step| {
            let same = next.number == step.number;
            if same {
                step.add(*next);
            }
            same
        });
    }
}

impl Step {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.total_us = self.total_us.saturating_add(other.total_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(seconds: &[i64]) -> Trend {
        let mut trend = Trend::default();
        seconds.iter().for_each(|second| trend.add(second * 1_000_000, 1, 5));
        trend
    }

    #[test]
    fn steps_widen_when_there_are_too_many() {
        let dense: Vec<i64> = (0..3000).collect();
        let trend = trend(&dense);
        assert_eq!(trend.width_s(), 4);
        assert_eq!(trend.steps()[0], Step { number: 0, calls: 4, total_us: 20 });
        assert_eq!(trend.steps().iter().map(|step| step.calls).sum::<u64>(), 3000);
    }

    #[test]
    fn rare_calls_stay_exact_over_long_times() {
        let rare: Vec<i64> = (0..1000).map(|minute| minute * 86_400).collect();
        assert_eq!(trend(&rare).width_s(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_order_and_split_gives_the_same(
            seconds in proptest::collection::vec(-50_i64..100_000, 0..2500), split in 0_usize..2500,
        ) {
            let whole = trend(&seconds);
            let (one, other) = seconds.split_at(split.min(seconds.len()));
            let mut merged = trend(one);
            merged.merge(&trend(other));
            proptest::prop_assert_eq!(&merged, &whole);
            let mut turned = trend(other);
            turned.merge(&trend(one));
            proptest::prop_assert_eq!(&turned, &whole);
        }
    }
}
