//! `journalctl -o export`: fields a line, entries apart by an empty line; a field that isn't text has its length before it
//! (systemd's Journal Export Formats).

use super::entry::{Entry, Found};

/// Where an entry ends that a text begins with, its empty line included; None if it goes on behind the text.
pub(super) fn end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let newline = at + memchr::memchr(b'\n', text.get(at..)?)?;
        if newline == at {
            return Some(newline + 1);
        }
        at = match memchr::memchr(b'=', &text[at..newline]) {
            Some(_) => newline + 1,
            None => behind_binary(text, newline + 1)?,
        };
    }
}

/// Behind a value that has its length, of eight bytes, before it.
fn behind_binary(text: &[u8], at: usize) -> Option<usize> {
    let length = u64::from_le_bytes(*text.get(at..)?.first_chunk()?);
    let end = usize::try_from(length).ok()?.checked_add(at + 8)?;
    (text.len() > end).then_some(end + 1)
}

/// Reads an entry.
pub(super) fn read(text: &[u8]) -> Found<'_> {
    let (mut entry, mut is_entry) =
        (Entry { time_us: None, host: "".into(), program: "".into(), process: 0, text: "".into() }, false);
    let mut at = 0;
    while let Some((name, value, next)) = field(text, at) {
        let value = String::from_utf8_lossy(value);
        match name {
            b"MESSAGE" => (entry.text, is_entry) = (value, true),
            b"__REALTIME_TIMESTAMP" => entry.time_us = entry.time_us.or(value.parse().ok()),
            b"_SOURCE_REALTIME_TIMESTAMP" => entry.time_us = value.parse().ok().or(entry.time_us),
            b"_HOSTNAME" => entry.host = value,
            b"SYSLOG_IDENTIFIER" => entry.program = value,
            b"_COMM" if entry.program.is_empty() => entry.program = value,
            b"SYSLOG_PID" => entry.process = value.parse().unwrap_or(entry.process),
            b"_PID" if entry.process == 0 => entry.process = value.parse().unwrap_or(0),
            _ => {}
        }
        at = next;
    }
    if is_entry { Found::Entry(entry) } else { Found::Other }
}

fn field(text: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let rest = text.get(at..)?;
    let newline = memchr::memchr(b'\n', rest)?;
    if let Some(equals) = memchr::memchr(b'=', &rest[..newline]) {
        return Some((&rest[..equals], &rest[equals + 1..newline], at + newline + 1));
    }
    (newline > 0).then_some(())?;
    let value = at + newline + 1;
    let next = behind_binary(text, value)?;
    Some((&rest[..newline], text.get(value + 8..next - 1)?, next))
}
