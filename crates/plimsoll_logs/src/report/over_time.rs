//! How many sessions there were at once, and how many statements ran.

use std::collections::BTreeMap;

use plimsoll_core::logs::LogConcurrency;

use crate::summary::{Summary, Trend};
use crate::time::rfc3339;

pub(super) fn concurrency(summary: &Summary) -> LogConcurrency {
    let trends = [&summary.connected, &summary.disconnected, &summary.activity];
    let step_s = trends.iter().map(|trend| trend.width_s()).max().unwrap_or(1);
    let by_step = trends.map(|trend| counted(trend, step_s));
    let mut steps: BTreeMap<i64, (i64, u64)> = BTreeMap::new();
    for (step, (calls, _)) in &by_step[0] {
        steps.entry(*step).or_default().0 += *calls as i64;
    }
    for (step, (calls, _)) in &by_step[1] {
        steps.entry(*step).or_default().0 -= *calls as i64;
    }
    for (step, (_, total_us)) in &by_step[2] {
        steps.entry(*step).or_default().1 += total_us;
    }
    // Sessions that end without having begun were there before the log: as many as make the lowest count zero.
    let mut sum = 0;
    let lowest = steps.values().fold(0, |lowest: i64, (change, _)| {
        sum += change;
        lowest.min(sum)
    });
    let (mut sessions, mut most) = (-lowest, (-lowest.min(0), None));
    let steps = steps
        .into_iter()
        .map(|(step, (change, total_us))| {
            sessions += change;
            if sessions > most.0 {
                most = (sessions, Some(step));
            }
            (step, sessions.max(0) as u64, total_us as f64 / 1e6 / step_s as f64)
        })
        .collect();
    LogConcurrency {
        most_sessions: most.0 as u64,
        most_at: most.1.map(|step| rfc3339(step * step_s * 1_000_000)),
        step_s,
        steps,
    }
}

/// A trend in wider steps.
fn counted(trend: &Trend, step_s: i64) -> BTreeMap<i64, (u64, u64)> {
    let mut counted: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    for step in trend.steps() {
        let (calls, total_us) =
            counted.entry((step.number * trend.width_s()).div_euclid(step_s)).or_default();
        *calls += step.calls;
        *total_us += step.total_us;
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_counted_up_and_down() {
        let mut summary = Summary::default();
        for (second, opened, closed) in [(1, 0, 2), (2, 3, 0), (5, 0, 1)] {
            summary.connected.add(second * 1_000_000, opened, 0);
            summary.disconnected.add(second * 1_000_000, closed, 0);
        }
        summary.activity.add(2_000_000, 4, 1_500_000);
        let told = concurrency(&summary);
        // Two were there before the log began.
        assert_eq!(told.steps, [(1, 0, 0.0), (2, 3, 1.5), (5, 2, 0.0)]);
        assert_eq!((told.most_sessions, told.most_at.as_deref()), (3, Some("1970-01-01T00:00:02Z")));
    }
}
