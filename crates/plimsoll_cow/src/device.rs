//! `/dev/fuse`, and the mount itself: by the kernel for root, by `fusermount3` for everybody else.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::mount::{MountFlags, UnmountFlags};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::options::{MountError, Unavailable};

/// What our mounts are called in `/proc/self/mountinfo`.
pub(crate) const FILE_SYSTEM: &str = "fuse.plimsoll";
const SOURCE: &str = "plimsoll";
const DEVICE: &str = "/dev/fuse";

/// Who may see a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    ByUs,
    ByAll,
}

/// Opens the kernel's device.
pub(crate) fn open_device() -> Result<File, Unavailable> {
    File::options()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::CLOEXEC.bits().cast_signed())
        .open(DEVICE)
        .map_err(Unavailable::Device)
}

/// Mounts, and returns the device by which the mount is served.
pub(crate) fn mount_device(mountpoint: &Path, seen: Seen) -> Result<OwnedFd, MountError> {
    if rustix::process::geteuid().is_root() {
        mount_by_kernel(mountpoint, seen)
    } else {
        mount_by_fusermount(mountpoint)
    }
}

fn mount_by_kernel(mountpoint: &Path, seen: Seen) -> Result<OwnedFd, MountError> {
    let device = open_device()?;
    let options = format!(
        "fd={},rootmode=40000,user_id={},group_id={},default_permissions{}",
        device.as_raw_fd(),
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
        match seen {
            Seen::ByUs => "",
            Seen::ByAll => ",allow_other",
        }
    );
    let options = CString::new(options).expect("numbers and words have no zero byte");
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOATIME;
    rustix::mount::mount(SOURCE, mountpoint, FILE_SYSTEM, flags, options.as_c_str())
        .map_err(|error| MountError::Mount { mountpoint: mountpoint.to_owned(), why: error.into() })?;
    Ok(device.into())
}

fn mount_by_fusermount(mountpoint: &Path) -> Result<OwnedFd, MountError> {
    // It opens the device itself; without one it would only say so in its own words.
    open_device()?;
    let program = fusermount().ok_or(Unavailable::NoFusermount)?;
    let failed = |why| MountError::Mount { mountpoint: mountpoint.to_owned(), why };
    let (ours, its) = UnixStream::pair().map_err(failed)?;
    let child = Command::new(program)
        .args(["-o", "fsname=plimsoll,subtype=plimsoll,default_permissions,nosuid,nodev,noatime", "--"])
        .arg(mountpoint)
        .env("_FUSE_COMMFD", "0")
        .stdin(Stdio::from(OwnedFd::from(its)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let received = receive_descriptor(&ours);
    let output = child.wait_with_output().map_err(failed)?;
    match received {
        Ok(Some(device)) => Ok(device),
        Ok(None) => Err(failed(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))),
        Err(why) => Err(failed(why)),
    }
}

fn receive_descriptor(socket: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    Ok(ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    }))
}

/// The program that mounts for ordinary users, where there is one.
pub(crate) fn fusermount() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(["/usr/bin", "/bin"].map(PathBuf::from)).collect();
    ["fusermount3", "fusermount"]
        .iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file()))
}

/// How to unmount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmount {
    /// Only where nobody uses it.
    Unused,
    /// Out of the tree of files at once, whoever uses it.
    Detach,
}

/// Unmounts what is mounted there.
pub(crate) fn unmount_device(mountpoint: &Path, how: Unmount) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        let flags = match how {
            Unmount::Unused => UnmountFlags::NOFOLLOW,
            Unmount::Detach => UnmountFlags::NOFOLLOW | UnmountFlags::DETACH,
        };
        return Ok(rustix::mount::unmount(mountpoint, flags)?);
    }
    let program = fusermount().ok_or_else(|| io::Error::other(Unavailable::NoFusermount))?;
    let mut command = Command::new(program);
    command.arg("-u");
    if how == Unmount::Detach {
        command.arg("-z");
    }
    let output = command.arg("--").arg(mountpoint).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if said.contains("busy") { Err(io::ErrorKind::ResourceBusy.into()) } else { Err(io::Error::other(said)) }
}
