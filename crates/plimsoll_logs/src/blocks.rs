//! A log cut into blocks of whole records, so that several threads can read one file.

use std::io::{self, Read};

use crate::changes::{Changes, Whole};
use crate::format::Format;

/// Bytes of a block: a thread's cache holds it while it is read.
const BLOCK: usize = 1 << 20;
/// A record that is longer is cut: the rest of it is unparsed.
const LONGEST_RECORD: usize = 64 << 20;

/// Cuts what it reads at records' ends.
pub(crate) struct Blocks<R> {
    input: R,
    format: Format,
    changes: Changes,
    /// Whether a block was given.
    had_one: bool,
    /// What has been read of the next block.
    begun: Vec<u8>,
    ended: bool,
    /// Whether the last record is left, to which more may come.
    leaves_last: bool,
    /// Bytes of what was left.
    left: u64,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(input: R, format: &Format) -> Self {
        let (format, changes) = (format.clone(), Changes::default());
        Self {
            input,
            format,
            changes,
            had_one: false,
            begun: Vec::new(),
            ended: false,
            leaves_last: false,
            left: 0,
        }
    }

    /// Leaves the last record, to which more may come.
    pub(crate) const fn leaving_last(mut self, leaves_last: bool) -> Self {
        self.leaves_last = leaves_last;
        self
    }

    /// How many bytes were left at the end.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    /// By which the block that was given last can be read.
    pub(crate) const fn format(&self) -> &Format {
        &self.format
    }

    /// The next block, in `room` that an earlier one had; none at the end.
    pub(crate) fn next(&mut self, mut room: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        room.clear();
        std::mem::swap(&mut room, &mut self.begun);
        let mut wanted = BLOCK;
        while !self.ended {
            let from = room.len();
            self.fill(&mut room, wanted)?;
            let whole = if self.had_one { Whole::No } else { Whole::Yes };
            self.changes.look(&mut self.format, &room, from, whole);
            if self.ended {
                break;
            }
            let cut = self.format.last_start(&room).filter(|cut| *cut > 0);
            if let Some(cut) = cut.or((room.len() >= LONGEST_RECORD).then_some(room.len())) {
                self.begun.clear();
                self.begun.extend_from_slice(&room[cut..]);
                room.truncate(cut);
                self.had_one = true;
                return Ok(Some(room));
            }
            wanted = room.len() * 2;
        }
        if self.leaves_last {
            let cut = self.format.last_start(&room).unwrap_or(0);
            self.left += (room.len() - cut) as u64;
            room.truncate(cut);
        }
        Ok((!room.is_empty()).then_some(room))
    }

    fn fill(&mut self, room: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        let missing = wanted.saturating_sub(room.len()) as u64;
        let read = self.input.by_ref().take(missing).read_to_end(room)?;
        self.ended = (read as u64) < missing;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Counts;
    use crate::format::Scratch;
    use crate::prefix::Prefix;

    #[test]
    fn blocks_hold_whole_records() {
        let format = Format::Stderr(Prefix::new("[%p] ").unwrap());
        let text: String = (0..60_000)
            .map(|number| format!("[{number}] ERROR:  a\n\tb\n[{number}] DETAIL:  {number}\n\tc\n"))
            .collect();
        let mut blocks = Blocks::new(text.as_bytes(), &format);
        let (mut counts, mut scratch, mut number, mut blocks_seen) =
            (Counts::default(), Scratch::default(), 0, 0);
        while let Some(block) = blocks.next(Vec::new()).unwrap() {
            blocks_seen += 1;
            let block = String::from_utf8(block).unwrap();
            format.scan(&block, &mut scratch, &mut counts, &mut |record| {
                assert_eq!((record.process, record.message), (number, "a\n\tb"));
                assert_eq!(record.detail, format!("{number}\n\tc"));
                number += 1;
            });
        }
        assert!(blocks_seen > 2);
        assert_eq!((number, counts.unparsed, counts.bytes), (60_000, 0, text.len() as u64));
    }

    #[test]
    fn a_record_larger_than_a_block_stays_whole() {
        let long = format!("[1] LOG:  {}\n", "x".repeat(3 * BLOCK));
        let text = long.clone() + &"[2] LOG:  b\n".repeat(200_000);
        let format = Format::Stderr(Prefix::new("[%p] ").unwrap());
        let mut blocks = Blocks::new(text.as_bytes(), &format);
        let mut read = blocks.next(Vec::new()).unwrap().unwrap();
        assert!(read.len() >= long.len());
        while let Some(block) = blocks.next(Vec::new()).unwrap() {
            assert!(block.starts_with(b"[2] LOG"));
            read.extend(block);
        }
        assert!(read == text.as_bytes());
    }
}
