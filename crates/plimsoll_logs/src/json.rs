//! A jsonlog: an object a line (documentation, chapter 19.8.5). Read by hand, since its objects are flat and written by the
//! server in one way; a line that isn't such an object is unparsed.

use crate::counts::Counts;
use crate::record::Record;
use crate::sessions::Sessions;
use crate::severity::Severity;
use crate::time::Clock;
use crate::words::{find_either, padded_word_at};

/// Reads whole lines of a text. `room` is for strings that hold escapes.
pub(crate) fn scan(
    text: &str,
    (clock, sessions): (&mut Clock, &mut Sessions),
    counts: &mut Counts,
    room: &mut String,
    sink: &mut dyn FnMut(&Record<'_>),
) {
    let mut start = 0;
    while start < text.len() {
        let end =
            memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |newline| start + newline);
        let line = text[start..end].trim_end_matches('\r');
        start = end + 1;
        if !line.is_empty() && read(line, (clock, sessions), counts, room, sink).is_none() {
            counts.unparsed(line);
        }
    }
}

/// Columns that a record has, by number.
const FIELDS: usize = 17;

/// A value's place in the line, or in the room if it holds escapes.
#[derive(Clone, Copy, Default)]
struct Value {
    start: u32,
    end: u32,
    in_room: bool,
}

impl Value {
    fn new(start: usize, end: usize, in_room: bool) -> Self {
        // A block is far shorter than four gigabytes.
        Self { start: start as u32, end: end as u32, in_room }
    }
}

fn read(
    line: &str,
    (clock, sessions): (&mut Clock, &mut Sessions),
    counts: &mut Counts,
    room: &mut String,
    sink: &mut dyn FnMut(&Record<'_>),
) -> Option<()> {
    room.clear();
    let mut found = Split::empty();
    split(line, sessions, room, &mut found)?;
    let split = found;
    let get = |number: usize| -> &str {
        let Value { start, end, in_room } = split.values[number];
        let text = if in_room { room.as_str() } else { line };
        &text[start as usize..end as usize]
    };
    let moment = clock.moment(get(0).as_bytes())?;
    counts.records += 1;
    let Some(severity) = Severity::of(get(7)) else {
        counts.foreign += 1;
        return Some(());
    };
    let session = split.known.unwrap_or_else(|| {
        let told = Record {
            user: get(1),
            database: get(2),
            process: get(3).parse().unwrap_or(0),
            host: get(4),
            session: get(5),
            ..Record::new(Severity::Log, "")
        };
        let told = Record { who: told.session_names_hash(), ..told };
        let beginning = &line[split.session.0..split.session.1];
        sessions.keep(beginning, process_at(beginning.as_bytes()), &told);
        told
    });
    let record = Record {
        time_us: Some(moment.time_us),
        command_tag: get(6),
        severity,
        sqlstate: get(8),
        message: get(9),
        detail: get(10),
        hint: get(11),
        query: get(12),
        context: get(13),
        statement: get(14),
        application: get(15),
        backend: get(16),
        ..session
    };
    sink(&Record { who: record.names_hash_from(session.who), ..record });
    Some(())
}

/// A line, split.
struct Split<'a> {
    values: [Value; FIELDS],
    /// What is known of its session, whose values are passed over then.
    known: Option<Record<'a>>,
    /// What a session's lines begin with behind the moment; empty if the line has it otherwise.
    session: (usize, usize),
}

impl Split<'_> {
    const fn empty() -> Self {
        Self { values: [Value { start: 0, end: 0, in_room: false }; FIELDS], known: None, session: (0, 0) }
    }
}

