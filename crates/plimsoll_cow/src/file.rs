//! One regular file: its bytes, wherever they are.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{FallocateFlags, Stat, fstat};
use rustix::io::Errno;

use crate::blocks::Blocks;
use crate::descriptors::Descriptor;
use crate::journal::Content;
use crate::positioned::{read_fully, write_as_much, write_fully};
use crate::store::Store;

/// A file of up to this length is copied whole at its first change: a block file's head alone takes 8 KiB.
const SMALL: u64 = 32 * 1024;

/// A regular file.
#[derive(Debug)]
pub(crate) struct CowFile {
    node: u64,
    origin: Option<PathBuf>,
    lower_length: u64,
    lower: Arc<Descriptor>,
    delta: Arc<Descriptor>,
    layout: RwLock<Layout>,
}

#[derive(Debug)]
enum Layout {
    /// Unchanged.
    Lower,
    /// All in the delta.
    Whole,
    Blocks(Blocks),
}

thread_local! {
    /// Of the largest read so far; each serving thread has one.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl CowFile {
    /// Opens what the journal says that there is.
    pub(crate) fn load(
        store: &Store,
        node: u64,
        origin: Option<PathBuf>,
        content: Content,
    ) -> Result<Self, Errno> {
        let lower_length = match (&origin, content) {
            (Some(origin), Content::Lower | Content::Blocks) => size(&store.lower_stat(origin)?),
            _ => 0,
        };
        let delta = Descriptor::new();
        let layout = match content {
            Content::Lower => Layout::Lower,
            Content::Whole => Layout::Whole,
            Content::Blocks => {
                Layout::Blocks(Blocks::load(&*delta.get(|| store.open_delta(node))?, lower_length)?)
            }
        };
        let layout = RwLock::new(layout);
        Ok(Self { node, origin, lower_length, lower: Descriptor::new(), delta, layout })
    }

    fn lower(&self, store: &Store) -> Result<Arc<OwnedFd>, Errno> {
        let origin = self.origin.as_ref().ok_or(Errno::UCLEAN)?;
        self.lower.get(|| store.open_lower(origin))
    }

    fn delta(&self, store: &Store) -> Result<Arc<OwnedFd>, Errno> {
        self.delta.get(|| store.open_delta(self.node))
    }

    /// Hands up to `length` bytes from `offset` on to `take`.
    pub(crate) fn read<T>(
        &self,
        store: &Store,
        offset: u64,
        length: usize,
        take: impl FnOnce(Result<&[u8], Errno>) -> T,
    ) -> T {
        BUFFER.with_borrow_mut(|buffer| {
            if buffer.len() < length {
                buffer.resize(length, 0);
            }
            match self.read_into(store, offset, &mut buffer[..length]) {
                Ok(filled) => take(Ok(&buffer[..filled])),
                Err(error) => take(Err(error)),
            }
        })
    }

    fn read_into(&self, store: &Store, offset: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
        let layout = self.layout.read().unwrap_or_else(PoisonError::into_inner);
        match &*layout {
            Layout::Lower => read_fully(&*self.lower(store)?, buffer, offset),
            Layout::Whole => read_fully(&*self.delta(store)?, buffer, offset),
            Layout::Blocks(blocks) => {
                let delta = self.delta(store)?;
                let left = size(&fstat(&*delta)?).saturating_sub(blocks.start()).saturating_sub(offset);
                let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                blocks.read(&delta, || self.lower(store), &mut buffer[..wanted], offset)?;
                Ok(wanted)
            }
        }
    }

    /// Writes, and returns how many bytes there was room for; nothing where the file needs a delta first.
    pub(crate) fn write(&self, store: &Store, bytes: &[u8], offset: u64) -> Result<Option<usize>, Errno> {
        {
            // Writes to what is in the delta already may go side by side.
            let layout = self.layout.read().unwrap_or_else(PoisonError::into_inner);
            let start = match &*layout {
                Layout::Lower => return Ok(None),
                Layout::Whole => Some(0),
                Layout::Blocks(blocks) => {
                    blocks.all_in_delta(offset, offset + bytes.len() as u64).then(|| blocks.start())
                }
            };
            if let Some(start) = start {
                return write_as_much(&*self.delta(store)?, bytes, start + offset).map(Some);
            }
        }
        let mut layout = self.layout.write().unwrap_or_else(PoisonError::into_inner);
        let delta = self.delta(store)?;
        match &mut *layout {
            Layout::Lower => Ok(None),
            Layout::Whole => write_as_much(&*delta, bytes, offset).map(Some),
            Layout::Blocks(blocks) => blocks.write(&delta, || self.lower(store), bytes, offset).map(Some),
        }
    }

    /// Makes the file this long; false where it needs a delta first.
    pub(crate) fn truncate(&self, store: &Store, length: u64) -> Result<bool, Errno> {
        let mut layout = self.layout.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *layout {
            Layout::Lower => return Ok(false),
            Layout::Whole => rustix::fs::ftruncate(&*self.delta(store)?, length)?,
            Layout::Blocks(blocks) => blocks.truncate(&*self.delta(store)?, length)?,
        }
        Ok(true)
    }

    /// Reserves space; false where the file needs a delta first.
    pub(crate) fn allocate(
        &self,
        store: &Store,
        flags: FallocateFlags,
        offset: u64,
        length: u64,
    ) -> Result<bool, Errno> {
        let layout = self.layout.write().unwrap_or_else(PoisonError::into_inner);
        let start = match &*layout {
            Layout::Lower => return Ok(false),
            Layout::Whole => 0,
            Layout::Blocks(blocks) => blocks.start(),
        };
        rustix::fs::fallocate(&*self.delta(store)?, flags, start + offset, length)?;
        Ok(true)
    }

    /// Makes a delta for an unchanged file, of which no more than `keep` bytes are still wanted. It counts once `commit`
    /// has written that into the journal.
    pub(crate) fn give_delta(
        &self,
        store: &Store,
        keep: u64,
        commit: impl FnOnce(Content) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let mut layout = self.layout.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*layout, Layout::Lower) {
            return Ok(());
        }
        let created = self.create_delta(store, keep).and_then(|(made, content)| {
            commit(content)?;
            Ok(made)
        });
        match created {
            Ok(made) => *layout = made,
            Err(error) => {
                store.remove_delta(self.node);
                return Err(error);
            }
        }
        Ok(())
    }

    fn create_delta(&self, store: &Store, keep: u64) -> Result<(Layout, Content), Errno> {
        let delta = store.create_delta(self.node)?;
        let keep = keep.min(self.lower_length);
        if keep > SMALL {
            let blocks = Blocks::create(&delta, self.lower_length)?;
            return Ok((Layout::Blocks(blocks), Content::Blocks));
        }
        if keep > 0 {
            let mut bytes = vec![0; usize::try_from(keep).map_err(|_| Errno::FBIG)?];
            let filled = read_fully(&*self.lower(store)?, &mut bytes, 0)?;
            write_fully(&delta, &bytes[..filled], 0)?;
        }
        Ok((Layout::Whole, Content::Whole))
    }

    /// The delta's times and space, and the file's length; nothing where the file is unchanged.
    pub(crate) fn delta_stat(&self, store: &Store) -> Result<Option<Stat>, Errno> {
        let layout = self.layout.read().unwrap_or_else(PoisonError::into_inner);
        let start = match &*layout {
            Layout::Lower => return Ok(None),
            Layout::Whole => 0,
            Layout::Blocks(blocks) => blocks.start(),
        };
        let mut stat = fstat(&*self.delta(store)?)?;
        stat.st_size -= i64::try_from(start).map_err(|_| Errno::FBIG)?;
        Ok(Some(stat))
    }

    /// The open delta, where there is one.
    pub(crate) fn delta_if_any(&self, store: &Store) -> Result<Option<Arc<OwnedFd>>, Errno> {
        let layout = self.layout.read().unwrap_or_else(PoisonError::into_inner);
        if matches!(*layout, Layout::Lower) { Ok(None) } else { self.delta(store).map(Some) }
    }
}

/// A file's length.
pub(crate) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}
