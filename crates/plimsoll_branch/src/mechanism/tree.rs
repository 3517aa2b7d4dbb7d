//! Walks a data directory and copies or clones its files, several at a time.
//!
//! The cost is per file, not per byte: opening, creating, sharing, closing. PostgreSQL puts other storage behind symbolic
//! links (`pg_wal`, `pg_tblspc/…`); what they lead to becomes part of the copy, so that no copy shares storage with
//! its source.

use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use plimsoll_pg::server::ServerUser;

/// How much there is in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeSize {
    /// How many files.
    pub files: u64,
    /// Their lengths together.
    pub bytes: u64,
}

/// Tells by its relative path what isn't copied.
pub(crate) type Leave<'a> = &'a (dyn Fn(&Path) -> bool + Sync);

/// Makes a file that has what another one has, and returns it.
pub(crate) type CopyFile<'a> = &'a (dyn Fn(&File, &Path) -> io::Result<File> + Sync);

/// A file of the kernel's bookkeeping costs more than a thread can hide; more than this many threads only wait for each
/// other's folder.
const MOST_THREADS: usize = 4;

impl TreeSize {
    /// Measures a folder, without following links.
    ///
    /// # Errors
    /// When something in it can't be looked at.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut size = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else {
                    size.files += 1;
                    size.bytes += metadata.len();
                }
            }
        }
        Ok(size)
    }
}

/// Makes a folder that only the server's user can enter.
pub(crate) fn make_folder(path: &Path, user: &ServerUser) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)?;
    user.own(path)
}

/// Makes a file that only its owner can read.
pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Copies the tree `source` into the folder `target`, which is there and empty.
pub(crate) fn copy_tree(
    source: &Path,
    target: &Path,
    user: &ServerUser,
    leave: Leave<'_>,
    copy_file: CopyFile<'_>,
) -> io::Result<TreeSize> {
    let files = make_folders(source, target, user, leave)?;
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(MOST_THREADS);
    let work = Work { source, target, user, copy_file, files: &files, ..Work::default() };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work.run());
        }
    });
    match work.failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(why) => Err(why),
        None => Ok(TreeSize { files: files.len() as u64, bytes: work.bytes.into_inner() }),
    }
}

/// Makes all folders, and returns all files, relative to the source.
fn make_folders(
    source: &Path,
    target: &Path,
    user: &ServerUser,
    leave: Leave<'_>,
) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(source.join(&folder)).map_err(|why| named(why, &source.join(&folder)))?
        {
            let entry = entry?;
            let relative = folder.join(entry.file_name());
            if leave(&relative) {
                continue;
            }
            let mut kind = entry.file_type()?;
            if kind.is_symlink() {
                match std::fs::metadata(entry.path()) {
                    Ok(metadata) => kind = metadata.file_type(),
                    Err(why) => return Err(named(why, &entry.path())),
                }
            }
            if kind.is_dir() {
                make_folder(&target.join(&relative), user)
                    .map_err(|why| named(why, &target.join(&relative)))?;
                folders.push(relative);
            } else if kind.is_file() {
                files.push(relative);
            }
            // A socket or a pipe isn't data.
        }
    }
    Ok(files)
}

struct Work<'a> {
    source: &'a Path,
    target: &'a Path,
    user: &'a ServerUser,
    copy_file: CopyFile<'a>,
    files: &'a [PathBuf],
    next: AtomicUsize,
    bytes: AtomicU64,
    stopped: AtomicBool,
    failed: Mutex<Option<io::Error>>,
}

impl Default for Work<'_> {
    fn default() -> Self {
        Self {
            source: Path::new(""),
            target: Path::new(""),
            user: &ServerUser::Caller,
            copy_file: &|_, _| Err(io::ErrorKind::Unsupported.into()),
            files: &[],
            next: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            failed: Mutex::new(None),
        }
    }
}

impl Work<'_> {
    fn run(&self) {
        while !self.stopped.load(Ordering::Relaxed) {
            let position = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = self.files.get(position) else { return };
            if let Err(why) = self.copy(file) {
                self.stopped.store(true, Ordering::Relaxed);
                let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                failed.get_or_insert(why);
            }
        }
    }

    fn copy(&self, file: &Path) -> io::Result<()> {
        let (from, to) = (self.source.join(file), self.target.join(file));
        let source = match File::open(&from) {
            Ok(source) => source,
            // The source may be a server at work, which removes files; what it wrote of that is in its WAL.
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(why) => return Err(named(why, &from)),
        };
        let target = (self.copy_file)(&source, &to).map_err(|why| named(why, &to))?;
        self.user.own_open(&target)?;
        self.bytes.fetch_add(target.metadata()?.len(), Ordering::Relaxed);
        Ok(())
    }
}

/// The error, with the file that it is about.
fn named(why: io::Error, path: &Path) -> io::Error {
    io::Error::new(why.kind(), format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::copy::copy_bytes;

    #[test]
    fn links_become_what_they_lead_to() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("source"), folder.path().join("target"));
        std::fs::create_dir_all(source.join("pg_tblspc")).unwrap();
        std::fs::create_dir_all(folder.path().join("elsewhere/PG_18")).unwrap();
        std::fs::write(folder.path().join("elsewhere/PG_18/1259"), [7; 8192]).unwrap();
        std::fs::write(source.join("postmaster.pid"), "1").unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), source.join("pg_tblspc/16400")).unwrap();
        std::fs::create_dir(&target).unwrap();

        let leave = |path: &Path| path == Path::new("postmaster.pid");
        let size = copy_tree(&source, &target, &ServerUser::Caller, &leave, &copy_bytes).unwrap();

        assert_eq!(size, TreeSize { files: 1, bytes: 8192 });
        assert_eq!(size, TreeSize::of(&target).unwrap());
        assert!(target.join("pg_tblspc/16400").symlink_metadata().unwrap().is_dir());
        assert_eq!(std::fs::read(target.join("pg_tblspc/16400/PG_18/1259")).unwrap(), [7; 8192]);
        assert!(!target.join("postmaster.pid").exists());
    }

    #[test]
    fn a_link_to_nowhere_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("source"), folder.path().join("target"));
        std::fs::create_dir(&source).unwrap();
        std::fs::create_dir(&target).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", source.join("pg_wal")).unwrap();
        let error = copy_tree(&source, &target, &ServerUser::Caller, &|_| false, &copy_bytes)
            .unwrap_err()
            .to_string();
        assert!(error.contains("pg_wal"), "{error}");
    }
}