/// Splits a line into an empty [`Split`].
fn split<'a>(line: &'a str, sessions: &Sessions, room: &mut String, split: &mut Split<'a>) -> Option<()> {
    let bytes = line.as_bytes();
    let mut keys = Keys::default();
    // Whether all keys so far are the moment and those of the session.
    let mut is_session = true;
    (bytes.first() == Some(&b'{')).then_some(())?;
    let mut at = 1;
    loop {
        at = behind_blanks(bytes, at);
        let key = keys.read(bytes, at)?;
        let (value, end) = value(line, behind_blanks(bytes, key.end), room)?;
        if let Some(number) = key.number {
            split.values[number] = value;
        }
        at = behind_blanks(bytes, end);
        match bytes.get(at)? {
            b',' => at += 1,
            b'}' => return Some(()),
            _ => return None,
        }
        match key.number {
            Some(0) if split.session.0 == 0 && is_session => {
                let mut record = Record::new(Severity::Log, "");
                if let Some(length) = sessions.get(&line[at..], process_at(&bytes[at..]), &mut record) {
                    at += length;
                    is_session = false;
                    split.known = Some(record);
                }
                split.session = (at, at);
            }
            Some(5) if is_session && split.session.0 > 0 => split.session.1 = at,
            Some(1..=4) => {}
            _ => is_session &= key.is_of_session,
        }
    }
}

/// Where the process stands, if it is near.
fn process_at(text: &[u8]) -> usize {
    const NEAR: usize = 200;
    let near = &text[..text.len().min(NEAR)];
    memchr::memchr_iter(b'p', near).find(|at| near[*at..].starts_with(b"pid\":")).unwrap_or(0)
}

#[inline]
fn behind_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// Keys in the order in which the server writes them, with the number of those that are kept.
const KEYS: [Key; 27] = [
    Key::new(b"timestamp", Some(0)),
    Key::new(b"user", Some(1)),
    Key::new(b"dbname", Some(2)),
    Key::new(b"pid", Some(3)),
    Key::new(b"remote_host", Some(4)),
    Key::new(b"remote_port", None),
    Key::new(b"session_id", Some(5)),
    Key::new(b"line_num", None),
    Key::new(b"ps", Some(6)),
    Key::new(b"session_start", None),
    Key::new(b"vxid", None),
    Key::new(b"txid", None),
    Key::new(b"error_severity", Some(7)),
    Key::new(b"state_code", Some(8)),
    Key::new(b"message", Some(9)),
    Key::new(b"detail", Some(10)),
    Key::new(b"hint", Some(11)),
    Key::new(b"internal_query", Some(12)),
    Key::new(b"context", Some(13)),
    Key::new(b"statement", Some(14)),
    Key::new(b"cursor_position", None),
    Key::new(b"func_name", None),
    Key::new(b"file_name", None),
    Key::new(b"application_name", Some(15)),
    Key::new(b"backend_type", Some(16)),
    Key::new(b"leader_pid", None),
    Key::new(b"query_id", None),
];

/// A key of at most sixteen bytes, by its first eight and its last eight.
struct Key {
    length: usize,
    first: u64,
    /// The bits of the first word that belong to the key.
    mask: u64,
    last: u64,
    number: Option<usize>,
}

impl Key {
    const fn new(text: &[u8], number: Option<usize>) -> Self {
        assert!(text.len() <= 16);
        let (mut first, mut last, mut at) = (0, 0, 0);
        while at < text.len() && at < 8 {
            first |= (text[at] as u64) << (8 * at);
            at += 1;
        }
        let behind = text.len().saturating_sub(8);
        at = 0;
        while behind > 0 && at < 8 {
            last |= (text[behind + at] as u64) << (8 * at);
            at += 1;
        }
        let mask = if text.len() < 8 { (1 << (8 * text.len())) - 1 } else { u64::MAX };
        Self { length: text.len(), first, mask, last, number }
    }

    /// Whether it stands there, of which `first` is the first word, with its quote and colon.
    fn stands(&self, bytes: &[u8], at: usize, first: u64) -> bool {
        let end = at + self.length;
        first & self.mask == self.first
            && bytes.get(end..end + 2) == Some(b"\":")
            && (self.length <= 8 || padded_word_at(bytes, end - 8) == self.last)
    }
}

