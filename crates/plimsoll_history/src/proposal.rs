//! The threshold that judged alarms speak for.
//!
//! Those who judge mostly judge what was alarmed. So the precision at thresholds above the ones used so far is known, what lies
//! below them isn't, unless somebody confirms or dismisses queries that weren't alarmed.

use plimsoll_evaluate::interval::wilson;
use plimsoll_evaluate::{Cases, Ranking, Scores, Step, Walk as _};

use crate::outcomes::AlarmCase;

/// How far below the target the lower end of the interval may be.
pub const SLACK: f64 = 0.1;
/// Confidence of the interval.
const CONFIDENCE: f64 = 0.95;
/// Growth above which a threshold can be.
const NO_GROWTH: f64 = 1.0;

/// What judged alarms speak for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Proposal {
    /// A threshold.
    Threshold {
        /// Alarms from this growth on have the precision.
        threshold: f64,
        /// Judged cases.
        judged: u64,
        /// Judged cases from the threshold on.
        alarms: u64,
        /// The share of those that was confirmed.
        precision: f64,
        /// The 95 % interval of that share (Wilson 1927).
        interval: (f64, f64),
    },
    /// Judged cases are too few for any, or too many of them were dismissed.
    TooFew {
        /// Judged cases.
        judged: u64,
        /// How many more alarms have to be confirmed at least, with none dismissed.
        more_needed: u64,
    },
}

/// The lowest threshold at which the share of confirmed cases reaches the target, and the lower end of its interval reaches the
/// target less [`SLACK`]. Any threshold between a case's score and the next lower one alarms the same cases: of those, the lowest
/// that the cases were measured with is taken, since nothing speaks against it, else the score.
#[must_use]
pub fn proposal(cases: &[AlarmCase], target: f64) -> Proposal {
    let judged: Vec<(&AlarmCase, bool)> = cases
        .iter()
        .filter(|case| case.score.is_finite())
        .filter_map(|case| Some((case, case.label?)))
        .collect();
    let steps = steps(&judged);
    let fit = |step: &&Step| step.threshold > NO_GROWTH && reaches(confirmed(step), alarms(step), target);
    let Some(step) = steps.iter().rfind(fit) else {
        return Proposal::TooFew { judged: judged.len() as u64, more_needed: more_needed(&steps, target) };
    };
    let next_lower = steps.iter().find(|other| other.threshold < step.threshold);
    let next_lower = next_lower.map_or(NO_GROWTH, |lower| lower.threshold.max(NO_GROWTH));
    let in_use = judged.iter().map(|(case, _)| case.threshold);
    let in_use = in_use.filter(|used| *used > next_lower && *used <= step.threshold);
    Proposal::Threshold {
        threshold: in_use.fold(step.threshold, f64::min),
        judged: judged.len() as u64,
        alarms: alarms(step),
        precision: confirmed(step) as f64 / alarms(step) as f64,
        interval: wilson(confirmed(step) as f64 / alarms(step) as f64, alarms(step) as f64, CONFIDENCE)
            .unwrap_or((0.0, 1.0)),
    }
}

/// Each distinct score, the highest first. None where nothing was judged.
fn steps(judged: &[(&AlarmCase, bool)]) -> Vec<Step> {
    let (scores, labels): (Vec<f64>, Vec<bool>) =
        judged.iter().map(|(case, label)| (case.score, *label)).unzip();
    let mut steps = Vec::new();
    let ranking = Cases::new(&labels, None).and_then(|cases| Ranking::new(&cases, Scores::F64(&scores)));
    if let Ok(ranking) = ranking {
        ranking.walk(|step| steps.push(step));
    }
    steps
}

fn confirmed(step: &Step) -> u64 {
    step.true_positives as u64
}

fn alarms(step: &Step) -> u64 {
    (step.true_positives + step.false_positives) as u64
}

fn reaches(confirmed: u64, alarms: u64, target: f64) -> bool {
    let share = confirmed as f64 / alarms as f64;
    let low = wilson(share, alarms as f64, CONFIDENCE).map_or(0.0, |(low, _)| low);
    alarms > 0 && confirmed as f64 >= target * alarms as f64 && low >= target - SLACK
}

