//! The kernel's overlay file system, for root where no file system clones.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use plimsoll_pg::server::ServerUser;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::tree::make_folder;
use super::{BranchFolders, Kind, Mechanism, Mounted};

/// As above.
#[derive(Debug)]
pub(super) struct Overlay;

impl Mechanism for Overlay {
    fn kind(&self) -> Kind {
        Kind::Overlay
    }

    fn probe(&self, place: &Path) -> Result<(), String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root mounts it".to_owned());
        }
        super::try_mount(self, place).map_err(|why| format!("the kernel refuses to mount it there ({why})"))
    }

    fn branch(&self, _source: &Path, branch: BranchFolders<'_>, user: &ServerUser) -> io::Result<()> {
        for folder in [branch.data(), branch.own_files(), branch.mount_work()] {
            make_folder(&folder, user)?;
        }
        Ok(())
    }

    fn needs_source(&self) -> bool {
        true
    }

    fn mount(
        &self,
        lower: Option<&Path>,
        branch: BranchFolders<'_>,
        _user: &ServerUser,
    ) -> io::Result<Option<Box<dyn Mounted>>> {
        self.clear_dead_mount(branch)?;
        let lower = lower.ok_or_else(|| io::Error::other("its manifest names no folder below it"))?;
        // A colon would begin another lower folder, a comma another option.
        let escaped = |path: &Path| {
            let text = path.to_string_lossy();
            text.replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
        };
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            escaped(lower),
            escaped(&branch.own_files()),
            escaped(&branch.mount_work())
        );
        let options = CString::new(options.into_bytes())?;
        let point = branch.data();
        mount("plimsoll", point.as_os_str().as_bytes(), "overlay", MountFlags::NOATIME, options.as_c_str())?;
        Ok(Some(Box::new(MountedOverlay { point })))
    }

    /// This kernel's mount needs no process; one is left when a keeper is killed.
    fn clear_dead_mount(&self, branch: BranchFolders<'_>) -> io::Result<()> {
        match unmount(branch.data().as_os_str().as_bytes(), UnmountFlags::DETACH) {
            // Nothing is mounted there, or there is no folder.
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }
}

#[derive(Debug)]
struct MountedOverlay {
    point: PathBuf,
}

impl Mounted for MountedOverlay {
    fn unmount(self: Box<Self>) -> io::Result<()> {
        Ok(unmount(self.point.as_os_str().as_bytes(), UnmountFlags::DETACH)?)
    }
}
