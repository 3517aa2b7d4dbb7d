//! What other programs put around a server's lines: syslog's daemons, the journal, clouds' log services. [`Unwrapped`] takes
//! it off and gives the lines of a stderr log, each behind when and by which process the envelope says it was written, so
//! that a line whose own prefix doesn't say is still known.

mod entry;
mod export;
mod join;
mod live;
mod moment;
mod object;
mod syslog;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, Read};

use entry::{Entry, Found, starts_message};
use join::{BOUNDARY, Joiner};
use moment::Moments;

use crate::prefix::{Prefix, PrefixError};
use crate::time::Clock;

/// What is around a server's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Lines of syslog, of `journalctl -o short`, Heroku, or a container's log.
    Syslog,
    /// Objects of `journalctl -o json` or of a cloud's log service.
    Objects,
    /// `journalctl -o export`.
    Export,
}

impl Envelope {
    /// Finds it by the first bytes of a log. None if there is none.
    #[must_use]
    pub fn detect(sample: &[u8]) -> Option<Self> {
        let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
        let begin = sample.trim_ascii_start();
        if begin.starts_with(b"__CURSOR=") || begin.starts_with(b"__REALTIME_TIMESTAMP=") {
            return Some(Self::Export);
        }
        let begin = begin.strip_prefix(b"[").unwrap_or(begin).trim_ascii_start();
        let begin = &begin[object::list_head(begin).unwrap_or(0)..];
        let begin = begin.trim_ascii_start();
        if begin.starts_with(b"{") {
            let is_known = object::end(begin).is_some_and(|end| object::is_known(&begin[..end]));
            return is_known.then_some(Self::Objects);
        }
        let mut moments = Moments::new(0);
        let text = String::from_utf8_lossy(sample);
        let is_entry = |line: &str| matches!(syslog::read(line, &mut moments), Found::Entry(entry) if is_wrapped(&entry));
        text.lines().take(400).any(is_entry).then_some(Self::Syslog)
    }

    /// The word that reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Syslog => "syslog",
            Self::Objects => "json envelope",
            Self::Export => "journal export",
        }
    }

    /// The prefix of the lines that [`Unwrapped`] gives, if the server's own is this.
    ///
    /// # Errors
    /// As [`Prefix::new`].
    pub fn prefix(inner: &str) -> Result<Prefix, PrefixError> {
        Prefix::new(&format!("{OUTER}{inner}"))
    }

    /// The server's own part of what [`Unwrapped`] gives, or of its prefix.
    #[must_use]
    pub fn inner(text: &str) -> &str {
        text.split_once(BOUNDARY).map_or(text, |(_, inner)| inner)
    }

    /// The server's own part of each line.
    #[must_use]
    pub fn inner_lines(text: &str) -> String {
        text.lines().fold(String::new(), |whole, line| whole + Self::inner(line) + "\n")
    }
}

/// What [`Unwrapped`] writes before each line.
const OUTER: &str = "%m [%p]\u{1f}";

/// Whether a line is a server's in an envelope, and not a server's whose prefix looks like one.
fn is_wrapped(entry: &Entry<'_>) -> bool {
    let known = ["postgres", "postmaster"].iter().any(|name| entry.program.starts_with(name));
    let text =
        entry.text.trim_start_matches(|letter: char| letter.is_ascii_digit() || "[]- ".contains(letter));
    let has_moment = Clock::default().moment(entry.text.as_bytes()).is_some();
    if entry.program.is_empty() {
        has_moment && starts_message(&entry.text)
    } else {
        known || starts_message(text)
    }
}

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// A line or an object that is longer is cut.
const LONGEST: usize = 64 << 20;

/// Reads what an envelope holds.
#[derive(Debug)]
pub struct Unwrapped<R> {
    input: R,
    envelope: Envelope,
    ended: bool,
    buffer: Vec<u8>,
    out: Vec<u8>,
    given: usize,
    joiner: Joiner,
    moments: Moments,
    clock: Clock,
    programs: BTreeSet<String>,
    others: u64,
}

impl<R: Read> Unwrapped<R> {
    /// `written_us` is when the log was last written, in microseconds since 1970: it tells the year.
    pub fn new(input: R, envelope: Envelope, written_us: i64) -> Self {
        Self {
            input,
            envelope,
            ended: false,
            buffer: Vec::new(),
            out: Vec::new(),
            given: 0,
            joiner: Joiner::default(),
            moments: Moments::new(written_us),
            clock: Clock::default(),
            programs: BTreeSet::new(),
            others: 0,
        }
    }

    /// How many lines were another program's.
    pub const fn others(&self) -> u64 {
        self.others
    }

    fn fill(&mut self) -> io::Result<()> {
        let read = self.input.by_ref().take(PIECE as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < PIECE;
        let buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        while let Some(length) = self.unit(&buffer[at..]) {
            self.take(&buffer[at..at + length]);
            at += length;
        }
        self.buffer = buffer;
        self.buffer.drain(..at);
        if self.ended {
            self.joiner.end(&mut self.out);
        }
        Ok(())
    }

    /// The bytes of the next line, object or entry. None if the rest of it has to be read first.
    fn unit(&self, text: &[u8]) -> Option<usize> {
        if text.is_empty() {
            return None;
        }
        let line = || memchr::memchr(b'\n', text).map(|newline| newline + 1);
        let whole = match self.envelope {
            Envelope::Syslog => line(),
            Envelope::Export => export::end(text),
            Envelope::Objects => match text[0] {
                b'{' => object::list_head(text).or_else(|| object::end(text)),
                b'[' | b',' | b']' | b' ' | b'\n' | b'\r' | b'\t' => Some(1),
                _ => line(),
            },
        };
        // A list's head may be read only in part, and an object that is long is looked through again as it grows.
        whole.or((self.ended || text.len() >= LONGEST).then_some(text.len()))
    }

    fn take(&mut self, unit: &[u8]) {
        let unit = unit.strip_prefix(b"\xef\xbb\xbf").unwrap_or(unit);
        let line;
        let found = match self.envelope {
            Envelope::Export => export::read(unit),
            Envelope::Objects if unit.starts_with(b"{") && object::list_head(unit) != Some(unit.len()) => {
                object::read(unit, &mut self.clock)
            }
            Envelope::Objects => return,
            Envelope::Syslog => {
                line = String::from_utf8_lossy(unit);
                syslog::read(line.trim_end_matches(['\n', '\r']), &mut self.moments)
            }
        };
        match found {
            Found::Entry(entry) if self.is_servers(&entry) => self.joiner.take(entry, &mut self.out),
            Found::Entry(_) | Found::Other => self.others += 1,
            Found::Bare(line) => self.joiner.bare(&line, &mut self.out),
        }
    }

    /// Whether a program is the server: it is called so, or has written a message of a server.
    fn is_servers(&mut self, entry: &Entry<'_>) -> bool {
        let program = entry.program.as_ref();
        if program.is_empty() || ["postgres", "postmaster"].iter().any(|name| program.starts_with(name)) {
            return true;
        }
        let is_known = self.programs.contains(program);
        if !is_known && starts_message(&entry.text) {
            self.programs.insert(program.to_owned());
            return true;
        }
        is_known
    }
}

impl<R: Read> Read for Unwrapped<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.len() {
            self.out.clear();
            self.given = 0;
            if self.ended {
                return Ok(0);
            }
            self.fill()?;
        }
        let length = room.len().min(self.out.len() - self.given);
        room[..length].copy_from_slice(&self.out[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}
