//! One entry of an envelope: what a syslog line or an object holds of a server's log, and when and by whom it was written.

use std::borrow::Cow;

use crate::label::Label;

/// What an envelope's line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// Something that PostgreSQL has written, or may have.
    Entry(Entry<'a>),
    /// A line without an envelope: it goes on with the one before, or can't be read.
    Bare(Cow<'a, str>),
    /// Another program's, or the envelope's own.
    Other,
}

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Microseconds since 1970-01-01 UTC; None if the envelope doesn't say.
    pub(super) time_us: Option<i64>,
    pub(super) host: Cow<'a, str>,
    /// What the program calls itself; empty if the envelope doesn't say.
    pub(super) program: Cow<'a, str>,
    /// 0 if unknown.
    pub(super) process: u32,
    pub(super) text: Cow<'a, str>,
}

/// A label is looked for in so many bytes.
const LONGEST_PREFIX: usize = 1024;

/// The first label in a line, wherever it stands: what comes before it may be any prefix.
pub(super) fn first_label(line: &str) -> Option<(Label, usize)> {
    let end = memchr::memchr(b'\n', line.as_bytes()).unwrap_or(line.len()).min(LONGEST_PREFIX);
    memchr::memmem::find_iter(&line.as_bytes()[..end], b":  ").find_map(|colon| {
        let before = line.get(..colon)?;
        let behind = |(at, letter): (usize, char)| at + letter.len_utf8();
        let word = before.char_indices().rfind(|(_, letter)| !letter.is_alphanumeric()).map_or(0, behind);
        Label::of(&line[word..]).map(|(label, _)| (label, word))
    })
}

/// Whether a line begins a message of the server.
pub(super) fn starts_message(line: &str) -> bool {
    matches!(first_label(line), Some((Label::Message(_) | Label::Foreign, _)))
}

/// Whether a line adds DETAIL, STATEMENT or the like to the message before.
pub(super) fn starts_part(line: &str) -> bool {
    matches!(first_label(line), Some((Label::Part(_), _)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_behind_any_prefix() {
        assert!(starts_message("2026-11-23 12:00:00 UTC:10.0.0.7(54):ann@shop:[5]:LOG:  x"));
        assert!(starts_message("LOG:  x DETAIL:  y"));
        assert!(starts_part("ann@shop DETAIL:  x LOG:  y"));
        assert!(starts_part("é STATEMENT:  x"));
        assert_eq!(first_label("select 'a:  b'\nLOG:  x"), None);
    }
}
