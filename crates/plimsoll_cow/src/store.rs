//! The two folders under a mount: the lower one, which is only read, and ours.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Mode, OFlags, Stat, openat, statat, unlinkat};
use rustix::io::Errno;

/// Name of the journal in a delta folder.
pub(crate) const JOURNAL: &str = "journal";
/// Name of the folder of changed files in a delta folder; a file's name is its node's number.
pub(crate) const DATA: &str = "data";
/// Name of the file whose lock says that a delta folder is mounted.
const LOCK: &str = "lock";

/// The two folders, open.
#[derive(Debug)]
pub(crate) struct Store {
    lower: OwnedFd,
    data: OwnedFd,
    delta: PathBuf,
    /// Held as long as we live: the lock goes with it.
    _lock: File,
}

/// A program that is just being started by the last holder, in another of its threads, holds the lock until it begins.
const PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Opens both; nothing where the delta is mounted by somebody else.
    pub(crate) fn open(lower: &Path, delta: &Path) -> io::Result<Option<Self>> {
        std::fs::create_dir_all(delta.join(DATA))?;
        let lock = File::options().write(true).create(true).truncate(false).open(delta.join(LOCK))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(std::fs::TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(None),
                Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        let folder = |path: &Path| {
            rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        };
        Ok(Some(Self {
            lower: folder(lower)?,
            data: folder(&delta.join(DATA))?,
            delta: delta.to_owned(),
            _lock: lock,
        }))
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.delta.join(JOURNAL)
    }

    pub(crate) fn data(&self) -> &OwnedFd {
        &self.data
    }

    /// What the lower folder has there; a symbolic link isn't followed.
    pub(crate) fn lower_stat(&self, path: &Path) -> Result<Stat, Errno> {
        statat(&self.lower, or_dot(path), AtFlags::SYMLINK_NOFOLLOW)
    }

    pub(crate) fn lower_link(&self, path: &Path) -> Result<Vec<u8>, Errno> {
        Ok(rustix::fs::readlinkat(&self.lower, path, Vec::new())?.into_bytes())
    }

    pub(crate) fn open_lower(&self, path: &Path) -> Result<OwnedFd, Errno> {
        // The time of the last access stays what it was, where we may ask for that.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        openat(&self.lower, or_dot(path), flags | OFlags::NOATIME, Mode::empty()).or_else(|error| match error
        {
            Errno::PERM => openat(&self.lower, or_dot(path), flags, Mode::empty()),
            error => Err(error),
        })
    }

    pub(crate) fn open_delta(&self, node: u64) -> Result<OwnedFd, Errno> {
        openat(&self.data, data_name(node), OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
    }

    pub(crate) fn create_delta(&self, node: u64) -> Result<OwnedFd, Errno> {
        // A file of that name was never taken into the journal.
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
        openat(&self.data, data_name(node), flags, Mode::RUSR | Mode::WUSR)
    }

    pub(crate) fn remove_delta(&self, node: u64) {
        // What stays is swept at the next start.
        let _ = unlinkat(&self.data, data_name(node), AtFlags::empty());
    }

    /// The nodes that have a file in the delta folder.
    pub(crate) fn delta_nodes(&self) -> io::Result<Vec<u64>> {
        let entries = std::fs::read_dir(self.delta.join(DATA))?;
        let mut nodes = Vec::new();
        for entry in entries {
            nodes.extend(entry?.file_name().to_str().and_then(|name| u64::from_str_radix(name, 16).ok()));
        }
        Ok(nodes)
    }
}

/// Name of a node's file in the folder of changed files.
pub(crate) fn data_name(node: u64) -> String {
    format!("{node:x}")
}

fn or_dot(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
