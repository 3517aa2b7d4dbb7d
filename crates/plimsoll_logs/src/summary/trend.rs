//! When something happened, in bounded room: calls and time by step. Steps are a second wide at first; when too many hold
//! something, each two become one. The earliest seconds are kept beside wider steps, for what comes back at short periods.
//! All hangs on what was counted alone, so trends merge in any order to the same bytes.

use serde::{Deserialize, Serialize};

/// As many steps hold something at most.
pub const MOST_STEPS: usize = 512;
/// As many of the earliest seconds are kept.
pub const MOST_SECONDS: usize = 512;

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
    /// The earliest seconds in which it happened, once steps are wider than that.
    #[serde(with = "differences")]
    seconds: Vec<i64>,
}

impl Trend {
    /// Counts calls that ended at a moment.
    pub fn add(&mut self, time_us: i64, calls: u64, total_us: u64) {
        let second = time_us.div_euclid(1_000_000);
        if self.doublings > 0 {
            self.see(second);
        }
        let number = second >> self.doublings;
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
        if self.doublings > 0 || other.doublings > 0 {
            let mut both: Vec<i64> = self.seconds().chain(other.seconds()).collect();
            both.sort_unstable();
            both.dedup();
            both.truncate(MOST_SECONDS);
            self.seconds = both;
        }
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

    /// The earliest seconds since 1970 in which it happened, in order: all of them, or [`MOST_SECONDS`].
    pub fn seconds(&self) -> impl Iterator<Item = i64> + '_ {
        let of_steps = if self.doublings == 0 { self.steps.as_slice() } else { &[] };
        let seconds = of_steps.iter().map(|step| step.number).take(MOST_SECONDS);
        seconds.chain(self.seconds.iter().copied())
    }

    /// Whether [`Self::seconds`] are all.
    #[must_use]
    pub fn has_all_seconds(&self) -> bool {
        self.doublings == 0 && self.steps.len() <= MOST_SECONDS
    }

    /// Keeps a second if it is one of the earliest.
    fn see(&mut self, second: i64) {
        if self.seconds.last().is_some_and(|last| second > *last) && self.seconds.len() >= MOST_SECONDS {
            return;
        }
        if let Err(at) = self.seconds.binary_search(&second) {
            self.seconds.insert(at, second);
            self.seconds.truncate(MOST_SECONDS);
        }
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
        if self.doublings == 0 && self.seconds.is_empty() {
            self.seconds = self.seconds().collect();
        }
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

/// Numbers in order as the first one and what each adds to the one before, which takes less room.
mod differences {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(numbers: &[i64], serializer: S) -> Result<S::Ok, S::Error> {
        let before = std::iter::once(0).chain(numbers.iter().copied());
        let differences: Vec<i64> =
            numbers.iter().zip(before).map(|(number, before)| number.wrapping_sub(before)).collect();
        differences.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
        let mut numbers = Vec::<i64>::deserialize(deserializer)?;
        let mut before = 0_i64;
        for number in &mut numbers {
            before = before.wrapping_add(*number);
            *number = before;
        }
        Ok(numbers)
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
        assert_eq!(trend.width_s(), 8);
        assert_eq!(trend.steps()[0], Step { number: 0, calls: 8, total_us: 40 });
        assert!(trend.seconds().eq(0..MOST_SECONDS as i64) && !trend.has_all_seconds());
        assert_eq!(trend.steps().iter().map(|step| step.calls).sum::<u64>(), 3000);
    }

    #[test]
    fn rare_calls_stay_exact_over_long_times() {
        let rare: Vec<i64> = (0..500).map(|day| day * 86_400).collect();
        let trend = trend(&rare);
        assert!(trend.width_s() == 1 && trend.has_all_seconds() && trend.seconds().eq(rare));
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
