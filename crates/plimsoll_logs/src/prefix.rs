//! `log_line_prefix`: what the server puts before each line of a stderr or syslog log.
//!
//! Source: PostgreSQL documentation, chapter 19.8, `log_line_prefix`; `src/backend/utils/error/elog.c`.

mod detect;
mod escape;

use std::fmt;

pub use detect::detect;
use escape::Escape;

use crate::label::Label;
use crate::record::Record;
use crate::sessions::Sessions;
use crate::severity::Severity;
use crate::time::Clock;

/// Names in a prefix are looked for in so many bytes.
const LONGEST: usize = 1024;

/// A `log_line_prefix`, ready to read lines by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    text: String,
    pieces: Vec<Piece>,
    /// So many of them differ within a session, or stand before one that does.
    varying: usize,
    /// By which lines are read that this one doesn't fit: the setting was changed.
    others: Vec<Prefix>,
}

/// A line being read.
struct Reading<'r, 'a> {
    clock: &'r mut Clock,
    record: &'r mut Record<'a>,
    /// Whether a name before the last one wasn't over at its first possible end. What was tried then may have looked into
    /// the message; otherwise what stands before the message alone has decided.
    has_retried: bool,
    label_at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Escape(Escape),
    /// `%q`: processes that serve no session stop here.
    SessionsOnly,
}

/// A prefix that can't be read by.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// Nothing stands between two texts of any length.
    #[error(
        "read lines by the prefix {prefix:?}: nothing tells where %{first} ends and %{second} begins; put a character between them in log_line_prefix"
    )]
    Ambiguous {
        /// The whole prefix.
        prefix: String,
        /// An escape's letter.
        first: char,
        /// The next one's.
        second: char,
    },
    /// PostgreSQL doesn't know it, nor do we.
    #[error(
        "read lines by the prefix {prefix:?}: %{escape} at byte {at} is no escape of PostgreSQL 12 to 18; write the server's log_line_prefix as SHOW prints it"
    )]
    Unknown {
        /// The whole prefix.
        prefix: String,
        /// The letter behind the percent sign.
        escape: char,
        /// Where the percent sign stands, from 0.
        at: usize,
    },
}

impl Prefix {
    /// Reads the server's setting.
    ///
    /// # Errors
    /// When an escape isn't known, or two can't be told apart.
    pub fn new(text: &str) -> Result<Self, PrefixError> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = text.char_indices().peekable();
        while let Some((at, character)) = rest.next() {
            if character != '%' {
                add_literal(&mut pieces, character);
                continue;
            }
            while rest.next_if(|(_, next)| *next == '-' || next.is_ascii_digit()).is_some() {}
            match rest.next() {
                Some((_, '%')) | None => add_literal(&mut pieces, '%'),
                Some((_, 'q')) => pieces.push(Piece::SessionsOnly),
                Some((_, letter)) => {
                    let unknown = || PrefixError::Unknown { prefix: text.to_owned(), escape: letter, at };
                    pieces.push(Piece::Escape(Escape::of(letter).ok_or_else(unknown)?));
                }
            }
        }
        let varies = |piece: &Piece| matches!(piece, Piece::Escape(escape) if escape.varies_within_session());
        let varying = pieces.iter().rposition(varies).map_or(0, |last| last + 1);
        let prefix = Self { text: text.to_owned(), pieces, varying, others: Vec::new() };
        prefix.check_is_clear().map(|()| prefix)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads lines that this prefix doesn't fit by another, after those that were added before.
    pub fn also(&mut self, other: Self) {
        self.others.push(other);
    }

