//! The merged tree, without the kernel: what each file operation does to the lower folder's view and to the delta.

mod attributes;
mod contents;
mod names;

use std::collections::HashSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustix::fs::FileType;
use rustix::io::Errno;

pub(crate) use attributes::{Attributes, Changes, NewOwner};
pub(crate) use names::{Entry, Replace};

use crate::file::CowFile;
use crate::journal::{Change, Content, Journal, Kind, LostWrite, Record, Room};
use crate::options::Durability;
use crate::store::Store;
use crate::tree::{ROOT, Tree};

/// The merged tree.
#[derive(Debug)]
pub(crate) struct Overlay {
    store: Store,
    owner: Option<(u32, u32)>,
    durability: Durability,
    names: RwLock<Names>,
    lost: Mutex<Lost>,
}

/// Writes that couldn't be kept.
#[derive(Debug, Default)]
struct Lost {
    /// The first one of all mounts.
    first: Option<LostWrite>,
    /// Why one was lost in this mount.
    now: Option<Errno>,
}

#[derive(Debug)]
struct Names {
    tree: Tree,
    journal: Journal,
}

impl Overlay {
    /// Opens a delta folder over a lower one; an empty delta folder is a view without changes.
    pub(crate) fn open(store: Store, owner: Option<(u32, u32)>, durability: Durability) -> io::Result<Self> {
        let root = store.lower_stat(Path::new(""))?;
        let mut tree = Tree::new(root.st_mode & 0o7777);
        let mut lost = None;
        let mut journal = Journal::open(&store.journal_path(), |change| {
            if let Change::Lost(write) = &change {
                lost = Some(write.clone());
            }
            tree.apply(change);
        })?;
        sweep(&store, &mut tree)?;
        compact_if_worth_it(&mut journal, &tree, lost.as_ref());
        let names = RwLock::new(Names { tree, journal });
        Ok(Self { store, owner, durability, names, lost: Mutex::new(Lost { first: lost, now: None }) })
    }

