//! Quantities for people: bytes, durations, counts.

/// Bytes with a binary unit, three significant digits: `1.50 MB` is 1.5 × 2²⁰ bytes, as
/// `pg_size_pretty` counts.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", three_digits(value), UNITS[unit])
}

/// Bytes that a person has written as PostgreSQL takes them: `8 MB`, `500kB`, `0`.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    const UNITS: [&str; 6] = ["", "kb", "mb", "gb", "tb", "pb"];
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let unit = if unit == "b" { "" } else { unit.as_str() };
    let power = UNITS.iter().position(|known| *known == unit)?;
    number.checked_mul(1024_u64.checked_pow(u32::try_from(power).ok()?)?)
}

/// A duration as PostgreSQL reads it, a bare number being milliseconds (documentation, "Setting
/// Parameters").
#[must_use]
pub fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    Some((number * unit).round() as u64)
}

/// Milliseconds with a fitting unit: `0.42 ms`, `12.3 ms`, `1.50 s`, `2 min 05 s`, `3 h 20 min`.
#[must_use]
pub fn duration_ms(milliseconds: f64) -> String {
    if milliseconds < 999.5 {
        format!("{} ms", three_digits(milliseconds))
    } else if milliseconds < 99_950.0 {
        format!("{} s", three_digits(milliseconds / 1000.0))
    } else if milliseconds < 3_599_500.0 {
        let seconds = (milliseconds / 1000.0).round() as u64;
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else {
        let minutes = (milliseconds / 60_000.0).round() as u64;
        format!("{} h {:02} min", count(minutes / 60), minutes % 60)
    }
}

/// A whole number with commas: `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count and its noun, which takes an `s` in the plural: `1 error`, `2 errors`.
#[must_use]
pub fn plural(number: usize, noun: &str) -> String {
    let number_word = count(number as u64);
    match noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        _ if number == 1 => format!("{number_word} {noun}"),
        Some(stem) => format!("{number_word} {stem}ies"),
        None => format!("{number_word} {noun}s"),
    }
}

/// A figure with three significant digits and no zero at its end: `0.123`, `12.3`, `1,234`, `0.00001`; tiny ones as `1.2e-9`.
#[must_use]
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() { "none".to_owned() } else { value.to_string() };
    }
    if (999.5..1e15).contains(&size) {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", count(size.round() as u64));
    }
    if size != 0.0 && !(1e-6..1e15).contains(&size) {
        return format!("{value:.2e}");
    }
    let digits = if size > 0.0 { (2.0 - size.log10().floor()).clamp(0.0, 8.0) as usize } else { 0 };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn three_digits(value: f64) -> String {
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let told = [0.0, 0.001, 0.12345, -9.99, 99.9, 1234.5, 1.0, 1e-7, 0.9999, f64::NAN].map(figure);
        assert_eq!(told, ["0", "0.001", "0.123", "-9.99", "99.9", "1,235", "1", "1.00e-7", "1", "none"]);
    }

    #[test]
    fn bytes_carry_binary_units() {
        let shown: Vec<String> = [0, 1023, 1024, 1_572_864, 90_194_313_216].map(bytes).into();
        assert_eq!(shown, ["0 B", "1023 B", "1.00 kB", "1.50 MB", "84.0 GB"]);
    }

    #[test]
    fn bytes_are_read_as_postgresql_reads_them() {
        let read = ["8 MB", "500kB", "0", "3 b", "1.5 MB", "8 mib", "99999999 PB"].map(parse_bytes);
        assert_eq!(read, [Some(8 << 20), Some(500 << 10), Some(0), Some(3), None, None, None]);
    }

    #[test]
    fn durations_are_read_as_postgresql_reads_them() {
        let read = ["500", "5s", "2 min", "1.5s", "0", "x", ".", ""].map(milliseconds);
        assert_eq!(read, [Some(500), Some(5_000), Some(120_000), Some(1_500), Some(0), None, None, None]);
        for seconds in [0, 1, 7, 86_399, 999_999] {
            assert_eq!(milliseconds(&format!("{seconds}s")), Some(seconds * 1_000));
            assert_eq!(milliseconds(&format!(" {} ms ", seconds * 1_000)), Some(seconds * 1_000));
        }
    }

    #[test]
    fn durations_choose_a_unit() {
        let shown: Vec<String> = [0.0, 0.423, 12.34, 999.6, 61_000.0, 125_000.0].map(duration_ms).into();
        assert_eq!(shown, ["0.00 ms", "0.42 ms", "12.3 ms", "1.00 s", "61.0 s", "2 min 05 s"]);
        let long: Vec<String> = [3_599_499.0, 3_599_500.0, 12_029_000.0, 3.6e9].map(duration_ms).into();
        assert_eq!(long, ["59 min 59 s", "1 h 00 min", "3 h 20 min", "1,000 h 00 min"]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(plural(1, "error"), "1 error");
        assert_eq!(plural(2, "error"), "2 errors");
    }
}
