//! Moments as a log writes them, in microseconds since 1970-01-01 UTC.
//!
//! The server writes its `log_timezone` as an abbreviation. Those that mean one offset nearly everywhere are known here;
//! any other counts as UTC, and [`Clock::unknown_zones`] tells of it.

/// Reads moments. Remembers the last one, since the next record's is mostly of the same second.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The last moment's text up to its seconds, and its zone with what leads up to it.
    last: [u8; SECONDS],
    last_zone: [u8; 8],
    zone_length: usize,
    /// The last moment without its fraction.
    seconds_us: i64,
    unknown_zones: u64,
}

/// Bytes of `2026-11-23 22:52:29`.
const SECONDS: usize = 19;

/// A moment, and the bytes that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// Bytes of its text.
    pub length: usize,
}

impl Clock {
    /// The moment that a text begins with: `2026-11-23 22:52:29.123 UTC`, with or without a fraction and a zone, or in the
    /// form of ISO 8601 (`T`, `Z`, `+02:00`).
    #[must_use]
    pub fn moment(&mut self, text: &[u8]) -> Option<Moment> {
        let head: &[u8; SECONDS] = text.first_chunk()?;
        let (fraction_us, behind) = fraction(&text[SECONDS..]);
        let at = SECONDS + behind;
        let rest = &text[at..];
        let zone = &self.last_zone[..self.zone_length];
        if *head == self.last && rest.starts_with(zone) && !goes_on(rest, self.zone_length) {
            return Some(Moment { time_us: self.seconds_us + fraction_us, length: at + self.zone_length });
        }
        self.another(head, rest)
            .map(|zone_length| Moment { time_us: self.seconds_us + fraction_us, length: at + zone_length })
    }

    /// How many moments had a zone that isn't known: they count as UTC.
    #[must_use]
    pub const fn unknown_zones(&self) -> u64 {
        self.unknown_zones
    }

    fn another(&mut self, head: &[u8; SECONDS], rest: &[u8]) -> Option<usize> {
        let local = civil(head)?;
        let (zone_length, offset) = zone(rest);
        let offset = offset.unwrap_or_else(|| {
            self.unknown_zones += 1;
            0
        });
        self.seconds_us = (local - offset) * 1_000_000;
        // What doesn't fit, or isn't known, is read and counted each time.
        self.last = [0; SECONDS];
        if zone_length <= self.last_zone.len() && self.unknown_zones == 0 {
            self.last = *head;
            self.zone_length = zone_length;
            self.last_zone[..zone_length].copy_from_slice(&rest[..zone_length]);
        }
        Some(zone_length)
    }
}

/// Whether a zone of this length goes on in the text: ` CE` would fit ` CEST`.
fn goes_on(rest: &[u8], length: usize) -> bool {
    length == 0 && zone(rest).0 > 0 || rest.get(length).is_some_and(|next| next.is_ascii_uppercase())
}

