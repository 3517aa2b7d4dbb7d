//! Values on the wire, as text: parameters and the fields of rows, in text or in the binary format of a known type.
//!
//! Source: PostgreSQL's `*send` and `*recv` functions, as far as the crate `postgres-protocol` reads them.

use std::borrow::Cow;
use std::fmt::Write as _;

use postgres_protocol::types as wire;
use tokio_postgres::types::Type;

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// As in an SQL literal.
    #[default]
    Text,
    /// As the type's send function writes it.
    Binary,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// Its type; 0 where that isn't known.
    pub oid: u32,
    /// How it is written.
    pub format: Format,
    /// Its bytes; none for NULL.
    pub bytes: Option<&'a [u8]>,
}

impl<'a> Value<'a> {
    /// The value as PostgreSQL would print it; nothing for NULL, and where a binary value's type isn't known.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let bytes = self.bytes?;
        match self.format {
            Format::Text => Some(String::from_utf8_lossy(bytes)),
            Format::Binary => text_of_binary(self.oid, bytes),
        }
    }

    /// A hash that is the same for one value in either format; of NULL, none.
    #[must_use]
    pub fn hash(&self) -> Option<u64> {
        let bytes = self.bytes?;
        let text = match self.format {
            Format::Text => return Some(hash_of_text(bytes)),
            Format::Binary => text_of_binary(self.oid, bytes),
        };
        Some(text.map_or_else(|| hash_of_text(bytes), |text| hash_of_text(text.as_bytes())))
    }
}

/// The hash of a value that is written as text.
#[must_use]
pub fn hash_of_text(text: &[u8]) -> u64 {
    // A uuid's hyphens and a boolean's spelling differ from client to client; numbers and texts don't.
    twox_hash::XxHash3_64::oneshot(text)
}

fn text_of_binary(oid: u32, bytes: &[u8]) -> Option<Cow<'_, str>> {
    let Some(kind) = Type::from_oid(oid) else { return text_if_printable(bytes) };
    let printed = match kind {
        Type::BOOL => if wire::bool_from_sql(bytes).ok()? { "t" } else { "f" }.to_owned(),
        Type::INT2 => wire::int2_from_sql(bytes).ok()?.to_string(),
        Type::INT4 => wire::int4_from_sql(bytes).ok()?.to_string(),
        Type::INT8 => wire::int8_from_sql(bytes).ok()?.to_string(),
        Type::OID | Type::REGCLASS | Type::XID => wire::oid_from_sql(bytes).ok()?.to_string(),
        Type::FLOAT4 => wire::float4_from_sql(bytes).ok()?.to_string(),
        Type::FLOAT8 => wire::float8_from_sql(bytes).ok()?.to_string(),
        Type::UUID => uuid(wire::uuid_from_sql(bytes).ok()?),
        Type::BYTEA => {
            let mut hex = String::from("\\x");
            bytes.iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap_or_default());
            hex
        }
        Type::DATE => date(wire::date_from_sql(bytes).ok()?.into()),
        Type::TIMESTAMP => timestamp(wire::timestamp_from_sql(bytes).ok()?),
        Type::TIMESTAMPTZ => timestamp(wire::timestamp_from_sql(bytes).ok()?) + "+00",
        Type::NUMERIC => numeric(bytes)?,
        Type::JSONB => return std::str::from_utf8(bytes.strip_prefix(&[1])?).ok().map(Cow::from),
        _ => return text_if_printable_type(&kind, bytes),
    };
    Some(printed.into())
}

/// Types whose binary format is their text.
fn text_if_printable_type<'a>(kind: &Type, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    let is_text = matches!(
        *kind,
        Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::JSON
            | Type::XML
            | Type::UNKNOWN
            | Type::CHAR
    );
    if is_text { std::str::from_utf8(bytes).ok().map(Cow::from) } else { None }
}

/// A value of a type that isn't built in, such as an enum or citext: their binary format is text, others' rarely is.
fn text_if_printable(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && text.chars().all(|letter| !letter.is_control())).then(|| text.into())
}

fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    text
}

/// Days since 2000-01-01, as a date of the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn date(days: i64) -> String {
    if days == i64::from(i32::MAX) {
        return "infinity".into();
    }
    if days == i64::from(i32::MIN) {
        return "-infinity".into();
    }
    // Days since 0000-03-01.
    let days = days + 730_425;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} BC", 1 - year)
    }
}