/// A key that was read.
struct KeyRead {
    number: Option<usize>,
    /// Whether a session's records have it alike.
    is_of_session: bool,
    /// Behind its colon.
    end: usize,
}

/// Tells keys, quickest in the server's order.
#[derive(Default)]
struct Keys {
    next: usize,
}

impl Keys {
    /// Reads the key that stands there, and its colon.
    fn read(&mut self, bytes: &[u8], at: usize) -> Option<KeyRead> {
        (bytes.get(at) == Some(&b'"')).then_some(())?;
        let first = padded_word_at(bytes, at + 1);
        let stands = |key: &Key| key.stands(bytes, at + 1, first);
        let (before, behind) = KEYS.split_at(self.next);
        let known = behind.iter().position(stands).map(|number| number + self.next);
        let Some(known) = known.or_else(|| before.iter().position(stands)) else {
            return Self::other(bytes, at);
        };
        self.next = known + 1;
        let Key { length, number, .. } = KEYS[known];
        Some(KeyRead { number, is_of_session: known == REMOTE_PORT, end: at + length + 3 })
    }

    /// One that isn't known, or has blanks before its colon.
    #[cold]
    fn other(bytes: &[u8], at: usize) -> Option<KeyRead> {
        let (start, end) = plain_string(bytes, at)?;
        let colon = behind_blanks(bytes, end + 1);
        (bytes.get(colon) == Some(&b':')).then_some(())?;
        let first = padded_word_at(bytes, start);
        let is = |key: &&Key| {
            key.length == end - start
                && first & key.mask == key.first
                && (key.length <= 8 || padded_word_at(bytes, end - 8) == key.last)
        };
        let number = KEYS.iter().find(is).and_then(|key| key.number);
        Some(KeyRead { number, is_of_session: false, end: colon + 1 })
    }
}

/// The place of `remote_port`.
const REMOTE_PORT: usize = 5;

/// The inside of a string without escapes.
fn plain_string(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    (bytes.get(at) == Some(&b'"')).then_some(())?;
    let end = find_either(bytes, at + 1, b'"', b'\\')?;
    (bytes[end] == b'"').then_some((at + 1, end))
}

/// A string or a number, and where it ends.
fn value(line: &str, at: usize, room: &mut String) -> Option<(Value, usize)> {
    let bytes = line.as_bytes();
    if let Some((start, end)) = plain_string(bytes, at) {
        return Some((Value::new(start, end, false), end + 1));
    }
    if bytes.get(at) != Some(&b'"') {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let length = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
        return (length > 0).then_some((Value::new(at, at + length, false), at + length));
    }
    let start = room.len();
    let end = unescape(line, at + 1, room)?;
    Some((Value::new(start, room.len(), true), end + 1))
}

/// Puts a string's text into the room; returns where its closing quote stands.
fn unescape(line: &str, mut at: usize, room: &mut String) -> Option<usize> {
    let bytes = line.as_bytes();
    loop {
        let plain = find_either(bytes, at, b'"', b'\\')?;
        room.push_str(&line[at..plain]);
        at = plain;
        if bytes[at] == b'"' {
            return Some(at);
        }
        let letter = match bytes.get(at + 1)? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            other @ (b'"' | b'\\' | b'/') => char::from(*other),
            b'u' => {
                let (letter, length) = unicode(line, at)?;
                room.push(letter);
                at += length;
                continue;
            }
            _ => return None,
        };
        room.push(letter);
        at += 2;
    }
}

