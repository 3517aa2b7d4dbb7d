//! Alerts that don't repeat: one for each key, until that has been quiet.

use std::collections::HashMap;

use super::Kind;

/// So many keys are kept; those that were quiet longest are forgotten first.
const MOST_KEYS: usize = 10_000;

/// What was alerted of, and when it was seen last.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    seen: HashMap<(Kind, String), Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    last_us: i64,
    suppressed: u64,
}

impl Repeats {
    /// How many were kept back since the last alert of this key, if one is due now.
    pub(crate) fn due(&mut self, kind: Kind, key: &str, time_us: i64, quiet_us: i64) -> Option<u64> {
        let key = (kind, key.to_owned());
        if let Some(seen) = self.seen.get_mut(&key) {
            let is_quiet = time_us.saturating_sub(seen.last_us) >= quiet_us;
            seen.last_us = seen.last_us.max(time_us);
            let suppressed = seen.suppressed;
            seen.suppressed = if is_quiet { 0 } else { suppressed + 1 };
            return is_quiet.then_some(suppressed);
        }
        if self.seen.len() >= MOST_KEYS {
            self.forget(time_us, quiet_us);
        }
        self.seen.insert(key, Seen { last_us: time_us, suppressed: 0 });
        Some(0)
    }

    fn forget(&mut self, time_us: i64, quiet_us: i64) {
        self.seen.retain(|_, seen| time_us.saturating_sub(seen.last_us) < quiet_us);
        if self.seen.len() >= MOST_KEYS {
            let mut moments: Vec<i64> = self.seen.values().map(|seen| seen.last_us).collect();
            moments.sort_unstable();
            let oldest = moments[moments.len() / 4];
            self.seen.retain(|_, seen| seen.last_us > oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_until_it_was_quiet() {
        let mut repeats = Repeats::default();
        let mut due = |key: &str, time_us| repeats.due(Kind::Deadlock, key, time_us, 100);
        assert_eq!(due("a", 0), Some(0));
        assert_eq!(due("a", 60), None);
        assert_eq!(due("a", 120), None);
        assert_eq!(due("b", 121), Some(0));
        assert_eq!(due("a", 220), Some(2));
        assert_eq!(due("a", 221), None);
    }

    #[test]
    fn keys_have_bounded_room() {
        let mut repeats = Repeats::default();
        (0..50_000_i64).for_each(|number| {
            repeats.due(Kind::NewQuery, &number.to_string(), number / 100, 1_000_000);
        });
        assert!(repeats.seen.len() <= MOST_KEYS);
    }
}
