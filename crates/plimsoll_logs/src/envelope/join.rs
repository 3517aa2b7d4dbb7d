//! Chunks of messages that syslog has cut, joined for each process, in the order in which the messages began.
//!
//! The server cuts a message at each newline and at 900 bytes (`syslog_split_messages`), and numbers messages and chunks
//! (`syslog_sequence_numbers`): `[5]`, `[5-1]`, or `[1]` without sequence numbers (`src/backend/utils/error/elog.c`). One
//! message of syslog is one of the server: whatever a client's text looks like, no second message begins in it.

use std::collections::{HashMap, VecDeque};

use super::entry::{Entry, starts_message, starts_part};
use crate::time::server_moment;

/// The server cuts a chunk at so many bytes, at a blank if there is one; a multi-byte letter stays whole.
const CHUNK: usize = 900 - 3;
/// A message that nothing was added to for so many lines is whole.
const PATIENCE: u64 = 1000;
/// Bytes of messages that wait for more.
const MOST_WAITING: usize = 32 << 20;

/// What separates an envelope's own words from the server's line.
pub(super) const BOUNDARY: char = '\u{1f}';

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    waiting: VecDeque<Message>,
    /// The number of the first one that waits.
    first: u64,
    /// The last message of each process, by its number.
    open: HashMap<(String, u32), u64>,
    lines: u64,
    bytes: usize,
    last_us: i64,
    /// Whether a message came without a number: then a number alone tells chunks.
    without_numbers: bool,
}

#[derive(Debug)]
struct Message {
    origin: (String, u32),
    outer: String,
    text: String,
    /// Its number, if it has one beside its chunks'.
    sequence: Option<u64>,
    chunk: u64,
    /// Where the last chunk begins.
    last: usize,
    touched: u64,
    open: bool,
}

/// What stands before a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Chunk(u64, u64),
    Single(u64),
    None,
}

impl Joiner {
    /// Takes what belongs to the server; writes what is whole.
    pub(super) fn take(&mut self, entry: Entry<'_>, out: &mut Vec<u8>) {
        self.lines += 1;
        let Entry { time_us, host, process, text, .. } = entry;
        let time_us = time_us.unwrap_or(self.last_us);
        self.last_us = time_us;
        let origin = (host.into_owned(), process);
        let number_of_open = self.open.get(&origin).copied();
        let last = number_of_open.and_then(|at| self.waiting.get((at.checked_sub(self.first)?) as usize));
        let (number, length) = number(&text, process, last);
        let text = &text[length..];
        self.without_numbers |= number == Number::None && starts_message(text);
        let open = number_of_open.and_then(|at| self.waiting.get_mut((at.checked_sub(self.first)?) as usize));
        let goes_on = open.as_ref().is_some_and(|open| open.goes_on(number, text, self.without_numbers));
        match (open, number) {
            (Some(open), number) if goes_on => {
                self.bytes += text.len();
                open.add(text, number, self.lines);
            }
            (open, number) => {
                if let Some(open) = open {
                    open.open = false;
                }
                self.begin(origin, time_us, number, text);
            }
        }
        self.write(out);
    }

    /// A line without an envelope: it goes on with the message before.
    pub(super) fn bare(&mut self, line: &str, out: &mut Vec<u8>) {
        match self.waiting.back_mut() {
            Some(last) if line.starts_with(['\t', ' ']) || starts_part(line) => {
                self.bytes += line.len();
                last.add_line(line);
            }
            _ => {
                self.end(out);
                out.extend_from_slice(line.as_bytes());
                out.push(b'\n');
            }
        }
    }

