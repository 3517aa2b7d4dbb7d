//! Mounts of ours whose serving process was killed.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::device::{FILE_SYSTEM, Unmount, unmount_device};

/// Detaches the mount there, where it is one of ours whose serving process is gone; says whether there was one. Any other
/// mount, ours that is served included, stays.
///
/// # Errors
/// When the mounts can't be read, or the dead one can't be detached.
pub fn clear_dead_mount(mountpoint: &Path) -> io::Result<bool> {
    let Some(mountpoint) = without_touching(mountpoint)? else { return Ok(false) };
    let mut cleared = false;
    // Several may lie on top of each other, where each was mounted over a dead one.
    while top_mount(&std::fs::read("/proc/self/mountinfo")?, &mountpoint)
        .is_some_and(|kind| kind == FILE_SYSTEM)
        // Attributes would come from the kernel's cache; this is always asked.
        && rustix::fs::statvfs(&mountpoint).is_err_and(|error| error == Errno::NOTCONN)
    {
        unmount_device(&mountpoint, Unmount::Detach)?;
        cleared = true;
    }
    Ok(cleared)
}

/// The real path, without a look at its last part: that fails on a dead mount.
fn without_touching(path: &Path) -> io::Result<Option<PathBuf>> {
    let absolute = std::path::absolute(path)?;
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else { return Ok(None) };
    match parent.canonicalize() {
        Ok(parent) => Ok(Some(parent.join(name))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file system of the last mount at this path, which is the one that is seen.
fn top_mount(mountinfo: &[u8], mountpoint: &Path) -> Option<String> {
    mountinfo.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let path = unescaped(fields.nth(4)?);
        if path.as_bytes() != mountpoint.as_os_str().as_bytes() {
            return None;
        }
        // Behind a dash, since the number of optional fields before it varies.
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
        Some(String::from_utf8_lossy(kind).into_owned())
    })
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind
            .first_chunk::<3>()
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = octal {
            bytes.push(byte);
            rest = &behind[3..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &[u8] = b"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
61 22 0:40 / /a\\040b\\134c rw,nosuid - fuse.plimsoll plimsoll rw,user_id=0
62 22 0:41 / /twice rw - fuse.plimsoll plimsoll rw
63 62 0:42 / /twice rw shared:7 master:2 - tmpfs none rw
";

    fn check(mountpoint: &str, expected: Option<&str>) {
        assert_eq!(top_mount(MOUNTINFO, Path::new(mountpoint)).as_deref(), expected, "{mountpoint}");
    }

    #[test]
    fn the_mount_on_top_counts() {
        check("/", Some("ext4"));
        check("/twice", Some("tmpfs"));
        check("/nowhere", None);
    }

    #[test]
    fn blanks_and_backslashes_are_unescaped() {
        check("/a b\\c", Some("fuse.plimsoll"));
    }

    #[test]
    fn what_is_no_mount_stays() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!clear_dead_mount(folder.path()).unwrap());
        assert!(!clear_dead_mount(&folder.path().join("missing/deeper")).unwrap());
        assert!(!clear_dead_mount(Path::new("/proc")).unwrap());
    }
}