    /// As it and the others were written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.text()).chain(self.others.iter().map(Self::text))
    }

    /// Whether it says this, by the letter of its escape.
    #[must_use]
    pub fn has(&self, letter: char) -> bool {
        let says = |piece: &Piece| matches!(piece, Piece::Escape(escape) if escape.letter() == letter);
        self.pieces.iter().any(says) || self.others.iter().any(|other| other.has(letter))
    }

    fn check_is_clear(&self) -> Result<(), PrefixError> {
        let named = self.pieces.iter().filter(|piece| !matches!(piece, Piece::SessionsOnly));
        let named: Vec<&Piece> = named.collect();
        for pair in named.windows(2) {
            if let [Piece::Escape(first), Piece::Escape(second)] = pair
                && first.is_any_text()
                && second.is_any_text()
            {
                let (first, second) = (first.letter(), second.letter());
                return Err(PrefixError::Ambiguous { prefix: self.text.clone(), first, second });
            }
        }
        Ok(())
    }

    /// Reads a line: fills the record's fields, and returns its label and where its message begins. None if the line
    /// doesn't begin with this prefix and a label.
    pub(crate) fn read<'a>(
        &self,
        line: &'a str,
        clock: &mut Clock,
        record: &mut Record<'a>,
    ) -> Option<(Label, usize)> {
        let mut reading = Reading { clock, record, has_retried: false, label_at: 0 };
        self.read_from(0, line, 0, &mut reading).or_else(|| self.read_by_others(line, clock, record))
    }

    /// As [`Self::read`]. What a session's lines have in common is read once and known again, since it is a function of its
    /// own bytes: see [`Reading::has_retried`].
    pub(crate) fn read_known<'a>(
        &self,
        line: &'a str,
        clock: &mut Clock,
        record: &mut Record<'a>,
        sessions: &mut Sessions,
    ) -> Option<(Label, usize)> {
        let known = self.read_own(line, clock, record, sessions);
        known.or_else(|| self.read_by_others(line, clock, record))
    }

    fn read_own<'a>(
        &self,
        line: &'a str,
        clock: &mut Clock,
        record: &mut Record<'a>,
        sessions: &mut Sessions,
    ) -> Option<(Label, usize)> {
        let mut at = 0;
        for piece in &self.pieces[..self.varying] {
            at += match piece {
                Piece::Literal(text) => line[at..].starts_with(text.as_str()).then_some(text.len())?,
                Piece::Escape(escape) if !escape.is_any_text() => escape.read(&line[at..], clock, record)?,
                _ => return self.read(line, clock, record),
            };
        }
        let (process, session) = (record.process, record.session);
        if let Some(length) = sessions.get(&line[at..], 0, record)
            && let Some((label, label_length)) = Label::of(&line[at + length..])
        {
            return Some((label, at + length + label_length));
        }
        let mut told = Record::new(Severity::Log, "");
        let mut reading = Reading { clock, record: &mut told, has_retried: false, label_at: at };
        let (label, end) = self.read_from(self.varying, line, at, &mut reading)?;
        let Reading { has_retried, label_at, .. } = reading;
        told.who = told.names_hash();
        // A label that follows a letter might begin before it.
        if !has_retried && !line[..label_at].ends_with(char::is_alphabetic) {
            sessions.keep(&line[at..label_at], 0, &told);
        }
        told.time_us = record.time_us;
        told.sqlstate = record.sqlstate;
        told.process = if told.process == 0 { process } else { told.process };
        told.session = if told.session.is_empty() { session } else { told.session };
        *record = told;
        Some((label, end))
    }

    #[cold]
    fn read_by_others<'a>(
        &self,
        line: &'a str,
        clock: &mut Clock,
        record: &mut Record<'a>,
    ) -> Option<(Label, usize)> {
        self.others.iter().find_map(|other| {
            // What the one before has filled in before it failed.
            *record = Record::new(record.severity, "");
            other.read(line, clock, record)
        })
    }

    fn read_from<'a>(
        &self,
        first: usize,
        line: &'a str,
        mut at: usize,
        reading: &mut Reading<'_, 'a>,
    ) -> Option<(Label, usize)> {
        for (number, piece) in self.pieces.iter().enumerate().skip(first) {
            match piece {
                Piece::Literal(text) => at += line[at..].starts_with(text.as_str()).then_some(text.len())?,
                Piece::SessionsOnly => {
                    if let Some((label, length)) = Label::of(&line[at..]) {
                        reading.label_at = at;
                        return Some((label, at + length));
                    }
                }
                Piece::Escape(escape) if escape.is_any_text() => {
                    return self.read_any_text(number, *escape, line, at, reading);
                }
                Piece::Escape(escape) => at += escape.read(&line[at..], reading.clock, reading.record)?,
            }
        }
        reading.label_at = at;
        Label::of(&line[at..]).map(|(label, length)| (label, at + length))
    }

    /// Reads a name, which may hold what stands behind it: the first end with which the whole line can be read.
    fn read_any_text<'a>(
        &self,
        number: usize,
        escape: Escape,
        line: &'a str,
        at: usize,
        reading: &mut Reading<'_, 'a>,
    ) -> Option<(Label, usize)> {
        let window = &line.as_bytes()[at..line.len().min(at + LONGEST)];
        let window = &window[..memchr::memchr(b'\n', window).unwrap_or(window.len())];
        let mut end = 0;
        loop {
            end = match self.next_literal(number) {
                Some(literal) => end + position(&window[end..], literal.as_bytes())?,
                None => end,
            };
            if line.is_char_boundary(at + end)
                && let Some(found) = self.read_from(number + 1, line, at + end, reading)
            {
                escape.keep(&line[at..at + end], reading.record);
                return Some(found);
            }
            reading.has_retried |= !self.is_last_name(number);
            end += 1;
            if end > window.len() {
                return None;
            }
        }
    }

    fn is_last_name(&self, number: usize) -> bool {
        let behind = &self.pieces[number + 1..];
        !behind.iter().any(|piece| matches!(piece, Piece::Escape(escape) if escape.is_any_text()))
    }

    fn next_literal(&self, number: usize) -> Option<&str> {
        let behind = self.pieces[number + 1..].iter().find(|piece| !matches!(piece, Piece::SessionsOnly));
        match behind {
            Some(Piece::Literal(text)) => Some(text),
            _ => None,
        }
    }
}

/// Where a short text stands first. Setting up a search for it would cost more than it saves in so few bytes.
fn position(window: &[u8], literal: &[u8]) -> Option<usize> {
    let (first, rest) = literal.split_first()?;
    memchr::memchr_iter(*first, window).find(|at| window[at + 1..].starts_with(rest))
}

fn add_literal(pieces: &mut Vec<Piece>, character: char) {
    match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(character),
        _ => pieces.push(Piece::Literal(character.to_string())),
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