    fn reading(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Names> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes changes into the journal, then makes them so.
    fn commit(&self, names: &mut Names, changes: Vec<Change>, room: Room) -> Result<(), Errno> {
        names.journal.append(&changes, room)?;
        changes.into_iter().for_each(|change| names.tree.apply(change));
        if names.journal.wants_compaction() {
            let lost = self.lost_write();
            compact_if_worth_it(&mut names.journal, &names.tree, lost.as_ref());
        }
        Ok(())
    }

    /// What brings a node into the journal, with all folders on the way to it.
    fn adopt(names: &Names, node: u64, changes: &mut Vec<Change>) -> Result<(), Errno> {
        let known = names.tree.get(node).ok_or(Errno::STALE)?;
        let in_changes =
            changes.iter().any(|change| matches!(change, Change::Node(number, _) if *number == node));
        if known.journaled || in_changes {
            return Ok(());
        }
        if let Some((parent, name)) = known.places.first() {
            Self::adopt(names, *parent, changes)?;
            changes.push(Change::Node(node, known.record.clone()));
            changes.push(Change::Link { parent: *parent, name: name.clone(), node });
        } else {
            changes.push(Change::Node(node, known.record.clone()));
        }
        Ok(())
    }

    /// The file's bytes.
    fn file(&self, node: u64) -> Result<Arc<CowFile>, Errno> {
        self.file_in(&self.reading(), node)
    }

    fn file_in(&self, names: &Names, node: u64) -> Result<Arc<CowFile>, Errno> {
        let found = names.tree.get(node).ok_or(Errno::STALE)?;
        if let Some(file) = found.file.get() {
            return Ok(Arc::clone(file));
        }
        match found.record.kind {
            Kind::File => {}
            Kind::Folder => return Err(Errno::ISDIR),
            _ => return Err(Errno::INVAL),
        }
        let Record { origin, content, .. } = found.record.clone();
        let file = Arc::new(CowFile::load(&self.store, node, origin, content)?);
        // Where two load it at once, both go on with the first one's: changes happen in that alone.
        Ok(Arc::clone(found.file.get_or_init(|| file)))
    }

    /// The kernel drops so many references to a node.
    pub(crate) fn forget(&self, node: u64, lookups: u64) {
        let mut names = self.changing();
        if let Some(found) = names.tree.get(node) {
            let before = found.lookups.load(Ordering::Relaxed);
            found.lookups.store(before.saturating_sub(lookups), Ordering::Relaxed);
        }
        self.drop_unreachable(&mut names, node);
    }

    fn drop_unreachable(&self, names: &mut Names, node: u64) {
        if names.tree.drop_unreachable(node) {
            self.store.remove_delta(node);
        }
    }

    /// The regular files that the kernel may hold unwritten pages of, by a path below the root.
    pub(crate) fn files_in_use(&self) -> Vec<std::path::PathBuf> {
        let names = self.reading();
        names
            .tree
            .iter()
            .filter(|(_, node)| node.record.kind == Kind::File && node.looked_up())
            .filter_map(|(number, _)| path_of(&names.tree, number))
            .collect()
    }

    /// The first write that was lost for want of space or by an error of the disk, in this mount or an earlier one.
    pub(crate) fn lost_write(&self) -> Option<LostWrite> {
        self.lost().first.clone()
    }

    fn lost(&self) -> MutexGuard<'_, Lost> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a write from the kernel's cache that failed: whoever wrote it was told long ago that it went well.
    pub(crate) fn note_lost(&self, node: u64, offset: u64, error: Errno) {
        let write = LostWrite { node, offset, errno: error.raw_os_error() };
        let mut lost = self.lost();
        lost.now = Some(error);
        if lost.first.is_some() {
            return;
        }
        lost.first = Some(write.clone());
        drop(lost);
        // Nothing is left to do where even the reserve is used up: this mount knows, the next one won't.
        let _ = self.changing().journal.append(&[Change::Lost(write)], Room::Frees);
    }

    /// Refuses where a write was lost in this mount: nothing that builds on it may be told to be safe. In the next one it is
    /// as if the machine had crashed.
    fn check_nothing_lost(&self) -> Result<(), Errno> {
        self.lost().now.map_or(Ok(()), Err)
    }

    pub(crate) fn path(&self, node: u64) -> Option<std::path::PathBuf> {
        path_of(&self.reading().tree, node)
    }

    /// The folder that has this node; the root is its own.
    pub(crate) fn parent(&self, node: u64) -> Option<u64> {
        Some(self.reading().tree.get(node)?.places.first()?.0)
    }

    pub(crate) fn data_folder(&self) -> &OwnedFd {
        self.store.data()
    }

    #[cfg(test)]
    pub(crate) fn node_count(&self) -> usize {
        self.reading().tree.iter().count()
    }
}

fn path_of(tree: &Tree, node: u64) -> Option<std::path::PathBuf> {
    if node == ROOT {
        return Some(std::path::PathBuf::new());
    }
    let (parent, name) = tree.get(node)?.places.first()?;
    Some(path_of(tree, *parent)?.join(name))
}

/// Removes what a kill left: nodes without a name, and files that no node has.
fn sweep(store: &Store, tree: &mut Tree) -> io::Result<()> {
    let nodes: Vec<u64> = tree.iter().map(|(number, _)| number).collect();
    for node in nodes {
        tree.drop_unreachable(node);
    }
    let in_use: HashSet<u64> = tree
        .iter()
        .filter(|(_, node)| node.record.content != Content::Lower)
        .map(|(number, _)| number)
        .collect();
    for node in store.delta_nodes()? {
        if !in_use.contains(&node) {
            store.remove_delta(node);
        }
    }
    Ok(())
}

fn compact_if_worth_it(journal: &mut Journal, tree: &Tree, lost: Option<&LostWrite>) {
    if journal.wants_compaction() {
        let mut changes = tree.as_changes();
        changes.extend(lost.cloned().map(Change::Lost));
        journal.compact(&changes);
    }
}

fn kind(file_type: FileType) -> Result<Kind, Errno> {
    match file_type {
        FileType::RegularFile => Ok(Kind::File),
        FileType::Directory => Ok(Kind::Folder),
        FileType::Symlink => Ok(Kind::Symlink),
        FileType::Fifo => Ok(Kind::Fifo),
        FileType::Socket => Ok(Kind::Socket),
        // Nothing in a data directory is a device.
        _ => Err(Errno::NXIO),
    }
}