/// The least number of further confirmed cases with which some threshold would do. Cases above all others do in the end.
fn more_needed(steps: &[Step], target: f64) -> u64 {
    let so_far = steps.iter().filter(|step| step.threshold > NO_GROWTH);
    let so_far = so_far.map(|step| (confirmed(step), alarms(step))).chain([(0, 0)]);
    let so_far: Vec<(u64, u64)> = so_far.collect();
    let enough = |more: &u64| so_far.iter().any(|(hits, all)| reaches(hits + more, all + more, target));
    (1..).find(enough).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases by score and label: `+` confirmed, `-` dismissed, ` ` not judged.
    fn cases(of: &[(f64, char)]) -> Vec<AlarmCase> {
        let case = |(score, label): &(f64, char)| AlarmCase {
            id: String::new(),
            query: String::new(),
            fingerprint: String::new(),
            score: *score,
            threshold: 1.25,
            alarmed: *score >= 1.25,
            label: match label {
                '+' => Some(true),
                '-' => Some(false),
                _ => None,
            },
        };
        of.iter().map(case).collect()
    }

    fn many(score: f64, label: char, count: usize) -> Vec<(f64, char)> {
        vec![(score, label); count]
    }

    /// The threshold that is proposed, if one is.
    fn proposed(judged: &[(f64, char)]) -> Option<f64> {
        match proposal(&cases(judged), 0.95) {
            Proposal::Threshold { threshold, .. } => Some(threshold),
            Proposal::TooFew { .. } => None,
        }
    }

    #[test]
    fn the_lowest_threshold_that_reaches_the_target_is_proposed() {
        let judged = [many(3.0, '+', 40), many(1.8, '+', 20), many(1.5, '-', 12), many(1.4, '+', 2)].concat();
        let judged = [judged, many(1.3, ' ', 5)].concat();
        let Proposal::Threshold { threshold, judged, alarms, precision, interval } =
            proposal(&cases(&judged), 0.95)
        else {
            panic!("there is one");
        };
        assert_eq!((threshold, judged, alarms, precision), (1.8, 74, 60, 1.0));
        // n ÷ (n + z²): Wilson's lower end where all are confirmed.
        let low = 60.0 / (60.0 + 1.959_963_984_540_054_f64.powi(2));
        assert!((interval.0 - low).abs() < 1e-9 && (interval.1 - 1.0).abs() < 1e-12, "{interval:?}");
    }

    #[test]
    fn the_threshold_that_was_used_stays_where_nothing_speaks_against_it() {
        assert_eq!(proposed(&many(2.0, '+', 60)), Some(1.25));
        assert_eq!(proposed(&[many(2.0, '+', 60), many(1.2, '-', 30)].concat()), Some(1.25));
        assert_eq!(proposed(&[many(2.0, '+', 60), many(1.3, '-', 30)].concat()), Some(2.0));
        let missed = [many(2.0, '+', 60), many(1.1, '+', 1)].concat();
        assert_eq!(proposed(&missed), Some(1.1), "one that wasn't alarmed was confirmed");
        assert_eq!(proposed(&[many(2.0, '+', 60), many(1.0, '+', 9)].concat()), Some(1.25));
    }

    #[test]
    fn too_few_are_told_how_many_more() {
        let needed = |of: &[(f64, char)], target| match proposal(&cases(of), target) {
            Proposal::TooFew { judged, more_needed } => (judged, more_needed),
            found => panic!("{found:?}"),
        };
        // The least n with n ÷ (n + 1.96²) ≥ 0.85.
        assert_eq!(needed(&[], 0.95), (0, 22));
        assert_eq!(needed(&many(2.0, '+', 20), 0.95), (20, 2));
        assert_eq!(needed(&[(2.0, '-')], 1.0).1, 35);
        assert_eq!(needed(&many(1.0, '+', 50), 0.95), (50, 22), "nothing has grown");
        for (of, target) in [(many(2.0, '+', 20), 0.95), (vec![(2.0, '-')], 0.9), (Vec::new(), 0.5)] {
            let more = usize::try_from(needed(&of, target).1).unwrap();
            let fewer = [of.clone(), many(9.0, '+', more - 1)].concat();
            assert!(matches!(proposal(&cases(&fewer), target), Proposal::TooFew { .. }), "{of:?}");
        }
    }

    #[test]
    fn the_promised_number_is_enough() {
        for (of, target) in [(many(2.0, '+', 20), 0.95), (many(2.0, '-', 9), 0.9), (Vec::new(), 0.5)] {
            let Proposal::TooFew { more_needed, .. } = proposal(&cases(&of), target) else {
                panic!("too few")
            };
            let more = usize::try_from(more_needed).unwrap();
            let enough = [of, many(9.0, '+', more)].concat();
            assert!(matches!(proposal(&cases(&enough), target), Proposal::Threshold { .. }));
        }
    }
}
