//! Text to moments: ISO 8601 dates and times, with or without a zone, or seconds since 1970.

use crate::error::{Fault, shown};
use crate::number::number;

pub(crate) const MICROSECONDS: i64 = 1_000_000;
pub(crate) const SECONDS_OF_A_DAY: i64 = 86_400;
/// The year 5138: numbers past it are of another unit.
const LAST_SECOND: f64 = 1e11;

/// The moment that a cell tells, in microseconds since 1970. Without a zone it is UTC.
pub(crate) fn moment(cell: &[u8]) -> Result<i64, Fault> {
    let trimmed = cell.trim_ascii();
    if trimmed.is_empty() {
        return Err(Fault::Empty("time"));
    }
    if let Some(moment) = written(trimmed) {
        return Ok(moment);
    }
    let seconds = number(trimmed).ok_or_else(|| Fault::Time(shown(cell)))?;
    of_seconds(seconds)
}

/// The moment that a number of seconds since 1970 tells.
pub(crate) fn of_seconds(seconds: f64) -> Result<i64, Fault> {
    if seconds.is_nan() {
        return Err(Fault::Nan("time"));
    }
    if seconds.abs() >= LAST_SECOND {
        return Err(Fault::FarTime(seconds.to_string()));
    }
    Ok((seconds * MICROSECONDS as f64).round() as i64)
}

/// The first moment of a day that is counted from 1970; none past the last that can be told.
pub(crate) fn of_days(days: i64) -> Option<i64> {
    days.checked_mul(SECONDS_OF_A_DAY * MICROSECONDS)
}

fn written(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = date_parts(date)?;
    let midnight = of_days(days_from_civil(year, month, day)?)?;
    match rest.split_first() {
        None => Some(midnight),
        Some((b'T' | b't' | b' ', clock)) => Some(midnight + of_day(clock)?),
        Some(_) => None,
    }
}

fn date_parts(date: &[u8]) -> Option<[i64; 3]> {
    let [.., b'-', _, _, b'-', _, _] = date else { return None };
    Some([digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?])
}

fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 9 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// Days since 1970 of a day of the Gregorian calendar, by counting years from March, so that a leap day ends its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year;
    // From 0000-03-01 to 1970-01-01.
    Some(days - 719_468)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leaps),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Microseconds since midnight in UTC, by a clock and its zone.
fn of_day(text: &[u8]) -> Option<i64> {
    let end = text.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.' | b','));
    let (clock, zone) = text.split_at(end.unwrap_or(text.len()));
    let (whole, fraction) = match clock.iter().position(|byte| matches!(byte, b'.' | b',')) {
        Some(point) => (&clock[..point], microseconds(&clock[point + 1..])?),
        None => (clock, 0),
    };
    let (hour, minute, second) = match whole {
        [_, _, b':', _, _] => (digits(&whole[..2])?, digits(&whole[3..])?, 0),
        [_, _, b':', _, _, b':', _, _] => (digits(&whole[..2])?, digits(&whole[3..5])?, digits(&whole[6..])?),
        _ => return None,
    };
    // A leap second is 60, and the end of a day may be 24:00.
    let fits = minute < 60 && second <= 60 && (hour < 24 || (hour == 24 && minute + second + fraction == 0));
    let seconds = hour * 3600 + minute * 60 + second - offset(zone.trim_ascii())?;
    fits.then_some(seconds * MICROSECONDS + fraction)
}

fn microseconds(fraction: &[u8]) -> Option<i64> {
    if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    Some(digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// Seconds by which a zone is before UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, clock) = match zone.split_first() {
        None | Some((b'Z' | b'z', [])) => return Some(0),
        Some((b'+', clock)) => (1, clock),
        Some((b'-', clock)) => (-1, clock),
        Some(_) => return zone.eq_ignore_ascii_case(b"UTC").then_some(0),
    };
    let (hours, minutes) = match clock {
        [_, _] => (digits(clock)?, 0),
        [_, _, _, _] => (digits(&clock[..2])?, digits(&clock[2..])?),
        [_, _, b':', _, _] => (digits(&clock[..2])?, digits(&clock[3..])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: &str, expected: i64) {
        assert_eq!(moment(cell.as_bytes()), Ok(expected * MICROSECONDS), "{cell}");
    }

    #[test]
    fn dates_and_times_are_moments() {
        // By `date --date=… +%s`.
        check("1970-01-01", 0);
        check("2000-02-29", 951_782_400);
        check("1900-03-01", -2_203_891_200);
        check("2026-01-31T12:34:56Z", 1_769_862_896);
        check("2026-01-31 12:34:56", 1_769_862_896);
        check("2026-01-31T12:34:56+02:00", 1_769_855_696);
        check("2026-01-31 12:34:56-0330", 1_769_875_496);
        check("2026-01-31 12:34:56 UTC", 1_769_862_896);
        check("2026-01-31T12:34+00", 1_769_862_840);
        check(" 1769862896 ", 1_769_862_896);
        check("-1", -1);
        assert_eq!(moment(b"2026-01-31 12:34:56.1234567"), Ok(1_769_862_896_123_456));
        assert_eq!(moment(b"1769862896.25"), Ok(1_769_862_896_250_000));
    }

    #[test]
    fn what_is_no_moment_is_told() {
        for text in
            ["2026-02-29", "2026-13-01", "2026-01-31T25:00", "yesterday", "2026-01-31x", "2026-01-31T1:00"]
        {
            assert_eq!(moment(text.as_bytes()), Err(Fault::Time(text.to_owned())), "{text}");
        }
        assert_eq!(moment(b"1769862896000"), Err(Fault::FarTime("1769862896000".to_owned())));
        assert_eq!(moment(b"inf"), Err(Fault::FarTime("inf".to_owned())));
        assert_eq!(moment(b" "), Err(Fault::Empty("time")));
        assert_eq!(moment(b"nan"), Err(Fault::Nan("time")));
    }
}
