//! Files that share their blocks until one of them is written: XFS, Btrfs, bcachefs, ZFS from 2.2, APFS.

use std::fs::File;
use std::io;
use std::path::Path;

use plimsoll_pg::server::ServerUser;

use super::tree::{copy_tree, make_folder};
use super::{BranchFolders, Kind, Mechanism};

/// As above.
#[derive(Debug)]
pub(super) struct BlockClone;

impl Mechanism for BlockClone {
    fn kind(&self) -> Kind {
        Kind::BlockClone
    }

    fn probe(&self, base: &Path) -> Result<(), String> {
        let folder = tempfile::tempdir_in(base).map_err(|why| format!("{}: {why}", base.display()))?;
        std::fs::write(folder.path().join("source"), [7; 8192])
            .and_then(|()| File::open(folder.path().join("source")))
            .and_then(|source| clone_as(&source, &folder.path().join("target")))
            .map(drop)
            .map_err(|why| format!("the file system doesn't clone files ({why})"))
    }

    fn branch(&self, source: &Path, branch: BranchFolders<'_>, user: &ServerUser) -> io::Result<()> {
        make_folder(&branch.data(), user)?;
        copy_on_write_by_blocks(&branch.data());
        clone_tree(source, &branch.data(), user, &|_| false)
    }
}

/// Clones a tree into a folder that is there.
pub(crate) fn clone_tree(
    source: &Path,
    target: &Path,
    user: &ServerUser,
    leave: super::Leave<'_>,
) -> io::Result<()> {
    copy_tree(source, target, user, leave, &clone_as).map(drop)
}

#[cfg(target_os = "macos")]
fn clone_as(source: &File, target: &Path) -> io::Result<File> {
    rustix::fs::fclonefileat(source, rustix::fs::CWD, target, rustix::fs::CloneFlags::empty())?;
    File::open(target)
}

#[cfg(not(target_os = "macos"))]
fn clone_as(source: &File, target: &Path) -> io::Result<File> {
    let target = super::tree::make_file(target)?;
    rustix::fs::ioctl_ficlone(&target, source)?;
    Ok(target)
}

/// XFS sets aside 128 KiB for each page of 8 KiB that is copied on write, 8 to 14 times the room, unless told otherwise.
/// Files and folders made below inherit it. Elsewhere it means nothing, and fails.
#[cfg(target_os = "linux")]
pub(super) fn copy_on_write_by_blocks(folder: &Path) {
    use rustix::ioctl::{Getter, Setter, ioctl, opcode};

    /// `struct fsxattr` of `linux/fs.h`.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Attributes {
        flags: u32,
        extent_size: u32,
        extents: u32,
        project: u32,
        copy_on_write_extent_size: u32,
        padding: [u8; 8],
    }
    /// `FS_XFLAG_COWEXTSIZE`.
    const HAS_COPY_ON_WRITE_EXTENT_SIZE: u32 = 0x0001_0000;
    const GET: rustix::ioctl::Opcode = opcode::read::<Attributes>(b'X', 31);
    const SET: rustix::ioctl::Opcode = opcode::write::<Attributes>(b'X', 32);

    let Ok(file) = File::open(folder) else { return };
    // SAFETY: the two requests read and write a `struct fsxattr`, which `Attributes` is.
    let changed = unsafe {
        ioctl(&file, Getter::<GET, Attributes>::new()).and_then(|mut attributes| {
            attributes.flags |= HAS_COPY_ON_WRITE_EXTENT_SIZE;
            attributes.copy_on_write_extent_size = 8192;
            ioctl(&file, Setter::<SET, Attributes>::new(attributes))
        })
    };
    // It saves room, no more.
    changed.ok();
}

#[cfg(not(target_os = "linux"))]
pub(super) fn copy_on_write_by_blocks(_folder: &Path) {}
