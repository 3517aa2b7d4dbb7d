//! A csvlog: 23 columns before PostgreSQL 13, 24 in 13, 26 since (documentation, chapter 19.8.4).

use crate::counts::Counts;
use crate::record::Record;
use crate::severity::Severity;
use crate::time::Clock;
use crate::words::find_either;

const COLUMNS: usize = 26;
const FEWEST: usize = 23;

/// Where a field's text stands.
#[derive(Clone, Copy, Default)]
struct Field {
    start: usize,
    end: usize,
    /// Whether it holds doubled quotes.
    doubled: bool,
}

/// Reads whole records of a text. `room` is for fields that hold quotes.
pub(crate) fn scan(
    text: &str,
    clock: &mut Clock,
    counts: &mut Counts,
    room: &mut String,
    sink: &mut dyn FnMut(&Record<'_>),
) {
    let mut at = 0;
    while at < text.len() {
        let mut fields = [Field::default(); COLUMNS];
        match split(text.as_bytes(), at, &mut fields) {
            Some((columns, end)) if columns >= FEWEST => {
                let raw = &text[at..end];
                if !keep(text, &fields, columns, clock, counts, room, sink) {
                    counts.unparsed(raw);
                }
                at = end;
            }
            _ => {
                let end = memchr::memchr(b'\n', &text.as_bytes()[at..])
                    .map_or(text.len(), |newline| at + newline + 1);
                if !text[at..end].trim().is_empty() {
                    counts.unparsed(&text[at..end]);
                }
                at = end;
            }
        }
    }
}

/// Splits the record that begins at `at` into fields; returns how many there are and where the next record begins.
fn split(text: &[u8], mut at: usize, fields: &mut [Field; COLUMNS]) -> Option<(usize, usize)> {
    let mut column = 0;
    loop {
        let field = fields.get_mut(column)?;
        column += 1;
        if text.get(at) == Some(&b'"') {
            *field = quoted(text, at + 1)?;
            at = field.end + 1;
        } else {
            let end = find_either(text, at, b',', b'\n').unwrap_or(text.len());
            *field = Field { start: at, end, doubled: false };
            at = end;
        }
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b'\n') => return Some((column, at + 1)),
            Some(b'\r') if text.get(at + 1) == Some(&b'\n') => return Some((column, at + 2)),
            None => return Some((column, at)),
            Some(_) => return None,
        }
    }
}

fn quoted(text: &[u8], start: usize) -> Option<Field> {
    let (mut end, mut doubled) = (start, false);
    loop {
        end = find_either(text, end, b'"', b'"')?;
        if text.get(end + 1) != Some(&b'"') {
            return Some(Field { start, end, doubled });
        }
        doubled = true;
        end += 2;
    }
}

fn keep(
    text: &str,
    fields: &[Field; COLUMNS],
    columns: usize,
    clock: &mut Clock,
    counts: &mut Counts,
    room: &mut String,
    sink: &mut dyn FnMut(&Record<'_>),
) -> bool {
    let halved = halve(text, &fields[..columns], room);
    let get = |column: usize| {
        let field = fields[column];
        if !field.doubled {
            return &text[field.start..field.end];
        }
        let (start, end) = halved.iter().find(|halved| halved.0 == column).map_or((0, 0), |halved| halved.1);
        &room[start..end]
    };
    let Some(moment) = clock.moment(get(0).as_bytes()) else { return false };
    counts.records += 1;
    let Some(severity) = Severity::of(get(11)) else {
        counts.foreign += 1;
        return true;
    };
    sink(&Record {
        time_us: Some(moment.time_us),
        severity,
        sqlstate: get(12),
        process: get(3).parse().unwrap_or(0),
        session: get(5),
        user: get(1),
        database: get(2),
        application: get(22),
        host: host(get(4)),
        who: 0,
        backend: if columns > 23 { get(23) } else { "" },
        command_tag: get(7),
        message: get(13),
        detail: get(14),
        hint: get(15),
        context: get(18),
        statement: get(19),
        query: get(16),
    });
    true
}

/// Puts fields that hold doubled quotes into the room, with single ones; returns where each stands.
fn halve(text: &str, fields: &[Field], room: &mut String) -> Vec<(usize, (usize, usize))> {
    room.clear();
    let mut places = Vec::new();
    for (column, field) in fields.iter().enumerate().filter(|(_, field)| field.doubled) {
        let start = room.len();
        let mut pieces = text[field.start..field.end].split("\"\"");
        room.push_str(pieces.next().unwrap_or_default());
        pieces.for_each(|piece| {
            room.push('"');
            room.push_str(piece);
        });
        places.push((column, (start, room.len())));
    }
    places
}

/// `10.0.0.7:5432` is the host `10.0.0.7`; `[local]` has no port.
fn host(from: &str) -> &str {
    if from == "[local]" {
        return from;
    }
    match from.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => from,
    }
}

/// Where the last record of a text that begins with one may begin: behind the last newline outside quotes.
pub(crate) fn last_start(text: &[u8]) -> Option<usize> {
    let mut inside = memchr::memchr_iter(b'"', text).count() % 2 == 1;
    memchr::memrchr2_iter(b'"', b'\n', text)
        .find(|at| {
            if text[*at] == b'"' {
                inside = !inside;
                return false;
            }
            !inside
        })
        .map(|newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "2026-11-23 12:00:00.123 UTC,\"ann\",\"shop\",77,\"10.0.0.7:5432\",6a1b.4d,1,\"SELECT\",2026-11-23 11:00:00 UTC,3/4,0,LOG,00000,\"statement: select \"\"a\"\"\nfrom t\",\"d\"\"\",,,,,\"q\",,,\"web\",\"client backend\",,5\n";

    fn read(text: &str) -> (Vec<String>, Counts) {
        let (mut records, mut counts) = (Vec::new(), Counts::default());
        let mut sink = |record: &Record<'_>| records.push(format!("{record:?}"));
        scan(text, &mut Clock::default(), &mut counts, &mut String::new(), &mut sink);
        (records, counts)
    }

    #[test]
    fn a_record_of_several_lines_is_read() {
        let (records, counts) = read(&LINE.repeat(2));
        let expected = Record {
            time_us: Some(1_795_435_200_123_000),
            sqlstate: "00000",
            process: 77,
            session: "6a1b.4d",
            user: "ann",
            database: "shop",
            application: "web",
            host: "10.0.0.7",
            backend: "client backend",
            command_tag: "SELECT",
            detail: "d\"",
            statement: "q",
            ..Record::new(Severity::Log, "statement: select \"a\"\nfrom t")
        };
        assert_eq!(records, [format!("{expected:?}"), format!("{expected:?}")]);
        assert_eq!((counts.records, counts.unparsed), (2, 0));
    }

    #[test]
    fn what_cannot_be_read_is_passed_over_by_line() {
        let (records, counts) = read(&format!("garbage\n\"open\n{LINE}a,b\n"));
        assert_eq!((records.len(), counts.unparsed), (1, 3));
    }

    #[test]
    fn the_last_record_is_found_behind_quotes() {
        assert_eq!(last_start(LINE.as_bytes()), Some(LINE.len()));
        let cut = format!("{LINE}{}", &LINE[..LINE.len() - 60]);
        assert_eq!(last_start(cut.as_bytes()), Some(LINE.len()));
        assert_eq!(last_start(b"a\"\nb"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\",\na-z0-9:é\r]{0,200}") {
            read(&text);
            last_start(text.as_bytes());
        }
    }
}
