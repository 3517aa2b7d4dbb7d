//! What comes back at a period: cron jobs and pollers, found in the seconds in which a query ran.
//!
//! The periodogram of the seconds (Bartlett, "The Spectral Analysis of Point Processes", 1963) gives the candidate; moments at
//! random would give each frequency a power that is exponential with mean 1, which says how much chance there is in the highest
//! of so many. Traffic isn't random but clustered, so a line of beats is then fitted, and most of the beats must have come, and
//! most of what came must lie on a beat.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Fewer moments tell nothing.
const FEWEST: usize = 8;
/// A period must have passed so many times.
const FEWEST_CYCLES: f64 = 4.0;
/// Bins of the time that is looked at, for each of the beats that there may be at most.
const BINS_OF_A_BEAT: f64 = 12.0;
/// A harmonic of a strict beat is as strong as the beat itself: the slowest that is nearly the strongest counts.
const NEARLY: f64 = 0.6;
/// More chance than this, and it is none.
const MOST_CHANCE: f64 = 1e-3;
/// This close to a beat, in cycles, is on it.
const ON_BEAT: f64 = 0.15;
/// So much of the beats must have come, and of what came must lie on one.
const LEAST_SHARE: f64 = 0.6;

/// A period that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// In seconds.
    pub period_s: f64,
    /// A beat, in seconds since 1970 modulo the period.
    pub phase_s: f64,
    /// Standard deviation of what lies on beats, in seconds.
    pub jitter_s: f64,
    /// Beats from the first moment to the last.
    pub cycles: u64,
    /// Beats that came.
    pub hits: u64,
    /// Probability that moments at random show no such power anywhere.
    pub confidence: f64,
}

/// Finds the period of moments, in seconds since 1970, in order, each once.
#[must_use]
pub fn rhythm(seconds: &[i64]) -> Option<Rhythm> {
    let (first, last) = (*seconds.first()?, *seconds.last()?);
    let window = last - first;
    if seconds.len() < FEWEST || window < 8 {
        return None;
    }
    // More beats than that, and too few of them came.
    let most_beats = seconds.len() as f64 / LEAST_SHARE;
    let width = (window as f64 / (BINS_OF_A_BEAT * most_beats)).ceil().max(1.0) as i64;
    let candidates = candidates(seconds, window, width, most_beats)?;
    let rhythm = |(period_s, power, frequencies): (f64, f64, f64)| {
        let chance = 1.0 - (1.0 - (-power).exp()).powf(frequencies);
        (chance <= MOST_CHANCE).then(|| beats(seconds, period_s, chance)).flatten()
    };
    candidates.into_iter().find_map(rhythm)
}

/// Periods with the power of each and how many frequencies were looked at: the slowest that is nearly the strongest, and the
/// strongest itself.
fn candidates(seconds: &[i64], window: i64, width: i64, most_beats: f64) -> Option<Vec<(f64, f64, f64)>> {
    let first = *seconds.first()?;
    let bins = (window / width + 1) as usize;
    let length = (2 * bins).next_power_of_two();
    let mut signal = vec![Complex::new(0.0_f64, 0.0); length];
    for second in seconds {
        signal[((second - first) / width) as usize].re = 1.0;
    }
    let ones = signal.iter().map(|one| one.re).sum::<f64>();
    let mean = ones / bins as f64;
    signal[..bins].iter_mut().for_each(|one| one.re -= mean);
    let variance = ones * (1.0 - mean);
    if variance <= 0.0 {
        return None;
    }
    FftPlanner::new().plan_fft_forward(length).process(&mut signal);
    // A frequency number k is k cycles in the padded length.
    let slowest = (FEWEST_CYCLES * length as f64 / bins as f64).ceil() as usize;
    let quickest = ((most_beats * length as f64 / bins as f64) as usize).min(length / 2);
    let powers: Vec<f64> = signal[..=quickest].iter().map(|one| one.norm_sqr() / variance).collect();
    let looked_at = powers.get(slowest..)?;
    let strongest = looked_at.iter().copied().enumerate().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let first_near = looked_at.iter().position(|power| *power >= NEARLY * strongest.1)?;
    // The top of that peak.
    let near =
        looked_at[first_near..].windows(2).position(|pair| pair[1] < pair[0]).unwrap_or(0) + first_near;
    let frequencies = most_beats.min(bins as f64 / 2.0);
    let period = |number: usize| (length as f64 * width as f64) / (number + slowest) as f64;
    Some(
        [(near, looked_at[near]), strongest]
            .map(|(number, power)| (period(number), power, frequencies))
            .into(),
    )
}

/// Fits a line of beats, and counts what lies on them.
fn beats(seconds: &[i64], period_s: f64, chance: f64) -> Option<Rhythm> {
    let first = *seconds.first()?;
    let times: Vec<f64> = seconds.iter().map(|second| (second - first) as f64).collect();
    let (mut period, mut phase) = (period_s, strongest_phase(&times, period_s));
    for _ in 0..6 {
        (period, phase) = fitted(&times, period, phase)?;
    }
    if (period / period_s - 1.0).abs() > 0.1 {
        return None;
    }
    let residual = |time: f64| {
        let beat = ((time - phase) / period).round();
        (beat as i64, time - phase - beat * period)
    };
    // Seconds are whole: half of one is no distance.
    let near = (ON_BEAT * period).max(0.75).min(period * 0.3);
    let on_beat: Vec<(i64, f64)> =
        times.iter().map(|time| residual(*time)).filter(|(_, off)| off.abs() <= near).collect();
    let (begin, end) = (residual(*times.first()?).0, residual(*times.last()?).0);
    let cycles = (end - begin + 1) as u64;
    let mut hits: Vec<i64> = on_beat.iter().map(|(beat, _)| *beat).collect();
    hits.dedup();
    let share = on_beat.len() as f64 / times.len() as f64;
    let covered = hits.len() as f64 / cycles as f64;
    let squares = on_beat.iter().map(|(_, off)| off * off).sum::<f64>();
    let enough = share >= LEAST_SHARE && covered >= LEAST_SHARE && cycles as f64 > FEWEST_CYCLES;
    enough.then(|| Rhythm {
        period_s: period,
        phase_s: (first as f64 + phase).rem_euclid(period),
        jitter_s: (squares / on_beat.len() as f64).sqrt(),
        cycles,
        hits: hits.len() as u64,
        confidence: 1.0 - chance,
    })
}

