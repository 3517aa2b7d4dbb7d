//! When things happened, in constant room: counts a step, whose width doubles when time goes on.

/// As many steps at most.
const STEPS: u64 = 1024;

/// The width of all queries' steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    /// Width of a step, in microseconds.
    pub(crate) width_us: u64,
}

impl Default for Steps {
    fn default() -> Self {
        Self { width_us: 1000 }
    }
}

impl Steps {
    /// Makes room for a moment; returns how often the width was doubled.
    pub(crate) fn make_room(&mut self, at_us: u64) -> u32 {
        let mut doubled = 0;
        while at_us / self.width_us >= STEPS {
            self.width_us *= 2;
            doubled += 1;
        }
        doubled
    }
}

/// Counts of one query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits {
    counts: Vec<u32>,
}

impl Hits {
    pub(crate) fn add(&mut self, steps: Steps, at_us: u64) {
        let step = (at_us / steps.width_us) as usize;
        if step >= self.counts.len() {
            self.counts.resize(step + 1, 0);
        }
        self.counts[step] += 1;
    }

    /// Makes one step of each two.
    pub(crate) fn halve(&mut self) {
        self.counts = self.counts.chunks(2).map(|pair| pair.iter().sum()).collect();
    }

    pub(crate) fn told(&self) -> Vec<(u32, u32)> {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(step, count)| (step as u32, *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_widen_and_no_hit_is_lost() {
        let (mut steps, mut hits) = (Steps::default(), Hits::default());
        for at_us in (0..10_000_000).step_by(997) {
            for _ in 0..steps.make_room(at_us) {
                hits.halve();
            }
            hits.add(steps, at_us);
        }
        let told = hits.told();
        assert_eq!(
            told.iter().map(|(_, count)| u64::from(*count)).sum::<u64>(),
            10_000_000_u64.div_ceil(997)
        );
        assert!(told.iter().all(|(step, _)| u64::from(*step) < STEPS));
        assert_eq!(steps.width_us, 16_000);
    }
}
