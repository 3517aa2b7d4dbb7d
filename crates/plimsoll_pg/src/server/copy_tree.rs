//! Copies a data directory, quickly.
//!
//! The standard library's copy shares blocks where the file system can (XFS, Btrfs, APFS). The
//! cost is per file: opening, creating, closing about a thousand of them.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::server_user::ServerUser;

/// Copying is system calls, not computation: two threads keep two cores in the kernel.
const THREADS: usize = 2;

/// How much there is in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TreeSize {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl TreeSize {
    /// Measures a folder.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut size = Self::default();
        for file in list(folder)?.files {
            size.add(folder.join(file).metadata()?.len());
        }
        Ok(size)
    }

    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// Copies the tree `source` to `target`, which must not exist, and gives it to `user`. Says
/// how much was copied.
pub(super) fn copy_tree(source: &Path, target: &Path, user: &ServerUser) -> io::Result<TreeSize> {
    let Listing { folders, files } = list(source)?;
    for folder in &folders {
        let folder = target.join(folder);
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        user.own(&folder)?;
    }
    let share = files.len().div_ceil(THREADS).max(1);
    let mut size = TreeSize::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(share)
            .map(|files| scope.spawn(move || copy_files(source, target, files, user)))
            .collect();
        for worker in workers {
            let copied = worker.join().map_err(|_| io::Error::other("a copying thread panicked"))??;
            size.files += copied.files;
            size.bytes += copied.bytes;
        }
        Ok(size)
    })
}

/// Moves the tree `source` to `target`, which must not exist: by its name, or by a copy to another file system.
pub(super) fn move_tree(source: &Path, target: &Path, user: &ServerUser) -> io::Result<()> {
    match std::fs::rename(source, target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let copied = copy_tree(source, target, user).map(drop);
            if copied.is_err() {
                // What stopped the copy is what counts.
                std::fs::remove_dir_all(target).ok();
            }
            copied
        }
        moved => moved,
    }
}

fn copy_files(source: &Path, target: &Path, files: &[PathBuf], user: &ServerUser) -> io::Result<TreeSize> {
    let mut size = TreeSize::default();
    for file in files {
        let copy = target.join(file);
        size.add(std::fs::copy(source.join(file), &copy)?);
        user.own(&copy)?;
    }
    Ok(size)
}

struct Listing {
    /// Relative, parents before children, the first one empty: the root itself.
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

fn list(root: &Path) -> io::Result<Listing> {
    let mut listing = Listing { folders: vec![PathBuf::new()], files: Vec::new() };
    let mut next = 0;
    while let Some(folder) = listing.folders.get(next).cloned() {
        next += 1;
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let relative = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                listing.folders.push(relative);
            } else if kind.is_file() {
                listing.files.push(relative);
            } else {
                // A link could lead out of the folder; `initdb` makes none.
                return Err(io::Error::new(io::ErrorKind::NotFound, "a link where a file should be"));
            }
        }
    }
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_all_files_and_says_how_much_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        std::fs::create_dir_all(source.join("base/1")).unwrap();
        std::fs::create_dir(source.join("empty")).unwrap();
        std::fs::write(source.join("PG_VERSION"), "18\n").unwrap();
        std::fs::write(source.join("base/1/1259"), [7; 8192]).unwrap();
        let target = folder.path().join("target");

        let size = copy_tree(&source, &target, &ServerUser::Caller).unwrap();

        assert_eq!(size, TreeSize { files: 2, bytes: 8195 });
        assert_eq!(size, TreeSize::of(&target).unwrap());
        assert!(target.join("empty").is_dir());
        assert_eq!(std::fs::read(target.join("base/1/1259")).unwrap(), [7; 8192]);
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        std::fs::create_dir(&source).unwrap();
        std::os::unix::fs::symlink("/", source.join("pg_wal")).unwrap();
        let error = copy_tree(&source, &folder.path().join("target"), &ServerUser::Caller).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
