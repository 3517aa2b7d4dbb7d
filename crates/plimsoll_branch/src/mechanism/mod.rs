//! How a branch gets its data: the ways of showing a folder's files a second time, writable, at little cost.
//!
//! A [`Mechanism`] fills a branch's `data`. Those that clone leave an ordinary folder, which needs nobody afterwards. Those
//! that mount keep the branch's own files elsewhere, and `data` shows anything only while the branch's keeper holds the
//! mount; they need their source for as long as the branch is there, unchanged.

mod block_clone;
#[cfg(target_os = "linux")]
mod btrfs;
mod copy;
mod extents;
mod fuse;
#[cfg(target_os = "linux")]
mod overlay;
mod tree;
mod trial;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use plimsoll_pg::server::ServerUser;
use serde::{Deserialize, Serialize};

pub(crate) use copy::estimate as estimated_copy;
pub(crate) use extents::own_bytes;
pub use tree::TreeSize;
pub(crate) use tree::{Leave, make_folder as make_data_folder};

/// A mechanism, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A snapshot of a Btrfs subvolume.
    BtrfsSnapshot,
    /// Files that share their blocks: `FICLONE` (XFS, Btrfs, bcachefs, ZFS from 2.2), `clonefile` (APFS).
    BlockClone,
    /// A file system of our own, which keeps the blocks that a branch writes.
    Fuse,
    /// The kernel's overlay file system: a file is copied whole when it is first written.
    Overlay,
    /// Every byte is copied.
    Copy,
}

impl Kind {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [Self::BtrfsSnapshot, Self::BlockClone, Self::Fuse, Self::Overlay, Self::Copy];

    /// The name, as it is typed and reported.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BtrfsSnapshot => "btrfs-snapshot",
            Self::BlockClone => "block-clone",
            Self::Fuse => "fuse",
            Self::Overlay => "overlay",
            Self::Copy => "copy",
        }
    }

    /// What it costs, for people.
    #[must_use]
    pub const fn cost(self) -> &'static str {
        match self {
            Self::BtrfsSnapshot => "the same small time for any size; only what a branch writes takes room",
            Self::BlockClone => "0.1 to 0.2 ms a file, nothing a byte; only what a branch writes takes room",
            Self::Fuse => {
                "the same small time for any size; only the blocks that a branch writes take room; reading and writing is slower than on the file system itself"
            }
            Self::Overlay => {
                "no time at first, but the first write to a file copies it whole, up to 1 GB: the first minutes are slow and take room"
            }
            Self::Copy => "as long as reading and writing everything takes, and as much room",
        }
    }

    /// The mechanism itself, if this system can have it.
    #[must_use]
    pub fn mechanism(self) -> Option<&'static dyn Mechanism> {
        match self {
            #[cfg(target_os = "linux")]
            Self::BtrfsSnapshot => Some(&btrfs::BtrfsSnapshot),
            #[cfg(target_os = "linux")]
            Self::Overlay => Some(&overlay::Overlay),
            #[cfg(not(target_os = "linux"))]
            Self::BtrfsSnapshot | Self::Overlay => None,
            Self::Fuse => Some(&fuse::Fuse),
            Self::BlockClone => Some(&block_clone::BlockClone),
            Self::Copy => Some(&copy::Copy),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("there is no mechanism {text:?}: use one of {}", names.join(", "))
        })
    }
}

/// A branch's folders, by what a mechanism keeps in them.
#[derive(Clone, Copy, Debug)]
pub struct BranchFolders<'a> {
    folder: &'a Path,
}

impl<'a> BranchFolders<'a> {
    /// Those in a branch's folder.
    #[must_use]
    pub fn of(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// The data directory that the server sees.
    #[must_use]
    pub fn data(self) -> PathBuf {
        self.folder.join("data")
    }

    /// The files of the branch's own, where `data` is a mount.
    #[must_use]
    pub fn own_files(self) -> PathBuf {
        self.folder.join("own")
    }

    /// What a mount needs besides.
    #[must_use]
    pub fn mount_work(self) -> PathBuf {
        self.folder.join("work")
    }
}

/// A mount that lasts as long as this value.
pub trait Mounted: Send + fmt::Debug {
    /// Takes it away, so that nothing of it is left.
    ///
    /// # Errors
    /// When something still uses it.
    fn unmount(self: Box<Self>) -> io::Result<()>;

