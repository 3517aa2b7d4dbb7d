//! Finding a log's prefix from its first lines.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Piece, Prefix};
use crate::record::Record;
use crate::severity::Severity;
use crate::time::Clock;

/// Prefixes that are seen often: PostgreSQL's own, Debian's, pgBadger's, those of clouds and of container images. Of
/// several that read as many lines, the first counts, so those that tell more come first.
const KNOWN: &[&str] = &[
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%m [%p] %q%u@%d/%a ",
    "%m [%p] %q%u@%d %a ",
    "%t [%p] %q%u@%d %a ",
    "%m [%p] app=%a user=%u db=%d ",
    // Aurora and RDS of PostgreSQL 15 and later, RDS of before.
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%t:%r:%u@%d:[%p]:",
    // Zalando's Spilo, Aiven, Crunchy's operator.
    "%t [%p]: [%l-1] %c %x %d %u %a %h ",
    "pid=%p,user=%u,db=%d,app=%a,client=%h ",
    "%m [%p][%b][%v][%x] %q[user=%u,db=%d,app=%a] ",
    // Heroku, with what its newer plans tell.
    " sql_error_code = %e time_ms = \"%m\" pid=\"%p\" proc_start_time=\"%s\" session_id=\"%c\" vtid=\"%v\" tid=\"%x\" log_line=\"%l\" database=\"%d\" connection_source=\"%r\" user=\"%u\" application_name=\"%a\" ",
    " sql_error_code = %e ",
    // Google's Cloud SQL, Azure, Heroku, Supabase.
    "%m [%p]: [%l-1] db=%d,user=%u,host=%h ",
    "%m [%p]: [%l-1] db=%d,user=%u ",
    "%t [%p]: [%l-1] db=%d,user=%u,host=%h ",
    "%t-%c-%u-%d-",
    "%t-%c-",
    "%h %m [%p] %q%u@%d ",
    "%m [%p] %q%u@%d ",
    "%t [%p] %q%u@%d ",
    "%t %u@%d[%p] ",
    "%m %u@%d[%p] ",
    "[%p] [%d] [%u] [%a] ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: [%l-1] ",
    "%m [%p]: [%l-1] ",
    "%n [%p] ",
    "%m [%p] ",
    "%t [%p] ",
    "%m %p ",
    "%m ",
    "%t ",
    "[%p] ",
    "",
];

/// Finds the prefix by which most lines can be read: one that is seen often, or one made from a line's own words. None if
/// no line can be read by any.
#[must_use]
pub fn detect(sample: &str) -> Option<Prefix> {
    let lines: Vec<&str> = sample.lines().filter(|line| !line.starts_with('\t')).take(400).collect();
    let guessed = lines.iter().filter_map(|line| guess(line)).take(40);
    let known = KNOWN.iter().map(|text| (*text).to_owned());
    let mut best: Option<(Worth, Prefix)> = None;
    let mut seen = BTreeSet::new();
    for text in known.chain(guessed) {
        let Ok(prefix) = Prefix::new(&text) else { continue };
        let worth = worth(&prefix, &lines);
        let better = best.as_ref().is_none_or(|(most, _)| worth > *most);
        if seen.insert(text) && worth.lines > 0 && better {
            best = Some((worth, prefix));
        }
    }
    best.map(|(_, prefix)| prefix)
}

/// How well a prefix suits, what counts most first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Worth {
    /// How many lines can be read by it.
    lines: usize,
    /// Names that don't look like several.
    names: isize,
    /// A simpler prefix that tells as much is better.
    pieces: Reverse<usize>,
}

fn worth(prefix: &Prefix, lines: &[&str]) -> Worth {
    let mut clock = Clock::default();
    let pieces = prefix.pieces.iter().filter(|piece| matches!(piece, Piece::Escape(_))).count();
    let mut worth = Worth { lines: 0, names: 0, pieces: Reverse(pieces) };
    for line in lines {
        let mut record = Record::new(Severity::Log, "");
        if prefix.read(line, &mut clock, &mut record).is_none() {
            continue;
        }
        worth.lines += 1;
        worth.names += isize::from(!record.sqlstate.is_empty());
        worth.names -=
            [record.user, record.database].iter().filter(|name| name.contains(' ')).count() as isize;
        for name in [record.user, record.database, record.application, record.host, record.session] {
            let strange =
                name.contains([',', '=', '[', ']', '@', ':']) && name != "[local]" && !name.contains("::");
            worth.names += if strange { -1 } else { isize::from(!name.is_empty()) };
        }
    }
    worth
}

/// A prefix from a line's own words: moments, numbers in brackets, and `name=value`.
fn guess(line: &str) -> Option<String> {
    let end = ["LOG:  ", "ERROR:  ", "FATAL:  ", "WARNING:  ", "STATEMENT:  ", "DETAIL:  ", "HINT:  "]
        .iter()
        .filter_map(|label| line.find(label))
        .min()?;
    let mut prefix = String::new();
    let mut rest = &line[..end];
    let mut had_moment = false;
    while let Some(first) = rest.chars().next() {
        let (escape, length) = word(rest, &mut had_moment, prefix.as_str());
        if length > 0 {
            prefix.push_str(&escape);
            rest = &rest[length..];
        } else {
            if first == '%' {
                prefix.push('%');
            }
            prefix.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(prefix)
}

/// The escape for what a text begins with, and its length; nothing if it stands for itself.
fn word(rest: &str, had_moment: &mut bool, before: &str) -> (String, usize) {
    if let Some(moment) = Clock::default().moment(rest.as_bytes()) {
        let exact = rest.as_bytes().get(19) == Some(&b'.');
        let escape = match (*had_moment, exact) {
            (true, false) => "%s",
            (_, true) => "%m",
            _ => "%t",
        };
        *had_moment = true;
        return (escape.to_owned(), moment.length);
    }
    let name = before.rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '='));
    let name = name.into_iter().next().unwrap_or_default().to_lowercase();
    if let Some(escape) = name.strip_suffix('=').and_then(named) {
        let end = rest.find([',', ' ', ']', ';', '|', ')']).unwrap_or(rest.len());
        return (escape.to_owned(), end);
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let starts_word = !before.ends_with(|letter: char| letter.is_alphanumeric());
    if digits > 0
        && starts_word
        && !rest[digits..].starts_with(|letter: char| letter.is_alphanumeric() || letter == '.')
    {
        let escape = if before.contains("%p") { "%l" } else { "%p" };
        return (escape.to_owned(), digits);
    }
    (String::new(), 0)
}

fn named(name: &str) -> Option<&'static str> {
    Some(match name {
        "user" | "usr" | "u" | "role" => "%u",
        "db" | "database" | "d" | "dbname" => "%d",
        "app" | "application" | "application_name" | "a" | "appname" => "%a",
        "client" | "host" | "h" | "remote" | "ip" | "addr" => "%h",
        "pid" | "p" | "process" => "%p",
        "session" | "sid" | "s" | "sess" => "%c",
        "line" | "l" => "%l",
        "xid" | "x" | "txid" | "trx" => "%x",
        "vxid" | "v" => "%v",
        "state" | "sqlstate" | "e" | "err" | "code" => "%e",
        "cmd" | "command" | "tag" | "ps" => "%i",
        "backend" | "type" | "b" => "%b",
        "queryid" | "qid" | "query_id" => "%Q",
        _ => return None,
    })
}
