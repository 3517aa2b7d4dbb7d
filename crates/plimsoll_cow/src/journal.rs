//! The journal: every change to names and attributes, one checksummed record a request.
//!
//! A record is written before its request is answered, so whatever was answered survives the end of this process. A
//! record that is cut off or damaged ends the journal: it and what follows were never answered, or were lost with the
//! machine. Integers are little-endian.
//!
//! ```text
//! file   = magic (16 bytes) record*
//! record = length of changes (u32) xxh3 of changes (u64) change*
//! ```

mod change;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use twox_hash::XxHash3_64;

pub(crate) use change::{Change, Content, Kind, LostWrite, Record, Time};

const MAGIC: &[u8; 16] = b"plimsoll cow 1\n\0";
const HEADER: usize = 4 + 8;
/// Space that is kept for changes which free space, so that a full disk can be emptied.
const RESERVE: u64 = 64 * 1024;
/// What a change that frees space may take of the reserve.
const LAST_OF_RESERVE: u64 = 16 * 1024;
/// A journal below this isn't worth being written anew, in bytes.
const SMALL: u64 = 1024 * 1024;

/// Whether a change makes the delta larger: only such are refused on a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Takes,
    Frees,
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    /// Up to where disk space is allocated.
    reserved: u64,
    /// Length when it was last written as a whole.
    compact_length: u64,
    pub(crate) unsynced: bool,
}

impl Journal {
    /// Opens the journal, or makes an empty one, and hands all its changes to `apply`.
    pub(crate) fn open(path: &Path, apply: impl FnMut(Change)) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let bytes = whole(&file)?;
        let length = if bytes.len() < MAGIC.len() {
            file.set_len(0)?;
            file.write_all_at(MAGIC, 0)?;
            MAGIC.len() as u64
        } else {
            let length = replay(&bytes, apply)?;
            if length < bytes.len() as u64 {
                file.set_len(length)?;
            }
            length
        };
        // What is dead in it isn't known: a large one is written anew at once.
        Ok(Self { path: path.to_owned(), file, length, reserved: length, compact_length: 0, unsynced: true })
    }

    /// Adds one record; after an error the journal is as before.
    pub(crate) fn append(&mut self, changes: &[Change], room: Room) -> Result<(), Errno> {
        if changes.is_empty() {
            return Ok(());
        }
        let record = encode(changes);
        let end = self.length + record.len() as u64;
        self.reserve(end, room)?;
        if let Err(error) = self.file.write_all_at(&record, self.length) {
            // A record cut off would be dropped at the next start, but hide those behind it.
            let _ = self.file.set_len(self.length);
            self.reserved = self.length;
            return Err(errno(&error));
        }
        self.length = end;
        self.unsynced = true;
        Ok(())
    }

    fn reserve(&mut self, end: u64, room: Room) -> Result<(), Errno> {
        if end + LAST_OF_RESERVE <= self.reserved {
            return Ok(());
        }
        match rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, self.length, RESERVE) {
            Ok(()) => self.reserved = self.length + RESERVE,
            Err(Errno::NOSPC | Errno::DQUOT) if room == Room::Frees && end <= self.reserved => {}
            Err(error @ (Errno::NOSPC | Errno::DQUOT)) => return Err(error),
            // A file system without reservations: the write itself will tell.
            Err(_) => self.reserved = end,
        }
        Ok(())
    }

    /// Whether most of the journal is likely dead.
    pub(crate) fn wants_compaction(&self) -> bool {
        self.length > SMALL && self.length > 4 * self.compact_length
    }

    /// Replaces the journal by one that holds these changes only. Where that fails, for want of space perhaps, it goes on as
    /// it is.
    pub(crate) fn compact(&mut self, changes: &[Change]) {
        if let Ok((file, length)) = write_new(&self.path, changes) {
            self.file = file;
            self.length = length;
            self.reserved = length;
            self.unsynced = true;
        }
        // After a failure too: it is tried again once the journal has grown much, not at each change.
        self.compact_length = self.length;
    }

    /// Makes all changes so far survive a crash of the machine.
    pub(crate) fn sync(&mut self) -> Result<(), Errno> {
        if self.unsynced {
            rustix::fs::fdatasync(&self.file)?;
            self.unsynced = false;
        }
        Ok(())
    }
}

/// Writes a journal of these changes, and puts it in place at once.
pub(crate) fn write_new(path: &Path, changes: &[Change]) -> io::Result<(File, u64)> {
    let new = path.with_extension("new");
    let written = write_beside(&new, changes).and_then(|written| {
        std::fs::rename(&new, path)?;
        Ok(written)
    });
    if written.is_err() {
        // What there was room for is needed elsewhere.
        let _ = std::fs::remove_file(&new);
    }
    written
}

fn write_beside(new: &Path, changes: &[Change]) -> io::Result<(File, u64)> {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(new)?;
    let mut bytes = MAGIC.to_vec();
    // Records of bounded length, so that no length field overflows.
    for changes in changes.chunks(1024) {
        bytes.extend(encode(changes));
    }
    file.write_all_at(&bytes, 0)?;
    // Without this a crash of the machine may leave the new name with no content.
    file.sync_data()?;
    Ok((file, bytes.len() as u64))
}

/// Hands all changes of the journal to `apply`, without changing it.
pub(crate) fn read(path: &Path, apply: impl FnMut(Change)) -> io::Result<()> {
    let bytes = whole(&File::open(path)?)?;
    if bytes.len() >= MAGIC.len() {
        replay(&bytes, apply)?;
    }
    Ok(())
}

fn whole(file: &File) -> io::Result<Vec<u8>> {
    use std::io::Read as _;

    let mut bytes = Vec::new();
    (&*file).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the length of what is whole.
fn replay(bytes: &[u8], mut apply: impl FnMut(Change)) -> io::Result<u64> {
    if !bytes.starts_with(MAGIC) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is no journal of a copy-on-write folder, or one of another version",
        ));
    }
    let mut rest = &bytes[MAGIC.len()..];
    while let Some((changes, after)) = next_record(rest) {
        changes.into_iter().for_each(&mut apply);
        rest = after;
    }
    Ok((bytes.len() - rest.len()) as u64)
}

fn next_record(bytes: &[u8]) -> Option<(Vec<Change>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (body, rest) = rest.split_at_checked(length)?;
    if length == 0 || XxHash3_64::oneshot(body) != u64::from_le_bytes(*sum) {
        return None;
    }
    Some((change::decode_all(body)?, rest))
}

fn encode(changes: &[Change]) -> Vec<u8> {
    let mut record = vec![0; HEADER];
    for change in changes {
        change.encode(&mut record);
    }
    let body = &record[HEADER..];
    let length = u32::try_from(body.len()).expect("a record is far smaller than 4 GiB");
    let sum = XxHash3_64::oneshot(body);
    record[..4].copy_from_slice(&length.to_le_bytes());
    record[4..HEADER].copy_from_slice(&sum.to_le_bytes());
    record
}

pub(crate) fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests;
