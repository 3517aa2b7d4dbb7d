//! What a mount is asked for, and what can go wrong.

use std::io;
use std::path::{Path, PathBuf};

/// What to mount where.
#[derive(Clone, Debug)]
pub struct MountOptions {
    /// The folder that is shown and only read. It mustn't change while a delta of it exists.
    pub lower: PathBuf,
    /// The folder of changes: made where it isn't there, used on where it has changes of the same lower folder. On any
    /// file system.
    pub delta: PathBuf,
    /// The empty folder where the view appears.
    pub mountpoint: PathBuf,
    /// User and group that all files are shown to belong to, old and new, whoever owns them below. Without it, old ones
    /// belong to whom they belong below, and new ones to who makes them.
    pub owner: Option<(u32, u32)>,
    /// When writes reach the delta.
    pub write_cache: WriteCache,
    /// What `fsync` does.
    pub durability: Durability,
}

impl MountOptions {
    /// The fast settings, and the lower folder's owners.
    #[must_use]
    pub fn new(lower: impl AsRef<Path>, delta: impl AsRef<Path>, mountpoint: impl AsRef<Path>) -> Self {
        Self {
            lower: lower.as_ref().to_owned(),
            delta: delta.as_ref().to_owned(),
            mountpoint: mountpoint.as_ref().to_owned(),
            owner: None,
            write_cache: WriteCache::default(),
            durability: Durability::default(),
        }
    }
}

/// How the kernel's cache takes writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteCache {
    /// The kernel gathers writes and brings them later, or at `fsync`: faster for bulk work. A write that wasn't synced
    /// is lost where the serving process is killed, and can't be refused any more when the disk is full.
    #[default]
    Back,
    /// Each write is with us when it returns: none is lost where the serving process is killed, and each tells when the
    /// disk is full.
    Through,
}

/// How far `fsync` goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// From the kernel's cache of this mount to the delta's files. They survive the end of the serving process and of
    /// PostgreSQL, not that of the machine.
    #[default]
    Process,
    /// On to the disk, with the journal: the bytes survive a crash of the machine.
    Machine,
}

/// A write that the kernel had taken and that couldn't be kept, for want of space most likely.
#[derive(Debug)]
pub struct LostWrite {
    /// The file, below the mountpoint; none where it is gone.
    pub path: Option<PathBuf>,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// Why.
    pub why: io::Error,
}

/// Why this machine, or this user, can't mount a copy-on-write view.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// Another system.
    #[error("copy-on-write views by FUSE are unsupported here: they need Linux")]
    NotLinux,
    /// The kernel's device is missing or closed.
    #[error(
        "open /dev/fuse: {0}; load the module `fuse`, or give the container the device (`--device /dev/fuse`)"
    )]
    Device(io::Error),
    /// An ordinary user without the program that mounts for them.
    #[error(
        "mount as an ordinary user: there is no `fusermount3` on PATH; install the package `fuse3`, or run as root"
    )]
    NoFusermount,
    /// All is there, and it was refused.
    #[error("mount a copy-on-write view for trial: {0}; in a container, mounting takes CAP_SYS_ADMIN")]
    Refused(String),
}

/// A view couldn't be mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// Not on this machine.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// One of the three folders can't be used.
    #[error("use {} as the {role} folder of a copy-on-write view: {why}", path.display())]
    Folder {
        /// Lower, delta or mountpoint.
        role: &'static str,
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// Two of the folders lie in one another.
    #[error(
        "mount a copy-on-write view: {} lies within {}; the lower folder, the delta and the mountpoint have to lie apart",
        inner.display(),
        outer.display()
    )]
    Overlap {
        /// The one within.
        inner: PathBuf,
        /// The other.
        outer: PathBuf,
    },
    /// Somebody has it mounted.
    #[error("mount the changes in {}: they are mounted already, by this or another process", delta.display())]
    InUse {
        /// The delta folder.
        delta: PathBuf,
    },
    /// The delta can't be read.
    #[error("read the changes in {}: {why}", delta.display())]
    Delta {
        /// The delta folder.
        delta: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// The kernel, or `fusermount3`, refused.
    #[error("mount a copy-on-write view at {}: {why}", mountpoint.display())]
    Mount {
        /// Where.
        mountpoint: PathBuf,
        /// Why not.
        why: io::Error,
    },
}

/// A view couldn't be unmounted as it should.
#[derive(Debug, thiserror::Error)]
pub enum UnmountError {
    /// Still used after some seconds. It is detached: gone from the tree of files, and served to those who have it open
    /// until they end or this process does.
    #[error("unmount {}: programs still have files open in it; it is detached, and goes when they end", mountpoint.display())]
    Busy {
        /// Where it was.
        mountpoint: PathBuf,
    },
    /// Something else.
    #[error("unmount {}: {why}", mountpoint.display())]
    Failed {
        /// Where it is.
        mountpoint: PathBuf,
        /// Why not.
        why: io::Error,
    },
}

/// A delta couldn't be copied.
#[derive(Debug, thiserror::Error)]
#[error("copy the changes in {} to {}: {why}", from.display(), to.display())]
pub struct CopyError {
    /// The delta that was to be copied.
    pub from: PathBuf,
    /// Where the copy was to be.
    pub to: PathBuf,
    /// Why not.
    pub why: io::Error,
}