/// The character of `\u00e9`, or of a pair of surrogates, and the bytes that it takes.
fn unicode(line: &str, at: usize) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = line.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(at)?;
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(at + 6)) {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return char::from_u32(code).map(|letter| (letter, 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

/// Where the last line of a text begins.
pub(crate) fn last_start(text: &[u8]) -> Option<usize> {
    memchr::memrchr(b'\n', text).map(|newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Counts) {
        let (mut records, mut counts) = (Vec::new(), Counts::default());
        let mut sink = |record: &Record<'_>| records.push(format!("{:?}", Record { who: 0, ..*record }));
        let known = (&mut Clock::default(), &mut Sessions::default());
        scan(text, known, &mut counts, &mut String::new(), &mut sink);
        (records, counts)
    }

    #[test]
    fn a_line_is_read_with_its_escapes() {
        let line = r#"{"timestamp":"2026-11-23 12:00:00.123 UTC","user":"ann","pid":77,"error_severity":"ERROR","state_code":"42601","message":"a \"b\"\n\té\ud83d\ude00\u0041","detail":"d","backend_type":"client backend","query_id":-5}"#;
        let (records, counts) = read(&format!("{line}\r\n{line}"));
        let expected = Record {
            time_us: Some(1_795_435_200_123_000),
            user: "ann",
            process: 77,
            sqlstate: "42601",
            detail: "d",
            backend: "client backend",
            ..Record::new(Severity::Error, "a \"b\"\n\té😀A")
        };
        assert_eq!(records, [format!("{expected:?}"), format!("{expected:?}")]);
        assert_eq!((counts.records, counts.unparsed), (2, 0));
    }

    #[test]
    fn a_key_is_known_wherever_it_stands() {
        let (records, _) = read(
            r#"{"message":"m","x":1,"error_severity":"LOG","timestamp":"2026-11-23 12:00:00 UTC","remote_hosts":"h","pid":7}"#,
        );
        let time_us = Some(1_795_435_200_000_000);
        let expected = Record { time_us, process: 7, ..Record::new(Severity::Log, "m") };
        assert_eq!(records, [format!("{expected:?}")]);
    }

    #[test]
    fn what_is_no_such_object_is_unparsed() {
        for line in [
            "x",
            "{",
            "{}",
            "[1]",
            r#"{"timestamp":"x"}"#,
            r#"{"timestamp":"2026-11-23 12:00:00 UTC","message":"ne"#,
        ] {
            let (records, counts) = read(line);
            assert_eq!((records.len(), counts.unparsed), (0, 1), "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"(\{|\}|"|\\u|\\|d83d|timestamp|message|:|,|1|é|\n| |[a-f0-9]{4}){0,60}"#) {
            read(&text);
        }

        #[test]
        fn what_is_known_of_a_session_changes_nothing(
            picks in proptest::collection::vec((0_usize..3, 0_usize..3, 0_u32..3, 0_usize..3), 1..20),
        ) {
            let names = ["ann", "a\"pid\":5", "é,\"user\":\"x"];
            let lines: Vec<String> = picks
                .iter()
                .map(|(user, database, process, host)| {
                    let quoted = |name: usize| serde_json::Value::from(names[name]);
                    format!(
                        "{{\"timestamp\":\"2026-11-23 12:00:00 UTC\",\"user\":{},\"dbname\":{},\"pid\":{process},\"remote_host\":{},\"session_id\":\"6a.{process}\",\"line_num\":1,\"error_severity\":\"LOG\",\"message\":\"m\"}}\n",
                        quoted(*user), quoted(*database), quoted(*host)
                    )
                })
                .collect();
            let apart: Vec<String> = lines.iter().flat_map(|line| read(line).0).collect();
            proptest::prop_assert_eq!(read(&lines.concat()).0, apart);
        }

        #[test]
        fn what_serde_writes_is_read(message in ".{0,60}", detail in ".{0,20}") {
            let line = serde_json::json!({
                "timestamp": "2026-11-23 12:00:00.123 UTC", "error_severity": "LOG", "message": message, "detail": detail,
            });
            let (mut found, mut counts) = (Vec::new(), Counts::default());
            let mut sink = |record: &Record<'_>| found.push((record.message.to_owned(), record.detail.to_owned()));
            let known = (&mut Clock::default(), &mut Sessions::default());
            scan(&line.to_string(), known, &mut counts, &mut String::new(), &mut sink);
            proptest::prop_assert_eq!(found, vec![(message, detail)]);
        }
    }
}
