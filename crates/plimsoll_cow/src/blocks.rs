//! A changed file whose unchanged blocks stay in the lower folder.
//!
//! ```text
//! 0      magic (8 bytes), length of the lower file (u64), limit (u64)
//! 4096   a bit for each block that the lower file has: set where the block is in this file
//! start  the file, with holes: start is the next multiple of 8 KiB
//! ```
//!
//! A bit is set after its block was written and before the write is answered. From the limit on, nothing comes from the
//! lower file: it is the shortest length that the file ever had. The file's length is this file's, less `start`; so
//! changes of length need no entry anywhere.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::positioned::{read_fully, write_fully};

/// PostgreSQL's pages have this size, and start at multiples of it.
pub(crate) const BLOCK: u64 = 8192;
const MAGIC: &[u8; 8] = b"plimcow1";
const BITS_AT: u64 = 4096;
const LIMIT_AT: u64 = 16;

/// What is known about such a file, beside its bytes.
#[derive(Debug)]
pub(crate) struct Blocks {
    limit: u64,
    words: Vec<u64>,
    start: u64,
}

/// Where a run of bytes comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Delta,
    Lower,
}

impl Blocks {
    /// Makes the empty file over a lower one of this length.
    pub(crate) fn create(file: &OwnedFd, lower_length: u64) -> Result<Self, Errno> {
        let words = vec![0; word_count(lower_length)];
        let start = start(words.len());
        // Written, and not left as a hole, so that setting a bit needs no space.
        let mut head = vec![0; usize::try_from(start).map_err(|_| Errno::FBIG)?];
        head[..8].copy_from_slice(MAGIC);
        head[8..16].copy_from_slice(&lower_length.to_le_bytes());
        head[16..24].copy_from_slice(&lower_length.to_le_bytes());
        write_fully(file, &head, 0)?;
        rustix::fs::ftruncate(file, start + lower_length)?;
        Ok(Self { limit: lower_length, words, start })
    }

    /// Reads what an earlier mount wrote. `EUCLEAN` where it isn't of this kind, or of another lower file.
    pub(crate) fn load(file: &OwnedFd, lower_length: u64) -> Result<Self, Errno> {
        let mut head = [0; 24];
        let fits = read_fully(file, &mut head, 0)? == head.len()
            && head.starts_with(MAGIC)
            && head[8..16] == lower_length.to_le_bytes();
        if !fits {
            return Err(Errno::UCLEAN);
        }
        let mut limit = u64::from_le_bytes(head[16..24].try_into().map_err(|_| Errno::UCLEAN)?);
        let mut bits = vec![0; 8 * word_count(lower_length)];
        read_fully(file, &mut bits, BITS_AT)?;
        let words: Vec<u64> =
            bits.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        let start = start(words.len());
        let length = u64::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(0);
        let length = length.checked_sub(start).ok_or(Errno::UCLEAN)?;
        if length < limit {
            // We were killed in the midst of a truncation, between its two steps.
            limit = length;
            write_fully(file, &limit.to_le_bytes(), LIMIT_AT)?;
        }
        Ok(Self { limit, words, start })
    }

