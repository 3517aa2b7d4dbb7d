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

    /// Mounts one of a real kind over a folder, from an image.
    pub(crate) fn format(folder: &Path, kind: &str, megabytes: u32) -> Option<Self> {
        let image = crate::project::open_folder();
        let path = image.path().join("image");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(u64::from(megabytes) << 20).unwrap();
        let made = Command::new(format!("mkfs.{kind}")).arg("-q").arg(&path).output();
        if !made.as_ref().is_ok_and(|output| output.status.success()) {
            println!("skipped: there is no mkfs.{kind}");
            return None;
        }
        let mounted = mount(&["-o", "loop", path.to_str().unwrap()], folder);
        if !mounted {
            println!("skipped: this user can't mount {kind}");
        }
        // The kernel keeps the image until it is unmounted.
        mounted.then(|| {
            std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            Self { folder: folder.to_owned() }
        })
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
