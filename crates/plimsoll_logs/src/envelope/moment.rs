//! When a syslog line was written. RFC 3164 tells no year: it is found from when the file was last written.

use crate::time::{Clock, year_of};

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const DAY_US: i64 = 86_400_000_000;

/// Reads moments of syslog lines, one after the other.
#[derive(Debug)]
pub(super) struct Moments {
    clock: Clock,
    /// Microseconds since 1970 at which the log was last written.
    written_us: i64,
    /// The year and the month of the last line that told no year.
    last: Option<(i64, usize)>,
}

impl Moments {
    pub(super) fn new(written_us: i64) -> Self {
        Self { clock: Clock::default(), written_us, last: None }
    }

    /// The moment that a line begins with, and the bytes up to what follows it.
    pub(super) fn read(&mut self, line: &str) -> Option<(i64, usize)> {
        let at = weekday(line);
        let bytes = &line.as_bytes()[at..];
        // A blank before the hour is the server's own way.
        let is_iso = at > 0 || bytes.get(10) == Some(&b'T');
        let (time_us, length) = match is_iso.then(|| self.clock.moment(bytes)).flatten() {
            Some(moment) => (moment.time_us, moment.length),
            None => self.without_year(bytes).or_else(|| since_1970(bytes))?,
        };
        (bytes.get(length) == Some(&b' ')).then_some((time_us, at + length + 1))
    }

    /// `Nov 24 02:16:47`, or with a fraction.
    fn without_year(&mut self, bytes: &[u8]) -> Option<(i64, usize)> {
        let month = MONTHS.iter().position(|month| bytes.starts_with(*month))?;
        let day = std::str::from_utf8(bytes.get(4..6)?).ok()?.trim_start().parse::<u8>().ok()?;
        let rest = std::str::from_utf8(bytes.get(7..15)?).ok()?;
        // Newer daemons write a year behind the day.
        let mut in_year = |year: i64| {
            let text = format!("{year:04}-{:02}-{day:02} {rest}", month + 1);
            self.clock.moment(text.as_bytes()).map(|moment| moment.time_us)
        };
        let this_year = year_of(self.written_us);
        let year = match self.last {
            Some((year, last)) => {
                year + i64::from(last >= 10 && month <= 1) - i64::from(last <= 1 && month >= 10)
            }
            None if in_year(this_year)? > self.written_us + DAY_US => this_year - 1,
            None => this_year,
        };
        let time_us = in_year(year)?;
        self.last = Some((year, month));
        let (fraction_us, length) = fraction(&bytes[15..]);
        Some((time_us + fraction_us, 15 + length))
    }
}

/// `Tue ` before a moment.
fn weekday(line: &str) -> usize {
    let days = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
    days.iter().find(|day| line.starts_with(*day)).map_or(0, |day| day.len())
}

/// `1795435200.123456`.
fn since_1970(bytes: &[u8]) -> Option<(i64, usize)> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(9..=11).contains(&digits) || bytes.get(digits) != Some(&b'.') {
        return None;
    }
    let seconds: i64 = std::str::from_utf8(&bytes[..digits]).ok()?.parse().ok()?;
    let (fraction_us, length) = fraction(&bytes[digits..]);
    Some((seconds * 1_000_000 + fraction_us, digits + length))
}

fn fraction(bytes: &[u8]) -> (i64, usize) {
    if bytes.first() != Some(&b'.') {
        return (0, 0);
    }
    let digits = bytes[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let six = bytes[1..=digits].iter().copied().chain(std::iter::repeat(b'0')).take(6);
    (six.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')), digits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::rfc3339;

    fn check(written: &str, lines: &[(&str, &str)]) {
        let written_us = Clock::default().moment(written.as_bytes()).unwrap().time_us;
        let mut moments = Moments::new(written_us);
        for (line, expected) in lines {
            let read = moments.read(&format!("{line} host")).map(|(time_us, _)| rfc3339(time_us));
            assert_eq!(read.as_deref(), Some(*expected), "{line}");
        }
    }

    #[test]
    fn the_year_is_found() {
        check("2026-11-24 03:00:00", &[("Nov 24 02:16:47", "2026-11-24T02:16:47Z")]);
        check(
            "2027-01-02 00:00:00",
            &[
                ("Dec 31 23:59:59", "2026-12-31T23:59:59Z"),
                ("Jan  1 00:00:00", "2027-01-01T00:00:00Z"),
                ("Dec 31 23:59:59.500", "2026-12-31T23:59:59.500Z"),
            ],
        );
    }

    #[test]
    fn other_forms_are_read() {
        let noon = "2026-11-23T12:00:00Z";
        let forms = ["2026-11-23T13:00:00+01:00", "Mon 2026-11-23 12:00:00 UTC", "1795435200.000000"];
        check("2026-11-24 03:00:00", &forms.map(|form| (form, noon)));
        assert_eq!(Moments::new(0).read("Nov 24"), None);
        assert_eq!(Moments::new(0).read("Nov é4 02:16:47 x"), None);
    }
}
