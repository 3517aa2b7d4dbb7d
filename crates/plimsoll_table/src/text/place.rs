//! Where and why the reading of a text stopped, in the words of the whole file.

use memchr::{memchr_iter, memrchr};

use super::{BYTE_ORDER_MARK, Rows};
use crate::error::{Fault, Place, TableError};
use crate::wanted::missing;

/// Why a block's row couldn't be read.
#[derive(Debug)]
pub(super) struct Stop {
    /// The byte of the block where what is wrong begins.
    pub(super) at: usize,
    pub(super) problem: Problem,
}

/// What is wrong there.
#[derive(Debug)]
pub(super) enum Problem {
    Value {
        /// Which of the wanted columns.
        target: usize,
        fault: Fault,
    },
    Cells {
        found: usize,
        wanted: usize,
    },
    UnclosedQuote,
    Json(String),
    NoObject(&'static str),
    /// A line of JSON lacks a key, and has these.
    NoKey {
        target: usize,
        keys: Vec<String>,
    },
}

impl Stop {
    /// The error, for the block of the file that begins at `block`, and the row's number in the file.
    pub(super) fn told(self, bytes: &[u8], block: usize, row: u64, rows: &Rows) -> TableError {
        let at = block + self.at;
        let line = line_of(bytes, at);
        match self.problem {
            Problem::Value { target, fault } => {
                let column = rows.column(target).to_owned();
                let line = Some((line, character_of(bytes, at)));
                TableError::Value { place: Place { row, line, column }, fault }
            }
            Problem::Cells { found, wanted } => TableError::Cells { row, line, found, wanted },
            Problem::UnclosedQuote => TableError::UnclosedQuote { row, line },
            Problem::Json(why) => TableError::Json { row, line, character: character_of(bytes, at), why },
            Problem::NoObject(found) => TableError::NoObject { row, line, found },
            // The first line tells what a file's columns are.
            Problem::NoKey { target, keys } if row == 1 => missing(&keys, rows.column(target)),
            Problem::NoKey { target, .. } => {
                let place = Place { row, line: Some((line, 1)), column: rows.column(target).to_owned() };
                TableError::Value { place, fault: Fault::NoKey }
            }
        }
    }
}

/// The line of a byte, from 1. They are counted only now, since most files have nothing to tell.
pub(super) fn line_of(bytes: &[u8], at: usize) -> u64 {
    memchr_iter(b'\n', &bytes[..at.min(bytes.len())]).count() as u64 + 1
}

/// The character of a byte in its line, from 1.
fn character_of(bytes: &[u8], at: usize) -> usize {
    let before = &bytes[..at.min(bytes.len())];
    let line = memrchr(b'\n', before).map_or_else(
        || before.strip_prefix(BYTE_ORDER_MARK).unwrap_or(before),
        |line_break| &before[line_break + 1..],
    );
    // Bytes that continue a character are not counted.
    line.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count() + 1
}
