//! A curve's points for display. Figures are never read from them.

use plimsoll_core::evaluation::OperatingPoint;

use crate::ranking::Step;
use crate::threshold::NO_ALARM;
use crate::walk::Walk;

/// Points of a curve are told apart to so many parts of each axis.
const PARTS: f64 = 500.0;
/// Bits of a rate's mantissa that don't count: 16 parts between a rate and its double are told apart, for axes by magnitude.
const FINE: u32 = 48;

/// From no alarm to all. Unless all are asked for, steps that would be drawn on the same spot of every curve are left out, but
/// for those at these thresholds.
pub(super) fn points(cases: &impl Walk, has_all: bool, chosen: &[f64]) -> Vec<OperatingPoint> {
    let (positives, negatives) = (cases.positives(), cases.negatives());
    let mut kept = vec![told(NO_ALARM)];
    let (mut last, mut last_spot) = (None, None);
    cases.walk(|step| {
        let spot = Some(spot(step, positives, negatives));
        last = Some(step);
        if has_all || spot != last_spot || chosen.contains(&step.threshold) {
            kept.extend(last.take().map(told));
            last_spot = spot;
        }
    });
    kept.extend(last.map(told));
    kept
}

fn spot(step: Step, positives: f64, negatives: f64) -> [u32; 4] {
    let Step { true_positives, false_positives, .. } = step;
    let rate = false_positives / negatives;
    let precision = true_positives / (true_positives + false_positives);
    let part = |share: f64| (share * PARTS + 0.5) as u32;
    let magnitude = (rate.to_bits() >> FINE) as u32;
    [part(true_positives / positives), part(rate), part(precision), magnitude]
}

fn told(step: Step) -> OperatingPoint {
    OperatingPoint {
        threshold: step.threshold.is_finite().then_some(step.threshold),
        true_positives: step.true_positives,
        false_positives: step.false_positives,
    }
}