    /// Writes everything.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.waiting.iter_mut().for_each(|message| message.open = false);
        self.write(out);
    }

    fn begin(&mut self, origin: (String, u32), time_us: i64, number: Number, text: &str) {
        let (sequence, chunk, open) = match number {
            Number::Chunk(sequence, chunk) => (Some(sequence), chunk, true),
            Number::Single(chunk) => (None, chunk, true),
            Number::None => (None, 0, true),
        };
        let outer = format!("{} [{}]{BOUNDARY}", server_moment(time_us), origin.1);
        self.open.insert(origin.clone(), self.first + self.waiting.len() as u64);
        self.bytes += text.len();
        let mut message = Message {
            origin,
            outer,
            text: String::new(),
            sequence,
            chunk,
            last: 0,
            touched: self.lines,
            open,
        };
        // Text of one entry may hold newlines.
        let mut lines = text.split('\n');
        message.text.push_str(lines.next().unwrap_or_default());
        lines.for_each(|line| message.add_line(line));
        self.waiting.push_back(message);
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        while let Some(message) = self.waiting.front() {
            let is_whole =
                !message.open || message.touched + PATIENCE < self.lines || self.bytes > MOST_WAITING;
            if !is_whole {
                break;
            }
            let Some(message) = self.waiting.pop_front() else { break };
            if self.open.get(&message.origin) == Some(&self.first) {
                self.open.remove(&message.origin);
            }
            self.first += 1;
            self.bytes = self.bytes.saturating_sub(message.text.len());
            message.write(out);
        }
    }
}

impl Message {
    fn goes_on(&self, number: Number, text: &str, without_numbers: bool) -> bool {
        match number {
            Number::Chunk(sequence, chunk) => self.sequence == Some(sequence) && chunk == self.chunk + 1,
            Number::Single(chunk) => {
                let follows = self.sequence.is_none() && chunk > 1 && chunk == self.chunk + 1;
                follows && (without_numbers || !starts_message(text))
            }
            Number::None => text.starts_with('\t') || !starts_message(text),
        }
    }

    fn precedes(&self, number: u64) -> bool {
        number > 1 && (self.sequence == Some(number - 1) || self.chunk == number - 1)
    }

    fn add(&mut self, text: &str, number: Number, line: u64) {
        self.touched = line;
        if let Number::Chunk(_, chunk) | Number::Single(chunk) = number {
            self.chunk = chunk;
            if self.was_cut_before(text) {
                self.last = self.text.len();
                self.text.push_str(text);
                return;
            }
        }
        text.split('\n').for_each(|line| self.add_line(line));
    }

    /// Whether the last chunk ended for its length: with the next word it would have been too long.
    fn was_cut_before(&self, text: &str) -> bool {
        let last = &self.text[self.last..];
        let last = last.trim_start_matches('\n');
        if text.starts_with([' ', '\t', '\r']) {
            let word = text.len()
                - text.trim_start().trim_start_matches(|letter: char| !letter.is_whitespace()).len();
            return last.len() + word >= CHUNK;
        }
        last.len() >= CHUNK && !last.get(1..).unwrap_or_default().contains(char::is_whitespace)
    }

    /// Adds a line, which is a part of the message, or goes on with the last one; it never is another message.
    fn add_line(&mut self, line: &str) {
        self.last = self.text.len();
        self.text.push('\n');
        if !line.starts_with('\t') && !starts_part(line) {
            self.text.push('\t');
        }
        self.text.push_str(line);
    }

    fn write(&self, out: &mut Vec<u8>) {
        for line in self.text.split('\n') {
            if !line.starts_with('\t') {
                out.extend_from_slice(self.outer.as_bytes());
            }
            out.extend_from_slice(line.strip_suffix('\r').unwrap_or(line).as_bytes());
            out.push(b'\n');
        }
    }
}

/// `[5-1] ` or `[5] `, and its length. A prefix may begin with the process in brackets, which is no such number
/// unless it follows the last one.
fn number(text: &str, process: u32, last: Option<&Message>) -> (Number, usize) {
    let Some((inside, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
        return (Number::None, 0);
    };
    let length = inside.len() + 3;
    match inside.split_once('-') {
        Some((sequence, chunk)) => match (sequence.parse(), chunk.parse()) {
            (Ok(sequence), Ok(chunk)) => (Number::Chunk(sequence, chunk), length),
            _ => (Number::None, 0),
        },
        None => match inside.parse() {
            Ok(number) if number != u64::from(process) || last.is_some_and(|last| last.precedes(number)) => {
                (Number::Single(number), length)
            }
            _ => (Number::None, 0),
        },
    }
}