    /// Why something that was written could not be kept, if that happened.
    fn lost(&self) -> Option<String> {
        None
    }
}

/// A way of making a branch.
pub trait Mechanism: Sync + fmt::Debug {
    /// Which one it is.
    fn kind(&self) -> Kind;

    /// Tries it for real, with a small file or folder in `place`, a folder for it where trunks and branches are. Says why not
    /// in words that complete "can't be used here: …".
    ///
    /// # Errors
    /// When it can't be used there.
    fn probe(&self, place: &Path) -> Result<(), String>;

    /// What it costs here, by a trial with a folder of many files, in words.
    ///
    /// # Errors
    /// When it can't be used there, in words.
    fn measure(&self, place: &Path) -> Result<String, String> {
        trial::measure(self.kind(), place)
    }

    /// Whether it can branch from this folder. Says why not.
    ///
    /// # Errors
    /// When it can't.
    fn can_use(&self, _source: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Makes the folder in which a trunk's data are to be: one that this mechanism can branch from.
    ///
    /// # Errors
    /// When it can't be made.
    fn make_trunk_folder(&self, path: &Path, user: &ServerUser) -> io::Result<()> {
        tree::make_folder(path, user)
    }

    /// Gives a new branch what `source` has. Nobody changes `source` meanwhile.
    ///
    /// # Errors
    /// When files can't be made, or the source isn't where this mechanism can use it.
    fn branch(&self, source: &Path, branch: BranchFolders<'_>, user: &ServerUser) -> io::Result<()>;

    /// Whether the source has to stay as it is for as long as the branch is there.
    fn needs_source(&self) -> bool {
        false
    }

    /// Makes `data` show the branch's files, where that takes a mount.
    ///
    /// # Errors
    /// When it can't be mounted.
    fn mount(
        &self,
        _lower: Option<&Path>,
        _branch: BranchFolders<'_>,
        _user: &ServerUser,
    ) -> io::Result<Option<Box<dyn Mounted>>> {
        Ok(None)
    }

    /// Settings that a server needs on it.
    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Takes away a mount whose keeper was killed, if there is one.
    ///
    /// # Errors
    /// When it can't be taken away.
    fn clear_dead_mount(&self, _branch: BranchFolders<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Mounts an empty folder for trial. What a kill leaves of it is found in `place` as in a branch's folder.
fn try_mount(mechanism: &dyn Mechanism, place: &Path) -> io::Result<()> {
    let folder = tempfile::tempdir_in(place)?;
    let source = folder.path().join("source");
    let branch = BranchFolders::of(folder.path());
    let user = ServerUser::Caller;
    tree::make_folder(&source, &user)?;
    mechanism.branch(&source, branch, &user)?;
    mechanism.mount(Some(&source), branch, &user)?.map_or(Ok(()), Mounted::unmount)
}

/// Copies files into a folder that is there: by cloning them if that is the mechanism, else byte for byte.
pub(crate) fn copy_by(
    kind: Kind,
    source: &Path,
    target: &Path,
    user: &ServerUser,
    leave: Leave<'_>,
) -> io::Result<()> {
    if kind == Kind::BlockClone {
        block_clone::copy_on_write_by_blocks(target);
        block_clone::clone_tree(source, target, user, leave)
    } else {
        tree::copy_tree(source, target, user, leave, &copy::copy_bytes).map(drop)
    }
}

/// The best mechanism that a place offers, a folder to try them in; there is always one.
#[must_use]
pub fn best(place: &Path) -> &'static dyn Mechanism {
    let usable = Kind::ALL.into_iter().filter_map(Kind::mechanism).find(|way| way.probe(place).is_ok());
    usable.unwrap_or(&copy::Copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_mechanism() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert!("magic".parse::<Kind>().unwrap_err().contains("use one of btrfs-snapshot, block-clone"));
    }

    #[test]
    fn there_is_always_one() {
        let folder = tempfile::tempdir().unwrap();
        assert!(best(folder.path()).probe(folder.path()).is_ok());
    }
}