/// Microseconds of `.123`, and its length; 0 and 0 if there is none.
fn fraction(text: &[u8]) -> (i64, usize) {
    if !matches!(text.first(), Some(b'.' | b',')) {
        return (0, 0);
    }
    let digits = text[1..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[1..=digits].iter().take(6).fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    let scale = 10_i64.pow(6_u32.saturating_sub(digits as u32));
    (value * scale, digits + 1)
}

/// Seconds since 1970 of `2026-11-23 22:52:29`, read as UTC.
fn civil(head: &[u8; SECONDS]) -> Option<i64> {
    let separated = head[4] == b'-'
        && head[7] == b'-'
        && matches!(head[10], b' ' | b'T')
        && head[13] == b':'
        && head[16] == b':';
    if !separated {
        return None;
    }
    let [year, month, day] = [number(&head[..4])?, number(&head[5..7])?, number(&head[8..10])?];
    let [hour, minute, second] = [number(&head[11..13])?, number(&head[14..16])?, number(&head[17..19])?];
    let exists =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    exists.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

/// Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that a leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A moment as RFC 3339 in UTC, to the millisecond where it has some: `2026-11-23T12:00:00Z`.
#[must_use]
pub fn rfc3339(time_us: i64) -> String {
    let seconds = time_us.div_euclid(1_000_000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let milliseconds = time_us.rem_euclid(1_000_000) / 1000;
    let fraction = if milliseconds > 0 { format!(".{milliseconds:03}") } else { String::new() };
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// A moment in UTC to the microsecond, as a server writes it: `2026-11-23 12:00:00.123456 UTC`.
pub(crate) fn server_moment(time_us: i64) -> String {
    let text = rfc3339(time_us.div_euclid(1_000_000) * 1_000_000);
    let text = text.trim_end_matches('Z').replace('T', " ");
    format!("{text}.{:06} UTC", time_us.rem_euclid(1_000_000))
}

/// The year of a moment in UTC.
pub(crate) fn year_of(time_us: i64) -> i64 {
    date(time_us.div_euclid(86_400_000_000)).0
}

/// The date of a day since 1970-01-01; [`days`] turned round.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + of_era_year + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The bytes of a zone and of the blank before it, and its offset in seconds if it is known. Without a zone, UTC is meant.
fn zone(rest: &[u8]) -> (usize, Option<i64>) {
    let blank = usize::from(rest.first() == Some(&b' '));
    let text = &rest[blank..];
    match text.first() {
        Some(sign @ (b'+' | b'-')) => {
            let (length, seconds) = offset(&text[1..]);
            let signed = if *sign == b'-' { -seconds } else { seconds };
            if length == 0 { (0, Some(0)) } else { (blank + 1 + length, Some(signed)) }
        }
        Some(first) if first.is_ascii_uppercase() => {
            let length = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            // `LOG:  ` may follow a moment without a zone.
            let is_zone = length <= 5 && !text[length..].starts_with(b":  ");
            let known = named(&text[..length]);
            if is_zone && (known.is_some() || length >= 3) { (blank + length, known) } else { (0, Some(0)) }
        }
        _ => (0, Some(0)),
    }
}

/// The length and the seconds of `02`, `0230`, or `02:30`.
fn offset(text: &[u8]) -> (usize, i64) {
    let two = |at: usize| text.get(at..at + 2).and_then(number);
    let Some(hours) = two(0) else { return (0, 0) };
    match (text.get(2), two(2), two(3)) {
        (Some(b':'), _, Some(minutes)) => (5, hours * 3600 + minutes * 60),
        (_, Some(minutes), _) => (4, hours * 3600 + minutes * 60),
        _ => (2, hours * 3600),
    }
}

/// Offsets of abbreviations, in seconds east of Greenwich (PostgreSQL's `timezonesets/Default`).
fn named(zone: &[u8]) -> Option<i64> {
    const HOUR: i64 = 3600;
    Some(match zone {
        b"UTC" | b"GMT" | b"Z" | b"WET" | b"UCT" => 0,
        b"CET" | b"WEST" | b"BST" => HOUR,
        b"CEST" | b"EET" | b"SAST" => 2 * HOUR,
        b"EEST" | b"MSK" | b"EAT" => 3 * HOUR,
        b"IST" => 5 * HOUR + HOUR / 2,
        b"WIB" => 7 * HOUR,
        b"AWST" | b"HKT" | b"SGT" => 8 * HOUR,
        b"JST" | b"KST" => 9 * HOUR,
        b"AEST" => 10 * HOUR,
        b"AEDT" => 11 * HOUR,
        b"NZST" => 12 * HOUR,
        b"NZDT" => 13 * HOUR,
        b"AST" | b"EDT" => -4 * HOUR,
        b"ADT" | b"BRT" => -3 * HOUR,
        b"EST" | b"CDT" => -5 * HOUR,
        b"CST" | b"MDT" => -6 * HOUR,
        b"MST" | b"PDT" => -7 * HOUR,
        b"PST" | b"AKDT" => -8 * HOUR,
        b"AKST" => -9 * HOUR,
        b"HST" => -10 * HOUR,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i64, usize)>) {
        let mut clock = Clock::default();
        let read =
            |clock: &mut Clock| clock.moment(text.as_bytes()).map(|moment| (moment.time_us, moment.length));
        assert_eq!(read(&mut clock), expected, "{text}");
        assert_eq!(read(&mut clock), expected, "{text} again");
    }

    #[test]
    fn moments_are_read_in_every_spelling() {
        const NOON: i64 = 1_795_435_200_000_000;
        check("2026-11-23 12:00:00.123 UTC [1]", Some((NOON + 123_000, 27)));
        check("2026-11-23 12:00:00 UTC:", Some((NOON, 23)));
        check("2026-11-23 13:00:00.5 CET", Some((NOON + 500_000, 25)));
        check("2026-11-23 14:00:00.000 CEST LOG:  x", Some((NOON, 28)));
        check("2026-11-23 12:00:00 LOG:  x", Some((NOON, 19)));
        check("2026-11-23T17:30:00.123456+0530", Some((NOON + 123_456, 31)));
        check("2026-11-23 09:00:00.000 -03 ", Some((NOON, 27)));
        check("2026-11-23T12:00:00Z x", Some((NOON, 20)));
        check("1970-01-01 00:00:00 GMT", Some((0, 23)));
        check("1969-12-31 23:59:59 GMT", Some((-1_000_000, 23)));
        check("2024-02-29 00:00:00", Some((1_709_164_800_000_000, 19)));
        check("2026-13-23 12:00:00", None);
        check("26-11-23 12:00:00 UTC  ", None);
        check("2026-11-23", None);
    }

    #[test]
    fn an_unknown_zone_is_told() {
        let mut clock = Clock::default();
        assert_eq!(clock.moment(b"1970-01-01 00:00:01 XYZ ").unwrap().time_us, 1_000_000);
        assert_eq!(clock.moment(b"1970-01-01 00:00:01 XYZ ").unwrap().length, 23);
        assert_eq!(clock.unknown_zones(), 2);
    }

    #[test]
    fn a_longer_zone_is_not_taken_for_a_shorter_one() {
        let mut clock = Clock::default();
        assert_eq!(clock.moment(b"2026-11-23 12:00:00").unwrap().length, 19);
        assert_eq!(clock.moment(b"2026-11-23 12:00:00 CET").unwrap().length, 23);
        assert_eq!(clock.moment(b"2026-11-23 12:00:00 CEST").unwrap().length, 24);
    }

    #[test]
    fn moments_are_told() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_795_435_200_123_456), "2026-11-23T12:00:00.123Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
    }

    proptest::proptest! {
        #[test]
        fn what_is_told_is_read(milliseconds in -60_000_000_000_000_i64..200_000_000_000_000) {
            let time_us = milliseconds * 1000;
            let moment = Clock::default().moment(rfc3339(time_us).as_bytes());
            proptest::prop_assert_eq!(moment.map(|moment| moment.time_us), Some(time_us));
        }

        #[test]
        fn no_text_makes_it_panic(texts in proptest::collection::vec("[0-9 :.TZ+A-Z-]{0,40}|.{0,40}", 0..5)) {
            let mut clock = Clock::default();
            for text in &texts {
                if let Some(moment) = clock.moment(text.as_bytes()) {
                    proptest::prop_assert!(moment.length <= text.len());
                }
            }
        }
    }
}
