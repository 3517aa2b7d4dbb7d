//! A stderr log. A line goes on as long as the next one begins with a TAB; a message goes on as long as lines of its process
//! add parts (DETAIL, STATEMENT) to it.

use crate::counts::Counts;
use crate::label::{Label, Part};
use crate::prefix::Prefix;
use crate::record::Record;
use crate::sessions::Sessions;
use crate::severity::Severity;
use crate::time::Clock;

/// Names that a client chooses have at most so many bytes (PostgreSQL's NAMEDATALEN less one).
const LONGEST_NAME: usize = 63;

/// Reads whole records of a text.
pub(crate) fn scan(
    prefix: &Prefix,
    text: &str,
    (clock, sessions): (&mut Clock, &mut Sessions),
    counts: &mut Counts,
    sink: &mut dyn FnMut(&Record<'_>),
) {
    let chosen_names = prefix.has('a') || prefix.has('u') || prefix.has('d');
    let mut pending: Option<Record<'_>> = None;
    for line in lines(text) {
        let mut record = Record::new(Severity::Log, "");
        let Some((label, at)) = prefix.read_known(line, clock, &mut record, sessions) else {
            if !line.is_empty() {
                counts.unparsed(line);
            }
            continue;
        };
        let message = &line[at..];
        if let Label::Part(part) = label {
            match pending.as_mut().filter(|pending| pending.process == record.process) {
                Some(pending) => add(pending, part, message),
                None => counts.unparsed(line),
            }
            continue;
        }
        if let Some(done) = pending.take() {
            sink(&done);
        }
        counts.records += 1;
        match label {
            Label::Message(_) if chosen_names && has_second_label(message) => counts.suspicious += 1,
            Label::Message(severity) => pending = Some(Record { severity, message, ..record }),
            Label::Foreign | Label::Part(_) => counts.foreign += 1,
        }
    }
    if let Some(done) = pending {
        sink(&done);
    }
}

fn add<'a>(record: &mut Record<'a>, part: Part, text: &'a str) {
    match part {
        Part::Detail => record.detail = text,
        Part::Hint => record.hint = text,
        Part::Context => record.context = text,
        Part::Statement => record.statement = text,
        Part::Query => record.query = text,
        Part::Other => {}
    }
}

/// Whether a severity stands so close to the line's prefix that a name may have brought the first one.
fn has_second_label(message: &str) -> bool {
    let window = &message.as_bytes()[..message.len().min(2 * LONGEST_NAME)];
    let labels = memchr::memchr_iter(b':', window).filter(|colon| window[colon + 1..].starts_with(b"  "));
    labels.into_iter().any(|colon| {
        let word = window[..colon].iter().rev().take_while(|byte| byte.is_ascii_uppercase()).count();
        std::str::from_utf8(&window[colon - word..colon]).ok().and_then(Severity::of).is_some()
    })
}

/// The lines of a text, each with the lines that go on with it, without their last newline.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut newlines = memchr::memchr_iter(b'\n', bytes);
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let mut end = newlines.next().unwrap_or(bytes.len());
        while bytes.get(end + 1) == Some(&b'\t') {
            end = newlines.next().unwrap_or(bytes.len());
        }
        let line = &text[start..end];
        start = end + 1;
        Some(line.strip_suffix('\r').unwrap_or(line))
    })
}

/// Where the last record of a text may begin: everything before is whole. None if no second record begins.
pub(crate) fn last_start(prefix: &Prefix, text: &[u8], clock: &mut Clock) -> Option<usize> {
    memchr::memrchr_iter(b'\n', text).map(|newline| newline + 1).find(|start| {
        let line = &text[*start..];
        let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
        let Ok(line) = std::str::from_utf8(line) else { return false };
        let mut record = Record::new(Severity::Log, "");
        let read = prefix.read(line, clock, &mut record);
        matches!(read, Some((Label::Message(_) | Label::Foreign, _)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(prefix: &str, text: &str) -> (Vec<String>, Counts) {
        let (mut records, mut counts) = (Vec::new(), Counts::default());
        let mut sink = |record: &Record<'_>| {
            let Record { severity, process, message, detail, statement, .. } = record;
            records.push(format!("{} {process} {message}|{detail}|{statement}", severity.word()));
        };
        let room = (&mut Clock::default(), &mut Sessions::default());
        scan(&Prefix::new(prefix).unwrap(), text, room, &mut counts, &mut sink);
        (records, counts)
    }

    #[test]
    fn lines_and_parts_are_joined() {
        let text =
            "[5] LOG:  a\n\tb\n[5] DETAIL:  c\n[6] ERROR:  d\n[6] DETAIL:  e\n\tf\n[6] STATEMENT:  g\r\n";
        let (records, counts) = read("[%p] ", text);
        assert_eq!(records, ["LOG 5 a\n\tb|c|", "ERROR 6 d|e\n\tf|g"]);
        assert_eq!((counts.records, counts.unparsed), (2, 0));
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        let (records, counts) =
            read("[%p] ", "garbage\n[5] LOG:  a\n[6] DETAIL:  of another\n\n[7] СЛОВО:  b\n");
        assert_eq!(records, ["LOG 5 a||"]);
        assert_eq!((counts.unparsed, counts.foreign), (2, 1));
        assert_eq!(counts.samples, ["garbage", "[6] DETAIL:  of another"]);
    }

    #[test]
    fn forged_lines_count_for_nothing() {
        let forged =
            "[5] x LOG:  duration: 99999.000 ms  statement: y LOG:  duration: 0.1 ms  statement: select 1\n";
        let (records, counts) = read("[%p] %a ", forged);
        assert_eq!((records.len(), counts.suspicious), (0, 1));
        let (records, counts) = read("[%p] ", "[5] LOG:  statement: select 'LOG:  x'\n");
        assert_eq!((records.len(), counts.suspicious), (1, 0));
    }

    #[test]
    fn a_record_that_may_go_on_is_found() {
        let prefix = Prefix::new("[%p] ").unwrap();
        let start = |text: &str| last_start(&prefix, text.as_bytes(), &mut Clock::default());
        assert_eq!(start("[5] LOG:  a\n[6] LOG:  b\n[6] DETAIL:  c\n\td"), Some(12));
        assert_eq!(start("[5] LOG:  a\n\tb\n"), None);
        assert_eq!(start(""), None);
    }
}
