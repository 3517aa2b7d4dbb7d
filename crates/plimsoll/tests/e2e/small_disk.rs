//! A file system of its own in memory, for tests of full and read-only disks. Only root can mount
//! one; elsewhere those tests say so and end.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system. It is unmounted with this value.
pub(crate) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one over a folder.
    pub(crate) fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        let options = format!("size={megabytes}m,mode=0755");
        let mounted = mount(&["-t", "tmpfs", "-o", &options, "plimsoll-test"], folder);
        if !mounted {
            println!("skipped: this user can't mount a file system");
        }
        mounted.then(|| Self { folder: folder.to_owned() })
    }

    pub(crate) fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.folder));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(&self.folder).status().unwrap();
        assert!(status.success());
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}
