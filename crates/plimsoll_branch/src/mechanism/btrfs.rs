//! A snapshot of a Btrfs subvolume: the same small time whatever the number of files.
//!
//! By the kernel's requests themselves, since `btrfs` the program often isn't there. A subvolume that is empty can be
//! removed as a folder can (Linux 4.18), so removal needs nothing of this.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use plimsoll_pg::server::ServerUser;
use rustix::ioctl::{Opcode, Setter, ioctl, opcode};

use super::{BranchFolders, Kind, Mechanism};

/// As above.
#[derive(Debug)]
pub(super) struct BtrfsSnapshot;

/// `struct btrfs_ioctl_vol_args_v2` of `linux/btrfs.h`.
#[repr(C)]
struct VolumeArguments {
    file: i64,
    transaction: u64,
    flags: u64,
    unused: [u64; 4],
    name: [u8; 4040],
}

/// `BTRFS_IOC_SNAP_CREATE_V2`.
const SNAPSHOT: Opcode = opcode::write::<VolumeArguments>(0x94, 23);
/// `BTRFS_IOC_SUBVOL_CREATE_V2`.
const CREATE: Opcode = opcode::write::<VolumeArguments>(0x94, 24);

impl Mechanism for BtrfsSnapshot {
    fn kind(&self) -> Kind {
        Kind::BtrfsSnapshot
    }

    fn probe(&self, base: &Path) -> Result<(), String> {
        let folder = tempfile::tempdir_in(base).map_err(|why| format!("{}: {why}", base.display()))?;
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        create(&one)
            .and_then(|()| snapshot(&one, &other))
            .map_err(|why| format!("the file system makes no snapshots of folders ({why})"))
    }

    fn can_use(&self, source: &Path) -> Result<(), String> {
        use std::os::unix::fs::MetadataExt as _;
        // The root of every subvolume has this number.
        match source.metadata() {
            Ok(metadata) if metadata.ino() == 256 => Ok(()),
            _ => Err("its parent's folder isn't a subvolume".to_owned()),
        }
    }

    fn make_trunk_folder(&self, path: &Path, user: &ServerUser) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        create(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
        user.own(path)
    }

    fn branch(&self, source: &Path, branch: BranchFolders<'_>, _user: &ServerUser) -> io::Result<()> {
        snapshot(source, &branch.data())
    }
}

fn create(path: &Path) -> io::Result<()> {
    let (folder, arguments) = arguments(path, 0)?;
    // SAFETY: the request reads a `struct btrfs_ioctl_vol_args_v2`, which `VolumeArguments` is.
    Ok(unsafe { ioctl(&folder, Setter::<CREATE, VolumeArguments>::new(arguments)) }?)
}

fn snapshot(source: &Path, target: &Path) -> io::Result<()> {
    let source = File::open(source)?;
    let (folder, arguments) = arguments(target, source.as_raw_fd().into())?;
    // SAFETY: as above; the source's descriptor is open until after the request.
    Ok(unsafe { ioctl(&folder, Setter::<SNAPSHOT, VolumeArguments>::new(arguments)) }?)
}

/// The folder that the new one is made in, and the request for it.
fn arguments(path: &Path, file: i64) -> io::Result<(File, VolumeArguments)> {
    let bad = || io::Error::from(io::ErrorKind::InvalidInput);
    let name = path.file_name().map(OsStr::as_bytes).ok_or_else(bad)?;
    let mut arguments = VolumeArguments { file, transaction: 0, flags: 0, unused: [0; 4], name: [0; 4040] };
    // One zero byte has to remain at the end.
    arguments.name[..4039].get_mut(..name.len()).ok_or_else(bad)?.copy_from_slice(name);
    Ok((File::open(path.parent().ok_or_else(bad)?)?, arguments))
}
