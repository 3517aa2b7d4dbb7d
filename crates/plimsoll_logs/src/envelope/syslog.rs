//! A line of syslog as daemons write it to files, and of what looks alike: `journalctl -o short`, Heroku, containers' logs
//! (RFC 3164, RFC 5424; rsyslog's and syslog-ng's default templates; the Kubernetes container runtime's log format).

use std::borrow::Cow;

use super::entry::{Entry, Found};
use super::moment::Moments;

/// Reads a line without its newline.
pub(super) fn read<'a>(line: &'a str, moments: &mut Moments) -> Found<'a> {
    let (rest, is_5424) = behind_priority(line);
    let Some((time_us, at)) = moments.read(rest) else {
        let is_own = line.starts_with("-- ") || line.is_empty();
        return if is_own { Found::Other } else { Found::Bare(unescape(line)) };
    };
    let rest = &rest[at..];
    let read = if is_5424 { rfc5424(rest) } else { tagged(rest).or_else(|| container(rest)) };
    let Some(Head { host, program, process, text }) = read else { return Found::Other };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Found::Entry(Entry {
        time_us: Some(time_us),
        host: host.into(),
        program: program.into(),
        process,
        text: unescape(text),
    })
}

#[derive(Clone, Copy)]
struct Head<'a> {
    host: &'a str,
    program: &'a str,
    process: u32,
    text: &'a str,
}

/// `<134>` and, in RFC 5424, the version behind it.
fn behind_priority(line: &str) -> (&str, bool) {
    let behind = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match behind {
        Some((digits, rest)) if digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            rest.strip_prefix("1 ").map_or((rest, false), |rest| (rest, true))
        }
        _ => (line, false),
    }
}

/// `host program process message-id structured-data text`.
fn rfc5424(rest: &str) -> Option<Head<'_>> {
    let (host, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(' ')?;
    let (process, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once(' ')?;
    let text = &rest[structured(rest)?..];
    Some(Head {
        host,
        program,
        process: process.parse().unwrap_or(0),
        text: text.strip_prefix(' ').unwrap_or(text),
    })
}

/// The bytes of `-` or of `[id name="value"]`, in which a quote or a bracket may be escaped.
fn structured(rest: &str) -> Option<usize> {
    if rest.starts_with('-') {
        return Some(1);
    }
    let (mut quoted, mut escaped) = (false, false);
    let bytes = rest.as_bytes();
    bytes.starts_with(b"[").then_some(())?;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted && bytes.get(at + 1) != Some(&b'[') => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `host program[process]: text`; Heroku writes no host.
fn tagged(rest: &str) -> Option<Head<'_>> {
    let (first, behind) = rest.split_once(' ')?;
    if let Some((program, process)) = program(first) {
        return Some(Head { host: "", program, process, text: without_color(behind) });
    }
    let (second, text) = behind.split_once(' ').or_else(|| behind.strip_suffix(':').map(|_| (behind, "")))?;
    let (program, process) = program(second)?;
    Some(Head { host: first, program, process, text })
}

/// `postgres[1234]:`, `postgres:`, or Heroku's `app[postgres.1234]:`.
fn program(tag: &str) -> Option<(&str, u32)> {
    let tag = tag.strip_suffix(':')?;
    let Some((program, process)) = tag.strip_suffix(']').and_then(|tag| tag.rsplit_once('[')) else {
        return (!tag.is_empty() && !tag.contains(['[', ']', ':'])).then_some((tag, 0));
    };
    match process.split_once('.') {
        Some((program, process)) => Some((program, process.parse().unwrap_or(0))),
        None => Some(process.parse().map_or((process, 0), |process| (program, process))),
    }
}

/// Heroku names the database before the sequence number: `[DATABASE] [5-1]  …`.
fn without_color(text: &str) -> &str {
    let named = text.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    match named {
        Some((name, rest))
            if rest.starts_with('[') && name.starts_with(|letter: char| letter.is_ascii_uppercase()) =>
        {
            rest
        }
        _ => text,
    }
}

/// A line behind a collector's moment, and in a container's log behind `stderr F`.
fn container(rest: &str) -> Option<Head<'_>> {
    let text = ["stderr F ", "stdout F ", "stderr P ", "stdout P "]
        .iter()
        .find_map(|stream| rest.strip_prefix(stream));
    let text = text.unwrap_or(rest);
    Some(Head { host: "", program: "", process: 0, text })
}

/// rsyslog writes a control character as `#` and three octal digits.
fn unescape(text: &str) -> Cow<'_, str> {
    let mut parts = memchr::memchr_iter(b'#', text.as_bytes())
        .filter_map(|at| control(text.as_bytes().get(at + 1..at + 4)?).map(|letter| (at, letter)))
        .peekable();
    if parts.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let (mut whole, mut done) = (String::with_capacity(text.len()), 0);
    for (at, letter) in parts {
        whole.push_str(&text[done..at]);
        whole.push(letter);
        done = at + 4;
    }
    whole.push_str(&text[done..]);
    Cow::Owned(whole)
}

fn control(digits: &[u8]) -> Option<char> {
    if !digits.iter().all(|digit| matches!(digit, b'0'..=b'7')) {
        return None;
    }
    let code = digits.iter().fold(0_u32, |code, digit| code * 8 + u32::from(digit - b'0'));
    char::from_u32(code).filter(|letter| letter.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, host: &str, program: &str, process: u32, text: &str) {
        let mut moments = Moments::new(1_795_500_000_000_000);
        let Found::Entry(entry) = read(line, &mut moments) else { panic!("{line}") };
        assert_eq!(
            (&*entry.host, &*entry.program, entry.process, &*entry.text),
            (host, program, process, text),
            "{line}"
        );
    }

    #[test]
    fn lines_of_several_daemons_are_read() {
        check("Nov 24 02:16:47 db1 postgres[1234]: [5-1] LOG:  x", "db1", "postgres", 1234, "[5-1] LOG:  x");
        check("<134>Nov 24 02:16:47 db1 postgres: LOG:  x", "db1", "postgres", 0, "LOG:  x");
        check("2026-11-24T02:16:47.123456+00:00 db1 pg-main[7]: [5] a#011b", "db1", "pg-main", 7, "[5] a\tb");
        check("<134>1 2026-11-24T02:16:47.1Z db1 postgres 7 - - [5-1] x", "db1", "postgres", 7, "[5-1] x");
        check(
            r#"<134>1 2026-11-24T02:16:47.1Z db1 postgres 7 id [a@1 b="]\""][c@2] [5-1] x"#,
            "db1",
            "postgres",
            7,
            "[5-1] x",
        );
        check("Tue 2026-11-24 02:16:47 UTC db1 postgres[7]: x", "db1", "postgres", 7, "x");
        check(
            "2026-11-24T02:16:47.000000+00:00 app[postgres.29]: [DATABASE] [5-1]  sql_error_code = 00000 LOG:  x",
            "",
            "postgres",
            29,
            "[5-1]  sql_error_code = 00000 LOG:  x",
        );
        check("2026-11-24T02:16:47.123456789Z stderr F LOG:  x", "", "", 0, "LOG:  x");
        check(
            "2026-11-24T02:16:47.123Z 2026-11-24 02:16:47 UTC [5] LOG:  x",
            "",
            "",
            0,
            "2026-11-24 02:16:47 UTC [5] LOG:  x",
        );
    }

    #[test]
    fn colours_in_a_query_are_no_escapes() {
        assert_eq!(unescape("'#123456' '#FF0011' #177 #400 #01"), "'#123456' '#FF0011' \u{7f} #400 #01");
    }
}
