//! Values as whole numbers, and back.

use super::shape::Kind;

/// Microseconds of a day.
pub(super) const DAY_US: i128 = 86_400_000_000;

/// Values that are nobody's, and no numbers.
pub(super) fn is_special(text: &str) -> bool {
    matches!(text, "" | "infinity" | "-infinity" | "Infinity" | "-Infinity" | "NaN")
}

/// The digits behind the point.
pub(super) fn scale(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// The value as a whole number, of decimals in units of `10^-scale`.
pub(super) fn number(kind: Kind, text: &str, scale: usize) -> Option<i128> {
    match kind {
        Kind::Integer => text.parse().ok(),
        Kind::Decimal => decimal(text, scale),
        Kind::Real | Kind::Double => {
            // Of IEEE numbers, the bits have the order of the values; of negative ones, the reverse.
            let bits = text.parse::<f64>().ok()?.to_bits().cast_signed();
            Some(i128::from(if bits < 0 { bits ^ i64::MAX } else { bits }))
        }
        Kind::Date => date(text),
        Kind::Timestamp => timestamp(text),
        Kind::Timestamptz => timestamp(text.strip_suffix("+00")?),
        Kind::Time => time(text),
        Kind::Uuid => {
            let digits: String = text.chars().filter(|character| *character != '-').collect();
            let bits = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
            Some((bits ^ (1 << 127)).cast_signed())
        }
    }
}

/// The number as a value.
pub(super) fn text(kind: Kind, number: i128, scale: usize) -> String {
    match kind {
        Kind::Integer => number.to_string(),
        Kind::Decimal if scale == 0 => number.to_string(),
        Kind::Decimal => {
            let unit = 10_u128.pow(u32::try_from(scale).unwrap_or_default());
            let sign = if number < 0 { "-" } else { "" };
            let (whole, fraction) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
            format!("{sign}{whole}.{fraction:0scale$}")
        }
        Kind::Real => real(number).map_or_else(String::new, |value| {
            #[expect(clippy::cast_possible_truncation, reason = "the type has no more digits")]
            let value = value as f32;
            value.to_string()
        }),
        Kind::Double => real(number).map_or_else(String::new, |value| value.to_string()),
        Kind::Date => civil(number),
        Kind::Timestamp => {
            format!("{} {}", civil(number.div_euclid(DAY_US)), clock(number.rem_euclid(DAY_US)))
        }
        Kind::Timestamptz => format!("{}+00", text(Kind::Timestamp, number, scale)),
        Kind::Time => clock(number),
        Kind::Uuid => {
            let digits = format!("{:032x}", number.cast_unsigned() ^ (1 << 127));
            [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
        }
    }
}

fn real(number: i128) -> Option<f64> {
    let bits = i64::try_from(number).ok()?;
    Some(f64::from_bits(if bits < 0 { bits ^ i64::MAX } else { bits }.cast_unsigned()))
}

fn decimal(text: &str, scale: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = scale.checked_sub(fraction.len())?;
    // 37 digits fit.
    if whole.len() + scale > 37 {
        return None;
    }
    format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn date(text: &str) -> Option<i128> {
    let mut parts = text.split('-').map(|part| part.parse::<i128>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

fn civil(days: i128) -> String {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn timestamp(text: &str) -> Option<i128> {
    let (day, clock) = text.split_once(' ')?;
    Some(date(day)? * DAY_US + time(clock)?)
}

/// Microseconds since midnight.
fn time(text: &str) -> Option<i128> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|part| part.parse::<i128>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let fraction: i128 = format!("{fraction:0<6}").parse().ok().filter(|_| fraction.len() <= 6)?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction)
}

fn clock(microseconds: i128) -> String {
    let seconds = microseconds / 1_000_000;
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        microseconds % 1_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, value: &str, expected: &str) {
        let number = number(kind, value, 2).unwrap_or_else(|| panic!("{value} is understood"));
        assert_eq!(text(kind, number, 2), expected);
    }

    #[test]
    fn values_come_back() {
        check(Kind::Integer, "-7", "-7");
        check(Kind::Decimal, "-0.5", "-0.50");
        check(Kind::Decimal, "1234", "1234.00");
        check(Kind::Real, "-0.1", "-0.1");
        check(Kind::Double, "-1.5e-7", "-0.00000015");
        check(Kind::Date, "2000-02-29", "2000-02-29");
        check(Kind::Date, "1969-12-31", "1969-12-31");
        check(Kind::Timestamp, "1969-12-31 23:59:59.5", "1969-12-31 23:59:59.500000");
        check(Kind::Timestamptz, "2026-11-23 13:00:00+00", "2026-11-23 13:00:00.000000+00");
        check(Kind::Time, "23:59:59", "23:59:59.000000");
        check(Kind::Uuid, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    }

    #[test]
    fn their_order_is_the_numbers() {
        let ordered = |kind, values: &[&str]| {
            let numbers: Vec<_> = values.iter().map(|value| number(kind, value, 3).unwrap()).collect();
            assert!(numbers.is_sorted(), "{values:?}");
        };
        ordered(Kind::Double, &["-1e300", "-2", "-1e-9", "0", "1e-9", "3", "1e300"]);
        ordered(Kind::Decimal, &["-3.5", "-3.25", "0", "0.001", "10"]);
        ordered(Kind::Date, &["0001-01-01", "1999-12-31", "2000-01-01", "12026-01-01"]);
        ordered(
            Kind::Uuid,
            &["00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
        );
    }

    #[test]
    fn what_is_not_understood_is_none() {
        for value in ["0044-03-15 BC", "x", "2000-01", "1-2-3-4"] {
            assert_eq!(number(Kind::Date, value, 0), None, "{value}");
        }
        assert_eq!(number(Kind::Decimal, &"9".repeat(40), 0), None);
    }
}