/// The phase of the sum of all moments on the circle of this period.
fn strongest_phase(times: &[f64], period: f64) -> f64 {
    let turn = std::f64::consts::TAU / period;
    let (sine, cosine) = times.iter().fold((0.0, 0.0), |(sine, cosine), time| {
        let angle: f64 = time * turn;
        (sine + angle.sin(), cosine + angle.cos())
    });
    sine.atan2(cosine) / turn
}

/// Least squares of time by beat, over what lies within a quarter of one.
fn fitted(times: &[f64], period: f64, phase: f64) -> Option<(f64, f64)> {
    let near = times.iter().filter_map(|time| {
        let beat = ((time - phase) / period).round();
        ((time - phase - beat * period).abs() <= period / 4.0).then_some((beat, *time))
    });
    let near: Vec<(f64, f64)> = near.collect();
    let count = near.len() as f64;
    let (beats, moments) = near.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let (beats, moments) = (beats / count, moments / count);
    let (across, along) = near.iter().fold((0.0, 0.0), |(across, along), (beat, time)| {
        (across + (beat - beats) * (time - moments), along + (beat - beats).powi(2))
    });
    let fitted = across / along;
    (fitted.is_finite() && fitted > 1.0).then_some((fitted, moments - fitted * beats))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator that is good enough for moments (Vigna, splitmix64).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
        }
    }

    fn in_order(mut seconds: Vec<i64>) -> Vec<i64> {
        seconds.sort_unstable();
        seconds.dedup();
        seconds.truncate(512);
        seconds
    }

    #[track_caller]
    fn check(seconds: Vec<i64>, period_s: f64, within: f64) -> Rhythm {
        let found = rhythm(&in_order(seconds)).expect("a rhythm");
        assert!((found.period_s - period_s).abs() <= within, "{found:?}");
        assert!(found.confidence > 0.999, "{found:?}");
        found
    }

    #[test]
    fn a_cron_job_is_found_with_its_phase() {
        let found = check((0..48).map(|hour| 1_795_435_200 + hour * 3600 + 305).collect(), 3600.0, 0.5);
        assert!((found.phase_s - 305.0).abs() < 1.0, "{found:?}");
        assert_eq!((found.cycles, found.hits), (48, 48));
        check((0..512).map(|minute| minute * 60).collect(), 60.0, 0.01);
        check((0..14).map(|day| day * 86_400 + day % 3).collect(), 86_400.0, 2.0);
    }

    #[test]
    fn a_poller_that_drifts_is_found() {
        let mut random = Random(5);
        let mut at = 0.0;
        let seconds = (0..400).map(|_| {
            at += 10.0 + random.next() * 0.1;
            at as i64
        });
        check(seconds.collect(), 10.05, 0.02);
    }

    #[test]
    fn a_job_is_found_though_some_runs_are_missing_and_others_come_between() {
        let mut random = Random(6);
        let mut seconds: Vec<i64> =
            (0..200).filter(|_| random.next() > 0.15).map(|beat| beat * 300 + 17).collect();
        seconds.extend((0..60).map(|_| (random.next() * 60_000.0) as i64));
        let found = check(seconds, 300.0, 0.5);
        assert!(found.hits < found.cycles && found.hits > 150, "{found:?}");
    }

    #[test]
    fn what_has_no_period_is_told_none() {
        let mut found = Vec::new();
        for seed in 0..300 {
            let mut random = Random(seed * 7919);
            let rate = 10.0_f64.powf(random.next() * 4.0);
            let kind = seed % 3;
            let mut at = 0.0;
            let seconds = (0..512).map(|number| {
                at += match kind {
                    // At random; in clusters; busier by day than by night.
                    0 => -rate * random.next().ln(),
                    1 if number % 7 != 0 => random.next() * 2.0,
                    1 => -rate * 7.0 * random.next().ln(),
                    _ => {
                        let of_day = (at / 86_400.0 * std::f64::consts::TAU).sin();
                        -rate * random.next().ln() / (1.1 + of_day)
                    }
                };
                at as i64
            });
            let seconds = in_order(seconds.collect());
            found.extend(rhythm(&seconds).map(|rhythm| (seed, rhythm)));
        }
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn few_moments_tell_nothing() {
        assert_eq!(rhythm(&[]), None);
        assert_eq!(rhythm(&[1, 61, 121]), None);
        assert_eq!(rhythm(&(0..500).collect::<Vec<_>>()), None);
        assert_eq!(rhythm(&[0, 1, 2, 3, 4, 5, 6, i64::from(u32::MAX)]), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn any_moments_are_looked_at(seconds in proptest::collection::vec(-5_000_000_000_i64..5_000_000_000, 0..100)) {
            if let Some(found) = rhythm(&in_order(seconds)) {
                proptest::prop_assert!(found.period_s > 0.0 && found.hits <= found.cycles);
            }
        }
    }
}
