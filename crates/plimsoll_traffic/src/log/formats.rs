//! The three forms of a log, message by message.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

/// A message.
#[derive(Default)]
pub(super) struct Entry<'a> {
    /// When, since any one moment.
    pub(super) at: Option<Duration>,
    /// The process' number; 0 where it isn't known.
    pub(super) process: usize,
    pub(super) severity: Cow<'a, str>,
    pub(super) message: Cow<'a, str>,
    pub(super) detail: Option<Cow<'a, str>>,
    pub(super) application: Cow<'a, str>,
}

/// What stands behind `log_line_prefix` (`src/backend/utils/error/elog.c`).
const LABELS: [&str; 18] = [
    "DEBUG",
    "DEBUG1",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "DEBUG5",
    "LOG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "FATAL",
    "PANIC",
    "DETAIL",
    "HINT",
    "QUERY",
    "CONTEXT",
    "STATEMENT",
];

/// The lines of the stderr form: one of a message begins without a tab, its further ones with one.
pub(super) fn stderr_entries<'a>(text: &'a str, mut take: impl FnMut(Entry<'a>)) {
    let mut entry: Option<Entry<'a>> = None;
    // The part of the entry that goes on.
    let mut part = Part::Other;
    for line in text.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            let grows = match (&mut entry, part) {
                (Some(entry), Part::Message) => Some(&mut entry.message),
                (Some(entry), Part::Detail) => entry.detail.as_mut(),
                _ => None,
            };
            if let Some(grows) = grows {
                grows.to_mut().push('\n');
                grows.to_mut().push_str(more);
            }
            continue;
        }
        let Some((prefix, label, rest)) = labelled(line) else {
            part = Part::Other;
            continue;
        };
        part = match label {
            "DETAIL" => {
                if let Some(entry) = &mut entry {
                    entry.detail = Some(rest.into());
                }
                Part::Detail
            }
            "HINT" | "QUERY" | "CONTEXT" | "STATEMENT" => Part::Other,
            severity => {
                if let Some(entry) = entry.take() {
                    take(entry);
                }
                entry = Some(Entry {
                    at: moment(prefix),
                    process: process_of(prefix),
                    severity: severity.into(),
                    message: rest.into(),
                    ..Entry::default()
                });
                Part::Message
            }
        };
    }
    if let Some(entry) = entry {
        take(entry);
    }
}

#[derive(Clone, Copy)]
enum Part {
    Message,
    Detail,
    Other,
}

/// What stands before a line's label, the label, and what stands behind it.
fn labelled(line: &str) -> Option<(&str, &str, &str)> {
    // The first that there is: a message may quote another.
    line.match_indices(":  ").find_map(|(colon, _)| {
        let start =
            line[..colon].rfind(|letter: char| !letter.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        // What comes before may end in a letter of more bytes than one.
        let start = line.ceil_char_boundary(start);
        let label = &line[start.min(colon)..colon];
        LABELS.contains(&label).then(|| (&line[..start], label, &line[colon + 3..]))
    })
}

/// `%p` in brackets, as the usual prefixes have it.
fn process_of(prefix: &str) -> usize {
    let inside = prefix.split('[').skip(1).filter_map(|rest| rest.split([']', '-']).next());
    inside.filter_map(|digits| digits.parse().ok()).next().unwrap_or_default()
}

/// Records of csvlog (documentation, "Using CSV-Format Log Output").
pub(super) fn csv_entries<'a>(text: &'a str, mut take: impl FnMut(Entry<'a>)) {
    let mut rest = text;
    while !rest.is_empty() {
        let mut fields: Vec<Cow<'a, str>> = Vec::new();
        loop {
            let (field, behind) = csv_field(rest);
            fields.push(field);
            match behind.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = behind.trim_start_matches(['\r', '\n']);
                    break;
                }
            }
        }
        if fields.len() < 14 {
            continue;
        }
        let mut field = |at: usize| fields.get_mut(at).map(std::mem::take).unwrap_or_default();
        take(Entry {
            at: moment(&field(0)),
            process: field(3).parse().unwrap_or_default(),
            severity: field(11),
            message: field(13),
            detail: Some(field(14)).filter(|detail| !detail.is_empty()),
            application: field(22),
        });
    }
}

/// A field, and what follows it: a comma, a line's end, or nothing.
fn csv_field(text: &str) -> (Cow<'_, str>, &str) {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        return (text[..end].trim_end_matches('\r').into(), &text[end..]);
    };
    let mut field = Cow::Borrowed("");
    let mut from = inside;
    loop {
        let Some((before, behind)) = from.split_once('"') else {
            // The log ends within a record.
            field += from;
            return (field, "");
        };
        field += before;
        match behind.strip_prefix('"') {
            Some(behind) => {
                field += "\"";
                from = behind;
            }
            None => {
                let end = behind.find([',', '\n']).unwrap_or(behind.len());
                return (field, &behind[end..]);
            }
        }
    }
}

/// Lines of jsonlog, from PostgreSQL 15 on.
pub(super) fn json_entries(text: &str, mut take: impl FnMut(Entry<'static>)) {
    for line in text.lines() {
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else { continue };
        let text =
            |key: &str| fields.get(key).and_then(Value::as_str).map(|text| Cow::Owned(text.to_owned()));
        let Some(message) = text("message") else { continue };
        take(Entry {
            at: text("timestamp").and_then(|text| moment(&text)),
            process: fields
                .get("pid")
                .and_then(Value::as_u64)
                .and_then(|pid| pid.try_into().ok())
                .unwrap_or_default(),
            severity: text("error_severity").unwrap_or_default(),
            message,
            detail: text("detail"),
            application: text("application_name").unwrap_or_default(),
        });
    }
}

/// The first `2026-01-31 12:34:56.789` in a text, whatever the time zone: a log has one of its own.
fn moment(text: &str) -> Option<Duration> {
    let start = text.as_bytes().windows(19).position(|bytes| {
        bytes.iter().zip(b"0000-00-00 00:00:00").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        })
    })?;
    let number = |from: usize, to: usize| text.get(start + from..start + to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Days since 0000-03-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    let seconds = days * 86_400 + number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    let fraction = text.get(start + 19..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let digits: String = fraction.chars().take_while(char::is_ascii_digit).take(6).collect();
    let micros = format!("{digits:0<6}").parse().ok()?;
    Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_as_far_apart_as_they_are() {
        let apart = |earlier: &str, later: &str| moment(later).unwrap() - moment(earlier).unwrap();
        assert_eq!(
            apart("2024-02-28 23:59:59.5 UTC [1] ", "x 2024-03-01 00:00:00 CET"),
            Duration::from_millis(86_400_500)
        );
        assert_eq!(
            apart("2025-12-31 00:00:00", "2026-01-01 00:00:00.001"),
            Duration::from_millis(86_400_001)
        );
        assert_eq!(["", "2024-00-00 1", "2024-01-01T00:00:00"].map(moment), [None; 3]);
        assert_eq!(moment("0000-01-00 00:00:00"), None);
    }

    #[test]
    fn the_first_label_is_the_lines() {
        assert_eq!(
            labelled("é [7] LOG:  statement: select 'ERROR:  x'"),
            Some(("é [7] ", "LOG", "statement: select 'ERROR:  x'"))
        );
        assert_eq!(labelled("no:  label"), None);
        assert_eq!(process_of("2024-01-01 00:00:00 UTC [x] [412-1] "), 412);
    }
}
