//! Bytes of files: read, write, truncate, reserve, sync.

use std::path::Path;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::Overlay;
use crate::journal::{Change, Kind, Record, Room};
use crate::options::Durability;

impl Overlay {
    /// Hands up to `length` bytes from `offset` on to `take`: fewer at the file's end.
    pub(crate) fn read<T>(
        &self,
        node: u64,
        offset: u64,
        length: usize,
        take: impl FnOnce(Result<&[u8], Errno>) -> T,
    ) -> T {
        match self.file(node) {
            Ok(file) => file.read(&self.store, offset, length, take),
            Err(error) => take(Err(error)),
        }
    }

    /// Writes, and returns how many bytes there was room for.
    pub(crate) fn write(&self, node: u64, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
        loop {
            // Asked for anew each time: it may have been dropped and loaded since.
            if let Some(written) = self.file(node)?.write(&self.store, bytes, offset)? {
                return Ok(written);
            }
            self.give_delta(node, u64::MAX)?;
        }
    }

    /// Makes a file longer or shorter.
    pub(crate) fn truncate(&self, node: u64, length: u64) -> Result<(), Errno> {
        while !self.file(node)?.truncate(&self.store, length)? {
            self.give_delta(node, length)?;
        }
        Ok(())
    }

    /// Reserves space, and makes the file longer unless `KEEP_SIZE` is asked for.
    pub(crate) fn allocate(
        &self,
        node: u64,
        flags: FallocateFlags,
        offset: u64,
        length: u64,
    ) -> Result<(), Errno> {
        if !FallocateFlags::KEEP_SIZE.contains(flags) {
            return Err(Errno::OPNOTSUPP);
        }
        self.check_nothing_lost()?;
        while !self.file(node)?.allocate(&self.store, flags, offset, length)? {
            self.give_delta(node, u64::MAX)?;
        }
        Ok(())
    }

    /// Gives an unchanged file a delta, of which no more than `keep` bytes are still wanted.
    fn give_delta(&self, node: u64, keep: u64) -> Result<(), Errno> {
        let mut names = self.changing();
        self.file_in(&names, node)?.give_delta(&self.store, keep, |content| {
            let found = names.tree.get(node).ok_or(Errno::STALE)?;
            let record = Record { content, modified: None, ..found.record.clone() };
            let mut changes = Vec::new();
            Self::adopt(&names, node, &mut changes)?;
            changes.push(Change::Node(node, record));
            self.commit(&mut names, changes, Room::Takes)
        })
    }

    /// What a symbolic link points to.
    pub(crate) fn link_target(&self, node: u64) -> Result<Vec<u8>, Errno> {
        let names = self.reading();
        let record = &names.tree.get(node).ok_or(Errno::STALE)?.record;
        match (record.kind, &record.target, &record.origin) {
            (Kind::Symlink, Some(target), _) => Ok(target.as_encoded_bytes().to_vec()),
            (Kind::Symlink, None, Some(origin)) => self.store.lower_link(origin),
            _ => Err(Errno::INVAL),
        }
    }

    /// Brings a file to where it is safe.
    pub(crate) fn sync_file(&self, node: u64) -> Result<(), Errno> {
        self.check_nothing_lost()?;
        if self.durability == Durability::Process {
            return Ok(());
        }
        if let Some(delta) = self.file(node)?.delta_if_any(&self.store)? {
            rustix::fs::fdatasync(&*delta)?;
        }
        self.sync_names()
    }

    /// Brings names and attributes to where they are safe.
    pub(crate) fn sync_names(&self) -> Result<(), Errno> {
        self.check_nothing_lost()?;
        if self.durability == Durability::Process || !self.reading().journal.unsynced {
            return Ok(());
        }
        let mut names = self.changing();
        // A file's name in the delta must be there before the journal speaks of it.
        rustix::fs::fsync(self.store.data())?;
        names.journal.sync()
    }

    /// Brings all of the delta to where it is safe.
    pub(crate) fn sync_all(&self) -> Result<(), Errno> {
        self.check_nothing_lost()?;
        match self.durability {
            Durability::Process => Ok(()),
            Durability::Machine => rustix::fs::syncfs(self.store.data()),
        }
    }

    /// Whether the lower folder has something there.
    pub(super) fn lower_has(&self, path: &Path) -> Result<bool, Errno> {
        match self.store.lower_stat(path) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
