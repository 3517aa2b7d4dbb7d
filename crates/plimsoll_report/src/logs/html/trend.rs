//! A trend in few letters: a page of 5,000 queries has more than a million steps, of which a reader looks at a few hundred.
//!
//! Each step is three numbers: steps since the last one, calls, and time in units that make the longest one 15 bits, each
//! in letters of five bits, the lowest first, with a sixth bit where more follow.

use plimsoll_core::logs::LogTrend;
use serde_json::{Value, json};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The longest time, in units.
const MOST_UNITS: f64 = 32_767.0;

/// Width of the steps in seconds, the first one's number, the unit in milliseconds, and the steps; null if there are none.
pub(super) fn encoded(trend: &LogTrend) -> Value {
    let Some((first, ..)) = trend.steps.first() else { return Value::Null };
    let most_ms = trend.steps.iter().map(|(_, _, ms)| *ms).fold(0.0, f64::max);
    // A thousandth of a millisecond is what a log tells.
    let unit_ms = (most_ms / MOST_UNITS * 1000.0).ceil().max(1.0) / 1000.0;
    let mut text = String::new();
    let mut last = *first;
    for (number, calls, ms) in &trend.steps {
        push(&mut text, number.saturating_sub(last).unsigned_abs());
        push(&mut text, *calls);
        push(&mut text, (ms / unit_ms).round() as u64);
        last = *number;
    }
    json!([trend.step_s, first, unit_ms, text])
}

fn push(text: &mut String, mut number: u64) {
    loop {
        let more = if number > 31 { 32 } else { 0 };
        text.push(char::from(LETTERS[(number & 31) as usize | more]));
        number >>= 5;
        if more == 0 {
            return;
        }
    }
}

/// The sum of several, in the widest of their steps.
pub(super) fn sum<'a>(trends: impl Iterator<Item = &'a LogTrend> + Clone) -> LogTrend {
    let step_s = trends.clone().map(|trend| trend.step_s).max().unwrap_or(1).max(1);
    let mut steps = std::collections::BTreeMap::<i64, (u64, f64)>::new();
    for trend in trends {
        for (number, calls, ms) in &trend.steps {
            let (sum_calls, sum_ms) =
                steps.entry(number.saturating_mul(trend.step_s).div_euclid(step_s)).or_default();
            *sum_calls += calls;
            *sum_ms += ms;
        }
    }
    LogTrend { step_s, steps: steps.into_iter().map(|(number, (calls, ms))| (number, calls, ms)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_letters() {
        let trend = LogTrend { step_s: 10, steps: vec![(100, 1, 0.002), (101, 33, 0.0), (140, 1024, 0.5)] };
        assert_eq!(encoded(&trend), json!([10, 100, 0.001, "ABCBhBAnBggB0P"]));
        assert_eq!(encoded(&LogTrend::default()), Value::Null);
    }

    #[test]
    fn long_times_have_wide_units() {
        let trend = LogTrend { step_s: 1, steps: vec![(0, 1, 3_276_700.0), (1, 1, 50.0)] };
        let told = encoded(&trend);
        assert_eq!((told[2].as_f64(), told[3].as_str()), (Some(100.0), Some("AB__fBBB")));
    }

    #[test]
    fn a_sum_has_the_widest_steps() {
        let one = LogTrend { step_s: 1, steps: vec![(19, 1, 1.0), (20, 2, 2.0), (29, 3, 3.0)] };
        let other = LogTrend { step_s: 10, steps: vec![(2, 5, 5.0)] };
        let both = sum([&one, &other].into_iter());
        assert_eq!(both, LogTrend { step_s: 10, steps: vec![(1, 1, 1.0), (2, 10, 10.0)] });
    }
}
