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

/// Milliseconds with a fitting unit: `0.42 ms`, `12.3 ms`, `1.50 s`, `2 min 05 s`.
#[must_use]
pub fn duration_ms(milliseconds: f64) -> String {
    if milliseconds < 999.5 {
        format!("{} ms", three_digits(milliseconds))
    } else if milliseconds < 99_950.0 {
        format!("{} s", three_digits(milliseconds / 1000.0))
    } else {
        let seconds = (milliseconds / 1000.0).round() as u64;
        format!("{} min {:02} s", seconds / 60, seconds % 60)
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
    format!("{} {noun}{}", count(number as u64), if number == 1 { "" } else { "s" })
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
    fn bytes_carry_binary_units() {
        let shown: Vec<String> = [0, 1023, 1024, 1_572_864, 90_194_313_216].map(bytes).into();
        assert_eq!(shown, ["0 B", "1023 B", "1.00 kB", "1.50 MB", "84.0 GB"]);
    }

    #[test]
    fn durations_choose_a_unit() {
        let shown: Vec<String> = [0.0, 0.423, 12.34, 999.6, 61_000.0, 125_000.0].map(duration_ms).into();
        assert_eq!(shown, ["0.00 ms", "0.42 ms", "12.3 ms", "1.00 s", "61.0 s", "2 min 05 s"]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(plural(1, "error"), "1 error");
        assert_eq!(plural(2, "error"), "2 errors");
    }
}
