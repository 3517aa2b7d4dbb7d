//! Rows of separated values: CSV and TSV, by the columns of their header.

use super::Rows;
use super::cells::{self, Then, Unclosed};
use super::place::{Problem, Stop, line_of};
use crate::error::TableError;
use crate::part::Part;
use crate::wanted::{Target, Wanted};

/// How rows are separated, and which of their cells are wanted.
#[derive(Debug)]
pub(super) struct Separated {
    delimiter: u8,
    /// How many cells each row has.
    columns: usize,
    /// From left to right.
    targets: Vec<Target>,
}

impl Separated {
    /// Reads the header from `start`, and gives where the rows begin.
    pub(super) fn after_header(
        bytes: &[u8],
        start: usize,
        delimiter: u8,
        wanted: &Wanted,
    ) -> Result<(Rows, usize), TableError> {
        let mut at = start;
        while let Some(after) = after_empty_line(bytes, at) {
            at = after;
        }
        let header = header(bytes, &mut at, delimiter)?;
        let targets = wanted.find(&header)?;
        Ok((Rows::Separated(Self { delimiter, columns: header.len(), targets }), at))
    }

    pub(super) const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(super) fn column(&self, target: usize) -> &str {
        &self.targets[target].name
    }

    /// Reads a block's rows.
    pub(super) fn read(&self, block: &[u8], part: &mut Part) -> Result<(), Stop> {
        let (mut at, mut scratch) = (0, Vec::new());
        while at < block.len() {
            if let Some(after) = after_empty_line(block, at) {
                at = after;
                continue;
            }
            let row = at;
            if let Err(stop) = self.row(block, &mut at, part, &mut scratch) {
                return Err(self.shape(block, row).err().unwrap_or(stop));
            }
            part.rows += 1;
        }
        Ok(())
    }

    #[inline]
    fn row(&self, block: &[u8], at: &mut usize, part: &mut Part, scratch: &mut Vec<u8>) -> Result<(), Stop> {
        let (start, mut column, mut targets) = (*at, 0, self.targets.iter().enumerate().peekable());
        loop {
            let begin = *at;
            let cell = cells::next(block, at, self.delimiter, scratch)
                .map_err(|Unclosed| Stop { at: begin, problem: Problem::UnclosedQuote })?;
            while let Some((target, wanted)) = targets.next_if(|(_, target)| target.column == column) {
                let taken = part.take(wanted.role, cell.text);
                taken.map_err(|fault| Stop { at: begin, problem: Problem::Value { target, fault } })?;
            }
            column += 1;
            match cell.then {
                Then::Cell => {}
                Then::Row if column == self.columns => return Ok(()),
                Then::Row => return Err(self.cells(start, column)),
            }
        }
    }

    /// Whether a row has its cells: a wrong value in one that hasn't is most often another column's.
    fn shape(&self, block: &[u8], row: usize) -> Result<(), Stop> {
        let (mut at, mut column, mut scratch) = (row, 0, Vec::new());
        loop {
            let begin = at;
            let cell = cells::next(block, &mut at, self.delimiter, &mut scratch)
                .map_err(|Unclosed| Stop { at: begin, problem: Problem::UnclosedQuote })?;
            column += 1;
            if cell.then == Then::Row {
                return if column == self.columns { Ok(()) } else { Err(self.cells(row, column)) };
            }
        }
    }

    fn cells(&self, row: usize, found: usize) -> Stop {
        Stop { at: row, problem: Problem::Cells { found, wanted: self.columns } }
    }
}

/// Where the next line begins, if this one has nothing in it.
#[inline]
fn after_empty_line(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'\n' => Some(at + 1),
        b'\r' => match bytes.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            Some(_) => None,
            None => Some(at + 1),
        },
        _ => None,
    }
}

fn header(bytes: &[u8], at: &mut usize, delimiter: u8) -> Result<Vec<String>, TableError> {
    let (start, mut names, mut scratch) = (*at, Vec::new(), Vec::new());
    loop {
        let begin = *at;
        let cell = cells::next(bytes, at, delimiter, &mut scratch)
            .map_err(|Unclosed| TableError::UnclosedHeader { line: line_of(bytes, begin) })?;
        let name = std::str::from_utf8(cell.text).map_err(|_| TableError::HeaderNotUtf8 {
            line: line_of(bytes, start),
            column: names.len() + 1,
        })?;
        names.push(name.to_owned());
        if cell.then == Then::Row {
            return Ok(names);
        }
    }
}

/// Every cell of every row; none where a quote isn't closed.
#[cfg(test)]
pub(super) fn all_cells(bytes: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
    let (mut at, mut rows, mut scratch) = (0, Vec::new(), Vec::new());
    while at < bytes.len() {
        if let Some(after) = after_empty_line(bytes, at) {
            at = after;
            continue;
        }
        let mut row = Vec::new();
        loop {
            let cell = cells::next(bytes, &mut at, b',', &mut scratch).ok()?;
            row.push(cell.text.to_vec());
            if cell.then == Then::Row {
                break;
            }
        }
        rows.push(row);
    }
    Some(rows)
}
