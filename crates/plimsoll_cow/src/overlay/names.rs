//! Names: look-up, lists, and what makes, moves and removes them.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use rustix::fs::{Dir, FileType};
use rustix::io::Errno;

use super::{Attributes, Names, NewOwner, Overlay, kind};
use crate::journal::{Change, Content, Kind, Record, Room};
use crate::tree::Slot;

/// What all file systems that PostgreSQL runs on allow.
const LONGEST_NAME: usize = 255;

/// One name of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) kind: Kind,
    /// Where the kernel knows it already.
    pub(crate) node: Option<u64>,
}

impl Overlay {
    /// Finds a name, and counts that the kernel holds what was found.
    pub(crate) fn lookup(&self, parent: u64, name: &OsStr) -> Result<Option<Attributes>, Errno> {
        let names = self.reading();
        let folder = names.tree.get(parent).ok_or(Errno::STALE)?;
        let slot = folder.slots.get(name).copied();
        if slot == Some(Slot::Hidden) || (slot.is_none() && folder.record.origin.is_none()) {
            return Ok(None);
        }
        if let Some(node) = slot.and_then(Slot::node) {
            return self.held(&names, node).map(Some);
        }
        drop(names);
        let mut names = self.changing();
        match self.find(&mut names, parent, name)? {
            Some(node) => self.held(&names, node).map(Some),
            None => Ok(None),
        }
    }

    fn held(&self, names: &Names, node: u64) -> Result<Attributes, Errno> {
        let attributes = self.attributes_in(names, node)?;
        if let Some(found) = names.tree.get(node) {
            found.lookups.fetch_add(1, Ordering::Relaxed);
        }
        Ok(attributes)
    }