    /// Where in the delta file its first byte is.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    fn source(&self, block: u64) -> Source {
        if block * BLOCK >= self.limit || self.bit(block) { Source::Delta } else { Source::Lower }
    }

    fn bit(&self, block: u64) -> bool {
        let word = usize::try_from(block / 64).unwrap_or(usize::MAX);
        self.words.get(word).is_some_and(|word| word & (1 << (block % 64)) != 0)
    }

    /// The end of the longest run from `offset` on, at most to `end`, that comes from one source.
    fn run(&self, offset: u64, end: u64) -> (Source, u64) {
        let source = self.source(offset / BLOCK);
        let mut block = offset / BLOCK + 1;
        while block * BLOCK < end && self.source(block) == source {
            block += 1;
        }
        (source, end.min(block * BLOCK))
    }

    /// Whether a write there changes nothing but bytes of the delta.
    pub(crate) fn all_in_delta(&self, offset: u64, end: u64) -> bool {
        self.run(offset, end) == (Source::Delta, end)
    }

    /// Reads `buffer.len()` bytes, which must lie within the file's length.
    pub(crate) fn read(
        &self,
        delta: &OwnedFd,
        lower: impl Fn() -> Result<std::sync::Arc<OwnedFd>, Errno>,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<(), Errno> {
        let end = offset + buffer.len() as u64;
        let mut rest = buffer;
        let mut at = offset;
        while at < end {
            let (source, run_end) = self.run(at, end);
            let (part, behind) = rest.split_at_mut(usize::try_from(run_end - at).map_err(|_| Errno::FBIG)?);
            match source {
                Source::Delta => {
                    let filled = read_fully(delta, part, self.start + at)?;
                    part[filled..].fill(0);
                }
                Source::Lower => {
                    let wanted = usize::try_from(self.limit.min(run_end).saturating_sub(at)).unwrap_or(0);
                    let filled = read_fully(&*lower()?, &mut part[..wanted], at)?;
                    part[filled..].fill(0);
                }
            }
            rest = behind;
            at = run_end;
        }
        Ok(())
    }

    /// Writes all the bytes, or as many as there is room for; an error where not one could be written.
    pub(crate) fn write(
        &mut self,
        delta: &OwnedFd,
        lower: impl Fn() -> Result<std::sync::Arc<OwnedFd>, Errno>,
        bytes: &[u8],
        offset: u64,
    ) -> Result<usize, Errno> {
        let end = offset + bytes.len() as u64;
        if !offset.is_multiple_of(BLOCK) {
            self.bring(delta, &lower, offset / BLOCK)?;
        }
        if !end.is_multiple_of(BLOCK) && end < self.limit {
            self.bring(delta, &lower, end / BLOCK)?;
        }
        let written = crate::positioned::write_as_much(delta, bytes, self.start + offset)?;
        // A last block that was written in part has its bit already, or lacks it and is read from the lower file.
        let whole_end = offset + written as u64;
        let last = if whole_end == end { end.div_ceil(BLOCK) } else { whole_end / BLOCK };
        self.set(delta, offset / BLOCK, last)?;
        Ok(written)
    }

    /// Brings one block's bytes here, where they are in the lower file.
    fn bring(
        &mut self,
        delta: &OwnedFd,
        lower: impl Fn() -> Result<std::sync::Arc<OwnedFd>, Errno>,
        block: u64,
    ) -> Result<(), Errno> {
        if self.source(block) == Source::Delta {
            return Ok(());
        }
        let from = block * BLOCK;
        let mut bytes = [0; BLOCK as usize];
        let wanted = usize::try_from(self.limit.min(from + BLOCK) - from).unwrap_or(0);
        self.read(delta, lower, &mut bytes[..wanted], from)?;
        write_fully(delta, &bytes[..wanted], self.start + from)?;
        self.set(delta, block, block + 1)
    }

    fn set(&mut self, delta: &OwnedFd, from: u64, to: u64) -> Result<(), Errno> {
        let to = to.min(64 * self.words.len() as u64);
        if from >= to {
            return Ok(());
        }
        let words = usize::try_from(from / 64).unwrap_or(0)..usize::try_from(to.div_ceil(64)).unwrap_or(0);
        let mut changed = self.words[words.clone()].to_vec();
        for block in from..to {
            changed[usize::try_from(block / 64).unwrap_or(0) - words.start] |= 1 << (block % 64);
        }
        if changed == self.words[words.clone()] {
            return Ok(());
        }
        let bytes: Vec<u8> = changed.iter().flat_map(|word| word.to_le_bytes()).collect();
        write_fully(delta, &bytes, BITS_AT + 8 * words.start as u64)?;
        self.words[words].copy_from_slice(&changed);
        Ok(())
    }

    /// Makes the file this long.
    pub(crate) fn truncate(&mut self, delta: &OwnedFd, length: u64) -> Result<(), Errno> {
        rustix::fs::ftruncate(delta, self.start + length)?;
        if length < self.limit {
            // Killed before this, `load` makes up for it.
            self.limit = length;
            write_fully(delta, &length.to_le_bytes(), LIMIT_AT)?;
        }
        Ok(())
    }
}

fn word_count(lower_length: u64) -> usize {
    usize::try_from(lower_length.div_ceil(BLOCK).div_ceil(64)).unwrap_or(usize::MAX)
}

fn start(words: usize) -> u64 {
    (BITS_AT + 8 * words as u64).next_multiple_of(BLOCK)
}

#[cfg(test)]
mod tests;
