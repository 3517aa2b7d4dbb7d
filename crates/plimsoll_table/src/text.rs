//! Tables of text: CSV, TSV and JSON lines, in blocks of whole rows that are read by all cores.

mod blocks;
mod cells;
mod json;
mod place;
mod separated;
mod threads;

#[cfg(test)]
mod tests;

use std::num::NonZero;

use crate::error::TableError;
use crate::format::Format;
use crate::part::Part;
use crate::table::Table;
use crate::wanted::Wanted;

use json::JsonLines;
use place::Stop;
use separated::Separated;
use threads::Pace;

/// What some programs write at a text's start.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes of a block: its columns fit into a core's cache.
const BLOCK: usize = 1 << 20;

/// Reads a table of text. A cell may have spaces around a number, stand in quotes and hold a line break there; empty lines
/// are no rows. Beyond the bytes it takes about as much memory as the table it gives, and a few MB a core.
///
/// # Errors
/// The first thing in the file that can't be read, with its place; or that labels don't tell which cases are positive.
pub fn read_text(bytes: &[u8], format: Format, wanted: &Wanted) -> Result<Table, TableError> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    read_at(bytes, format, wanted, Pace { block: BLOCK, threads })
}

fn read_at(bytes: &[u8], format: Format, wanted: &Wanted, pace: Pace) -> Result<Table, TableError> {
    let start = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    if bytes[start..].trim_ascii().is_empty() {
        return Err(TableError::Empty);
    }
    let (rows, start) = match format {
        Format::Csv => Separated::after_header(bytes, start, b',', wanted)?,
        Format::Tsv => Separated::after_header(bytes, start, b'\t', wanted)?,
        Format::JsonLines => (Rows::JsonLines(JsonLines::new(wanted)), start),
        Format::Parquet => return Err(TableError::NotText),
    };
    threads::read(&rows, bytes, start, wanted, pace)?.finish(wanted)
}

/// How rows are written.
#[derive(Debug)]
enum Rows {
    Separated(Separated),
    JsonLines(JsonLines),
}

impl Rows {
    /// Where the block of rows ends that begins at `start` and has at least `size` bytes, if there are that many.
    fn block_end(&self, bytes: &[u8], start: usize, size: usize) -> usize {
        match self {
            Self::Separated(separated) => blocks::quoted_end(bytes, start, size, separated.delimiter()),
            Self::JsonLines(_) => blocks::line_end(bytes, start.saturating_add(size)),
        }
    }

    /// Reads a block's rows into a part.
    fn read(&self, block: &[u8], part: &mut Part) -> Result<(), Stop> {
        match self {
            Self::Separated(separated) => separated.read(block, part),
            Self::JsonLines(lines) => lines.read(block, part),
        }
    }

    /// The name of the column that a refused value stands in.
    fn column(&self, at: usize) -> &str {
        match self {
            Self::Separated(separated) => separated.column(at),
            Self::JsonLines(lines) => lines.key(at),
        }
    }
}