    fn find(&self, names: &mut Names, parent: u64, name: &OsStr) -> Result<Option<u64>, Errno> {
        check_length(name)?;
        let folder = names.tree.get(parent).ok_or(Errno::STALE)?;
        if folder.record.kind != Kind::Folder {
            return Err(Errno::NOTDIR);
        }
        if let Some(slot) = folder.slots.get(name) {
            return Ok(slot.node());
        }
        let Some(origin) = folder.record.origin.as_ref().map(|origin| origin.join(name)) else {
            return Ok(None);
        };
        let stat = match self.store.lower_stat(&origin) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error),
        };
        let record = Record {
            kind: kind(FileType::from_raw_mode(stat.st_mode))?,
            content: Content::Lower,
            mode: stat.st_mode & 0o7777,
            owner: None,
            modified: None,
            origin: Some(origin),
            target: None,
        };
        Ok(Some(names.tree.know(parent, name, record)))
    }

    fn found(&self, names: &mut Names, parent: u64, name: &OsStr) -> Result<u64, Errno> {
        self.find(names, parent, name)?.ok_or(Errno::NOENT)
    }

    /// All names of a folder, without `.` and `..`.
    pub(crate) fn list(&self, node: u64) -> Result<Vec<Entry>, Errno> {
        self.list_in(&self.reading(), node)
    }

    fn list_in(&self, names: &Names, node: u64) -> Result<Vec<Entry>, Errno> {
        let folder = names.tree.get(node).ok_or(Errno::STALE)?;
        if folder.record.kind != Kind::Folder {
            return Err(Errno::NOTDIR);
        }
        let linked = folder.slots.iter().filter_map(|(name, slot)| match *slot {
            Slot::Linked(node) => {
                let kind = names.tree.get(node)?.record.kind;
                Some(Entry { name: name.clone(), kind, node: Some(node) })
            }
            Slot::Hidden | Slot::Known(_) => None,
        });
        let mut entries: Vec<Entry> = linked.collect();
        if let Some(origin) = &folder.record.origin {
            self.list_lower(origin, &folder.slots, &mut entries)?;
        }
        Ok(entries)
    }

    fn list_lower(
        &self,
        origin: &Path,
        slots: &HashMap<OsString, Slot>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Errno> {
        for entry in Dir::read_from(self.store.open_lower(origin)?)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            let slot = slots.get(name);
            if name == "." || name == ".." || matches!(slot, Some(Slot::Hidden | Slot::Linked(_))) {
                continue;
            }
            let file_type = match entry.file_type() {
                FileType::Unknown => {
                    FileType::from_raw_mode(self.store.lower_stat(&origin.join(name))?.st_mode)
                }
                file_type => file_type,
            };
            // A device has no place here: it isn't shown.
            let Ok(kind) = kind(file_type) else { continue };
            let node = slot.and_then(|slot| slot.node());
            entries.push(Entry { name: name.to_owned(), kind, node });
        }
        Ok(())
    }

    /// Makes a file, folder, fifo or socket, and holds it for the kernel.
    pub(crate) fn make(
        &self,
        parent: u64,
        name: &OsStr,
        kind: Kind,
        mode: u32,
        owner: NewOwner,
    ) -> Result<Attributes, Errno> {
        self.make_node(parent, name, self.new_record(kind, mode, owner))
    }

    /// Makes a symbolic link, and holds it for the kernel.
    pub(crate) fn make_symlink(
        &self,
        parent: u64,
        name: &OsStr,
        target: &OsStr,
        owner: NewOwner,
    ) -> Result<Attributes, Errno> {
        let record = self.new_record(Kind::Symlink, 0o777, owner);
        self.make_node(parent, name, Record { target: Some(target.to_owned()), ..record })
    }

    fn make_node(&self, parent: u64, name: &OsStr, record: Record) -> Result<Attributes, Errno> {
        self.check_nothing_lost()?;
        let mut names = self.changing();
        if self.find(&mut names, parent, name)?.is_some() {
            return Err(Errno::EXIST);
        }
        let node = names.tree.next_number();
        let has_file = record.kind == Kind::File;
        if has_file {
            self.store.create_delta(node)?;
        }
        let mut changes = Vec::new();
        Self::adopt(&names, parent, &mut changes)?;
        changes.push(Change::Node(node, record));
        changes.push(Change::Link { parent, name: name.to_owned(), node });
        if let Err(error) = self.commit(&mut names, changes, Room::Takes) {
            self.store.remove_delta(node);
            return Err(error);
        }
        self.touch(&mut names, parent);
        self.held(&names, node)
    }

    /// Gives a node another name, and holds it for the kernel.
    pub(crate) fn link(&self, node: u64, parent: u64, name: &OsStr) -> Result<Attributes, Errno> {
        self.check_nothing_lost()?;
        let mut names = self.changing();
        if self.find(&mut names, parent, name)?.is_some() {
            return Err(Errno::EXIST);
        }
        if names.tree.get(node).ok_or(Errno::STALE)?.places.is_empty() {
            return Err(Errno::NOENT);
        }
        let mut changes = Vec::new();
        Self::adopt(&names, node, &mut changes)?;
        Self::adopt(&names, parent, &mut changes)?;
        changes.push(Change::Link { parent, name: name.to_owned(), node });
        self.commit(&mut names, changes, Room::Takes)?;
        self.touch(&mut names, parent);
        self.held(&names, node)
    }

    /// Removes a name of something that isn't a folder.
    pub(crate) fn unlink(&self, parent: u64, name: &OsStr) -> Result<(), Errno> {
        let mut names = self.changing();
        let node = self.found(&mut names, parent, name)?;
        if names.tree.get(node).ok_or(Errno::STALE)?.record.kind == Kind::Folder {
            return Err(Errno::ISDIR);
        }
        self.remove(&mut names, parent, name, node)
    }

    /// Removes an empty folder.
    pub(crate) fn rmdir(&self, parent: u64, name: &OsStr) -> Result<(), Errno> {
        let mut names = self.changing();
        let node = self.found(&mut names, parent, name)?;
        if !self.list_in(&names, node)?.is_empty() {
            return Err(Errno::NOTEMPTY);
        }
        self.remove(&mut names, parent, name, node)
    }

    fn remove(&self, names: &mut Names, parent: u64, name: &OsStr, node: u64) -> Result<(), Errno> {
        let mut changes = Vec::new();
        Self::adopt(names, parent, &mut changes)?;
        changes.push(self.removal(names, parent, name)?);
        self.commit(names, changes, Room::Frees)?;
        self.touch(names, parent);
        self.drop_unreachable(names, node);
        Ok(())
    }

    fn removal(&self, names: &Names, parent: u64, name: &OsStr) -> Result<Change, Errno> {
        let origin = &names.tree.get(parent).ok_or(Errno::STALE)?.record.origin;
        let in_lower = match origin {
            Some(origin) => self.lower_has(&origin.join(name))?,
            None => false,
        };
        let name = name.to_owned();
        Ok(if in_lower { Change::Hide { parent, name } } else { Change::Remove { parent, name } })
    }

    /// Moves a name, over what has the new one unless `replace` forbids it.
    pub(crate) fn rename(
        &self,
        (parent, name): (u64, &OsStr),
        (new_parent, new_name): (u64, &OsStr),
        replace: Replace,
    ) -> Result<(), Errno> {
        let mut names = self.changing();
        let node = self.found(&mut names, parent, name)?;
        let replaced = self.find(&mut names, new_parent, new_name)?;
        if let Some(replaced) = replaced {
            if replace == Replace::Never {
                return Err(Errno::EXIST);
            }
            if replaced == node {
                return Ok(());
            }
            self.check_replaceable(&names, node, replaced)?;
        }
        let mut changes = Vec::new();
        Self::adopt(&names, node, &mut changes)?;
        Self::adopt(&names, new_parent, &mut changes)?;
        changes.push(self.removal(&names, parent, name)?);
        changes.push(Change::Link { parent: new_parent, name: new_name.to_owned(), node });
        // What it replaces may be what frees a full disk; a file that moves takes next to nothing.
        self.commit(&mut names, changes, Room::Frees)?;
        self.touch(&mut names, parent);
        self.touch(&mut names, new_parent);
        if let Some(replaced) = replaced {
            self.drop_unreachable(&mut names, replaced);
        }
        Ok(())
    }

    fn check_replaceable(&self, names: &Names, node: u64, replaced: u64) -> Result<(), Errno> {
        let is_folder = |node| -> Result<bool, Errno> {
            Ok(names.tree.get(node).ok_or(Errno::STALE)?.record.kind == Kind::Folder)
        };
        match (is_folder(node)?, is_folder(replaced)?) {
            (false, true) => Err(Errno::ISDIR),
            (true, false) => Err(Errno::NOTDIR),
            (true, true) if !self.list_in(names, replaced)?.is_empty() => Err(Errno::NOTEMPTY),
            _ => Ok(()),
        }
    }

    /// Sets a folder's time in memory. PostgreSQL doesn't look at it, so that it isn't worth an entry of its own.
    fn touch(&self, names: &mut Names, folder: u64) {
        if let Some(folder) = names.tree.get_mut(folder) {
            folder.record.modified = Some(super::attributes::now());
        }
    }
}

/// Whether a move may replace something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replace {
    Allowed,
    Never,
}

fn check_length(name: &OsStr) -> Result<(), Errno> {
    if name.len() > LONGEST_NAME { Err(Errno::NAMETOOLONG) } else { Ok(()) }
}
