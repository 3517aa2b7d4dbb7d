//! A csvlog: 23 columns before PostgreSQL 13, 24 in 13, 26 since (documentation, chapter 19.8.4).

use crate::counts::Counts;
use crate::record::Record;
use crate::sessions::Sessions;
use crate::severity::Severity;
use crate::time::Clock;
use crate::words::find_either;

const COLUMNS: usize = 26;
const FEWEST: usize = 23;
/// User, database, process, address, session: what a session keeps.
const SESSION: std::ops::Range<usize> = 1..6;

/// Where a field's text stands.
#[derive(Clone, Copy, Default)]
struct Field {
    start: usize,
    end: usize,
    /// Whether it holds doubled quotes.
    doubled: bool,
}

/// A field in the room, with its quotes halved.
struct Halved {
    column: usize,
    start: usize,
    end: usize,
}

/// Reads whole records of a text. `room` is for fields that hold quotes.
pub(crate) fn scan(
    text: &str,
    (clock, sessions): (&mut Clock, &mut Sessions),
    counts: &mut Counts,
    room: &mut String,
    sink: &mut dyn FnMut(&Record<'_>),
) {
    let mut at = 0;
    while at < text.len() {
        let mut fields = [Field::default(); COLUMNS];
        match split(text, at, sessions, &mut fields) {
            Some((columns, end, known)) if columns >= FEWEST => {
                let raw = &text[at..end];
                let read = Split { text, fields: &fields, columns, known };
                if !read.keep((clock, sessions), counts, room, sink) {
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

/// Splits the record that begins at `at` into fields; returns how many there are, where the next record begins, and what is
/// known of its session, whose fields are passed over then.
fn split<'a>(
    text: &'a str,
    mut at: usize,
    sessions: &Sessions,
    fields: &mut [Field; COLUMNS],
) -> Option<(usize, usize, Option<Record<'a>>)> {
    let bytes = text.as_bytes();
    let mut column = 0;
    let mut known = None;
    loop {
        let field = fields.get_mut(column)?;
        column += 1;
        if bytes.get(at) == Some(&b'"') {
            *field = quoted(bytes, at + 1)?;
            at = field.end + 1;
        } else {
            let end = find_either(bytes, at, b',', b'\n').unwrap_or(bytes.len());
            *field = Field { start: at, end, doubled: false };
            at = end;
        }
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(b'\n') => return Some((column, at + 1, known)),
            Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => return Some((column, at + 2, known)),
            None => return Some((column, at, known)),
            Some(_) => return None,
        }
        if column == SESSION.start {
            let mut record = Record::new(Severity::Log, "");
            if let Some(length) = sessions.get(&text[at..], process_at(&bytes[at..]), &mut record) {
                at += length;
                column = SESSION.end;
                known = Some(record);
            }
        }
    }
}

/// Where the process stands in what begins with the user and the database.
fn process_at(text: &[u8]) -> usize {
    (0..2).fold(0, |at, _| {
        let end = match text.get(at) {
            Some(b'"') => find_either(text, at + 1, b'"', b'"').map(|end| end + 1),
            _ => find_either(text, at, b',', b'\n'),
        };
        end.map_or(text.len(), |end| end + 1)
    })
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

/// A record, split.
struct Split<'f, 'a> {
    text: &'a str,
    fields: &'f [Field; COLUMNS],
    columns: usize,
    /// What is known of its session.
    known: Option<Record<'a>>,
}

impl Split<'_, '_> {
    /// Hands it over. False if it is none.
    fn keep(
        &self,
        (clock, sessions): (&mut Clock, &mut Sessions),
        counts: &mut Counts,
        room: &mut String,
        sink: &mut dyn FnMut(&Record<'_>),
    ) -> bool {
        let halved = halve(self.text, &self.fields[..self.columns], room);
        let get = |column: usize| self.field(column, room, &halved);
        let Some(moment) = clock.moment(get(0).as_bytes()) else { return false };
        counts.records += 1;
        let Some(severity) = Severity::of(get(11)) else {
            counts.foreign += 1;
            return true;
        };
        let session = self.known.unwrap_or_else(|| {
            let told = Record {
                user: get(1),
                database: get(2),
                process: get(3).parse().unwrap_or(0),
                host: host(get(4)),
                session: get(5),
                ..Record::new(Severity::Log, "")
            };
            let told = Record { who: told.session_names_hash(), ..told };
            let beginning = &self.text[self.session_start()..self.fields[SESSION.end].start];
            if beginning.ends_with(',') {
                sessions.keep(beginning, process_at(beginning.as_bytes()), &told);
            }
            told
        });
        let record = Record {
            time_us: Some(moment.time_us),
            severity,
            sqlstate: get(12),
            application: get(22),
            backend: if self.columns > 23 { get(23) } else { "" },
            command_tag: get(7),
            message: get(13),
            detail: get(14),
            hint: get(15),
            context: get(18),
            statement: get(19),
            query: get(16),
            ..session
        };
        sink(&Record { who: record.names_hash_from(session.who), ..record });
        true
    }

    fn field<'s>(&'s self, column: usize, room: &'s str, halved: &[Halved]) -> &'s str {
        let field = self.fields[column];
        if !field.doubled {
            return &self.text[field.start..field.end];
        }
        let place = halved.iter().find(|halved| halved.column == column);
        place.map_or("", |place| &room[place.start..place.end])
    }

    /// Where the fields of the session begin, quotes included: behind the first field's comma.
    fn session_start(&self) -> usize {
        let first = self.fields[0];
        let quotes = usize::from(self.text[..first.start].ends_with('"'));
        first.end + quotes + 1
    }
}

/// Puts fields that hold doubled quotes into the room, with single ones; returns where each stands.
fn halve(text: &str, fields: &[Field], room: &mut String) -> Vec<Halved> {
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
        places.push(Halved { column, start, end: room.len() });
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
        let mut sink = |record: &Record<'_>| records.push(format!("{:?}", Record { who: 0, ..*record }));
        let known = (&mut Clock::default(), &mut Sessions::default());
        scan(text, known, &mut counts, &mut String::new(), &mut sink);
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
        fn what_is_known_of_a_session_changes_nothing(
            picks in proptest::collection::vec((0_usize..4, 0_usize..4, 0_u32..3, 0_usize..4), 1..20),
        ) {
            let names = ["\"ann\"", "\"a\"\"b,\"", "", "\"é,5\""];
            let lines: Vec<String> = picks
                .iter()
                .map(|(user, database, process, host)| {
                    let (user, database, host) = (names[*user], names[*database], names[*host]);
                    format!("2026-11-23 12:00:00.123 UTC,{user},{database},{process},{host},6a.{process},1,\"SELECT\",2026-11-23 11:00:00 UTC,3/4,0,LOG,00000,\"m\",,,,,,,,,\"web\",\"client backend\",,5\n")
                })
                .collect();
            let apart: Vec<String> = lines.iter().flat_map(|line| read(line).0).collect();
            proptest::prop_assert_eq!(read(&lines.concat()).0, apart);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\",\na-z0-9:é\r]{0,200}") {
            read(&text);
            last_start(text.as_bytes());
        }
    }
}
