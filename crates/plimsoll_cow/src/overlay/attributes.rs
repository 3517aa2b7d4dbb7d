//! Attributes: from the delta's file where there is one, else from the lower folder, with what was set over it.

use rustix::fs::{Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::Errno;

use super::{Names, Overlay};
use crate::file::size;
use crate::journal::{Change, Content, Kind, Record, Room, Time};

/// What `stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) node: u64,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) links: u32,
    pub(crate) size: u64,
    /// Of 512 bytes.
    pub(crate) sectors: u64,
    pub(crate) modified: Time,
    pub(crate) changed: Time,
}

/// What is to be set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) mode: Option<u32>,
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<Time>,
}

/// Whose a new node is, where the mount has no owner for all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewOwner {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Overlay {
    /// What `stat` tells.
    pub(crate) fn attributes(&self, node: u64) -> Result<Attributes, Errno> {
        self.attributes_in(&self.reading(), node)
    }

    pub(super) fn attributes_in(&self, names: &Names, node: u64) -> Result<Attributes, Errno> {
        let found = names.tree.get(node).ok_or(Errno::STALE)?;
        let record = &found.record;
        let delta = match record.content {
            Content::Lower => None,
            Content::Whole | Content::Blocks => self.file_in(names, node)?.delta_stat(&self.store)?,
        };
        let in_delta = delta.is_some();
        let stat = match (delta, &record.origin) {
            (Some(stat), _) => Some(stat),
            (None, Some(origin)) => Some(self.store.lower_stat(origin)?),
            (None, None) => None,
        };
        let set = record.modified.filter(|_| !in_delta);
        let modified = set.or_else(|| stat.as_ref().map(modified)).unwrap_or_default();
        let (user, group) = record
            .owner
            .or(self.owner)
            .or_else(|| stat.as_ref().map(|stat| (stat.st_uid, stat.st_gid)))
            .unwrap_or_default();
        Ok(Attributes {
            node,
            kind: record.kind,
            mode: record.mode,
            user,
            group,
            // One for a folder says that links don't count its subfolders.
            links: if record.kind == Kind::Folder {
                1
            } else {
                u32::try_from(found.places.len()).unwrap_or(u32::MAX)
            },
            size: match (&record.target, &stat) {
                (Some(target), _) => target.len() as u64,
                (None, Some(stat)) => size(stat),
                (None, None) => 0,
            },
            sectors: stat.as_ref().map_or(0, |stat| u64::try_from(stat.st_blocks).unwrap_or(0)),
            modified,
            changed: stat.as_ref().map_or(modified, changed),
        })
    }

    /// Sets attributes; a length first, as the others then hold for the outcome.
    pub(crate) fn set_attributes(&self, node: u64, changes: Changes) -> Result<Attributes, Errno> {
        if let Some(size) = changes.size {
            self.truncate(node, size)?;
        }
        let mut names = self.changing();
        let found = names.tree.get(node).ok_or(Errno::STALE)?;
        let before = &found.record;
        let mut record = Record { ..before.clone() };
        if let Some(mode) = changes.mode {
            record.mode = mode & 0o7777;
        }
        if changes.user.is_some() || changes.group.is_some() {
            let now = self.attributes_in(&names, node)?;
            let owner = (changes.user.unwrap_or(now.user), changes.group.unwrap_or(now.group));
            record.owner = Some(owner);
        }
        if let Some(time) = changes.modified {
            let delta = match record.content {
                Content::Lower => None,
                Content::Whole | Content::Blocks => self.file_in(&names, node)?.delta_if_any(&self.store)?,
            };
            match delta {
                // The file itself keeps the time: no entry for each of the many that the kernel sends.
                Some(delta) => rustix::fs::futimens(&*delta, &only_modified(time))?,
                None => record.modified = Some(time),
            }
        }
        if record != *before {
            let mut journaled = Vec::new();
            Self::adopt(&names, node, &mut journaled)?;
            journaled.push(Change::Node(node, record));
            self.commit(&mut names, journaled, Room::Takes)?;
        }
        self.attributes_in(&names, node)
    }

    /// A new node's record.
    pub(super) fn new_record(&self, kind: Kind, mode: u32, owner: NewOwner) -> Record {
        Record {
            kind,
            content: if kind == Kind::File { Content::Whole } else { Content::Lower },
            mode: mode & 0o7777,
            owner: if self.owner.is_some() { None } else { Some((owner.user, owner.group)) },
            modified: if kind == Kind::File { None } else { Some(now()) },
            origin: None,
            target: None,
        }
    }
}

/// The time of the call.
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_secs()).unwrap_or(0), since.subsec_nanos())
}

fn modified(stat: &Stat) -> Time {
    (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0))
}

fn changed(stat: &Stat) -> Time {
    (stat.st_ctime, u32::try_from(stat.st_ctime_nsec).unwrap_or(0))
}

fn only_modified((seconds, nanoseconds): Time) -> Timestamps {
    const { assert!(UTIME_OMIT != UTIME_NOW) };
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() },
    }
}