/// Microseconds since 2000-01-01 00:00.
fn timestamp(micros: i64) -> String {
    match micros {
        i64::MAX => return "infinity".into(),
        i64::MIN => return "-infinity".into(),
        _ => {}
    }
    const DAY: i64 = 86_400_000_000;
    let (day, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (date, era) = match date(day) {
        text if text.ends_with(" BC") => (text.trim_end_matches(" BC").to_owned(), " BC"),
        text => (text, ""),
    };
    let fraction =
        if fraction == 0 { String::new() } else { format!(".{fraction:06}").trim_end_matches('0').into() };
    format!("{date} {clock}{fraction}{era}")
}

/// Source: `numeric_send` in `src/backend/utils/adt/numeric.c`: digits to the base of 10,000.
fn numeric(bytes: &[u8]) -> Option<String> {
    let mut reader = super::reader::Reader(bytes);
    let count = reader.count()?;
    let weight = i32::from(reader.int16()?);
    let sign = reader.int16()? as u16;
    let scale = usize::try_from(reader.int16()?).ok()?;
    match sign {
        0xC000 => return Some("NaN".into()),
        0xD000 => return Some("Infinity".into()),
        0xF000 => return Some("-Infinity".into()),
        _ => {}
    }
    let digits: Vec<i16> = (0..count).map(|_| reader.int16()).collect::<Option<_>>()?;
    let digit = |place: i32| {
        let at = usize::try_from(weight - place).ok();
        at.and_then(|at| digits.get(at)).copied().unwrap_or(0)
    };
    let mut whole = String::new();
    for place in (0..=weight.max(0)).rev() {
        write!(whole, "{:04}", digit(place)).unwrap_or_default();
    }
    let whole = whole.trim_start_matches('0');
    let mut fraction = String::new();
    let mut place = -1;
    while fraction.len() < scale {
        write!(fraction, "{:04}", digit(place)).unwrap_or_default();
        place -= 1;
    }
    fraction.truncate(scale);
    let sign = if sign == 0x4000 { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &Type, bytes: &[u8], expected: &str) {
        let value = Value { oid: kind.oid(), format: Format::Binary, bytes: Some(bytes) };
        assert_eq!(value.text().as_deref(), Some(expected), "{kind}");
        assert_eq!(value.hash(), Some(hash_of_text(expected.as_bytes())));
    }

    #[test]
    fn binary_values_are_printed_as_postgresql_prints_them() {
        check(&Type::INT4, &42_i32.to_be_bytes(), "42");
        check(&Type::INT8, &(-7_i64).to_be_bytes(), "-7");
        check(&Type::BOOL, &[1], "t");
        check(&Type::FLOAT8, &1.5_f64.to_be_bytes(), "1.5");
        check(&Type::TEXT, "é".as_bytes(), "é");
        check(&Type::JSONB, b"\x01{}", "{}");
        check(&Type::BYTEA, &[0xde, 0xad], "\\xdead");
        check(&Type::UUID, &[0x11; 16], "11111111-1111-1111-1111-111111111111");
        check(&Type::DATE, &0_i32.to_be_bytes(), "2000-01-01");
        check(&Type::DATE, &(-1_i32).to_be_bytes(), "1999-12-31");
        check(&Type::DATE, &8_820_i32.to_be_bytes(), "2024-02-24");
        check(&Type::DATE, &(-730_119_i32).to_be_bytes(), "0001-01-01");
        check(&Type::DATE, &(-730_120_i32).to_be_bytes(), "0001-12-31 BC");
        check(&Type::TIMESTAMP, &1_500_000_i64.to_be_bytes(), "2000-01-01 00:00:01.5");
        check(&Type::TIMESTAMPTZ, &(-1_000_000_i64).to_be_bytes(), "1999-12-31 23:59:59+00");
        check(&Type::TIMESTAMP, &i64::MAX.to_be_bytes(), "infinity");
    }

    #[test]
    fn numerics_are_printed_to_their_scale() {
        let numeric = |digits: &[i16], weight: i16, sign: u16, scale: i16| {
            let mut bytes = (digits.len() as i16).to_be_bytes().to_vec();
            bytes.extend(weight.to_be_bytes());
            bytes.extend(sign.to_be_bytes());
            bytes.extend(scale.to_be_bytes());
            digits.iter().for_each(|digit| bytes.extend(digit.to_be_bytes()));
            bytes
        };
        check(&Type::NUMERIC, &numeric(&[1, 2345, 6000], 1, 0, 2), "12345.60");
        check(&Type::NUMERIC, &numeric(&[5], -1, 0x4000, 4), "-0.0005");
        check(&Type::NUMERIC, &numeric(&[], 0, 0, 0), "0");
        check(&Type::NUMERIC, &numeric(&[3], 1, 0, 0), "30000");
        check(&Type::NUMERIC, &numeric(&[], 0, 0xC000, 0), "NaN");
    }

    #[test]
    fn what_is_cut_short_has_no_text() {
        for kind in [Type::INT4, Type::NUMERIC, Type::UUID, Type::TIMESTAMP, Type::JSONB] {
            let value = Value { oid: kind.oid(), format: Format::Binary, bytes: Some(&[0]) };
            assert_eq!(value.text(), None, "{kind}");
        }
        assert_eq!(Value { oid: 0, format: Format::Text, bytes: None }.text(), None);
    }
}
