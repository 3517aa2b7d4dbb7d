//! Prepared data directories: `initdb` runs once for each server, later servers get a copy.
//!
//! `initdb` takes about a second, a copy a tenth of it. A template is made in a folder beside
//! its place and renamed when it is complete. Its description counts files and bytes, so that
//! a damaged template shows when it is copied, and is made again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::binaries::Binaries;
use super::cache::{Cache, create_cache_folder};
use super::copy_tree::{TreeSize, copy_tree};
use super::initdb::{self, InitdbError};
use super::lock_file::{LockKind, lock, open_lock_file};
use super::server_user::{ServerUser, ServerUserError};
use super::template_key::{TemplateDescription, template_key};
use super::watchdog::Watchdog;

/// How long to wait for another program that makes the same template.
const PATIENCE: Duration = Duration::from_secs(120);

/// A data directory could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The cache can't be written or read.
    #[error("{action} {}: {why}; free space there, or set PLIMSOLL_CACHE to a folder that can be written", path.display())]
    Cache {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// `initdb` failed.
    #[error("prepare a data directory in {}: {why}; if there is no room, free some or set PLIMSOLL_CACHE to another folder", folder.display())]
    Initdb {
        /// Where.
        folder: PathBuf,
        /// Why it failed.
        why: InitdbError,
    },
    /// The copy can't be written.
    #[error("copy a prepared data directory to {}: {why}; free space there, or set TMPDIR to another folder", path.display())]
    Copy {
        /// Where to.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// The server's user can't get at the cache.
    #[error(transparent)]
    User(#[from] ServerUserError),
}

/// Where the template of one server is, and how to make it.
#[derive(Debug)]
pub(super) struct Template<'a> {
    binaries: &'a Binaries,
    user: &'a ServerUser,
    templates: PathBuf,
    key: String,
}

impl<'a> Template<'a> {
    pub(super) fn new(binaries: &'a Binaries, cache: &Cache, user: &'a ServerUser) -> Self {
        Self { binaries, user, templates: cache.templates(), key: template_key(binaries) }
    }

    /// Makes `data` a fresh data directory, from the template. Makes the template first where
    /// it is missing, and again where it turns out to be damaged.
    pub(super) fn copy_to(&self, data: &Path) -> Result<(), TemplateError> {
        let lock_file = self.open_lock()?;
        for _ in 0..2 {
            let Some(description) = self.wait_for_readable(lock_file.as_ref())? else {
                self.make(lock_file.as_ref())?;
                continue;
            };
            if self.copy_checked(data, description.size)? == Copied::Whole {
                return Ok(());
            }
            self.discard(lock_file.as_ref())?;
        }
        // Made or found damaged above: the last try has to copy, or say why it can't.
        let size = self.wait_for_readable(lock_file.as_ref())?.map(|description| description.size);
        match self.copy_checked(data, size.unwrap_or_default())? {
            Copied::Whole => Ok(()),
            Copied::Damaged => {
                let why = io::Error::other("other files appear or vanish while it is used");
                Err(self.cache_error("copy", &self.folder(), why))
            }
        }
    }

    /// Takes the lock for readers, and reads the template's description under it.
    fn wait_for_readable(
        &self,
        lock_file: Option<&File>,
    ) -> Result<Option<TemplateDescription>, TemplateError> {
        self.lock(lock_file, LockKind::Shared)?;
        Ok(TemplateDescription::read(&self.folder()))
    }

    fn copy_checked(&self, data: &Path, expected: TreeSize) -> Result<Copied, TemplateError> {
        let copy_error = |why| TemplateError::Copy { path: data.to_owned(), why };
        let source = self.data();
        match copy_tree(&source, data, self.user) {
            Ok(size) if size == expected => return Ok(Copied::Whole),
            Ok(_) => {}
            // A file that can't be read is the template's damage; all else is the target's.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(copy_error(error)),
        }
        match std::fs::remove_dir_all(data) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(copy_error(error)),
            _ => Ok(Copied::Damaged),
        }
    }

    fn make(&self, lock_file: Option<&File>) -> Result<(), TemplateError> {
        self.lock(lock_file, LockKind::Exclusive)?;
        if TemplateDescription::read(&self.folder()).is_some() {
            // Another program made it while this one waited for the lock.
            return Ok(());
        }
        self.remove_remains();
        self.user
            .check_can_enter(&self.templates, "set PLIMSOLL_CACHE to a folder that this user can enter")?;
        let prefix = self.building_prefix();
        let (mut watchdog, building) =
            Watchdog::over_new(tempfile::Builder::new().prefix(&prefix), &self.templates)
                .map_err(|why| self.cache_error("create a folder in", &self.templates, why))?;
        self.initialize(&building, &mut watchdog)?;
        std::fs::rename(&building, self.folder())
            .map_err(|why| self.cache_error("put a prepared data directory in", &self.folder(), why))
    }

    fn initialize(&self, building: &Path, watchdog: &mut Watchdog) -> Result<(), TemplateError> {
        let cache_error = |why| self.cache_error("write to", building, why);
        self.user.own(building).map_err(cache_error)?;
        let data = building.join("data");
        initdb::run(self.binaries, self.user, &data, watchdog)
            .map_err(|why| TemplateError::Initdb { folder: building.to_owned(), why })?;
        let size = TreeSize::of(&data).map_err(cache_error)?;
        let server = self.binaries.version().text.clone();
        TemplateDescription { server, size }.write(building).map_err(cache_error)
    }

    /// Makes the template unusable, so that the next try makes it again.
    fn discard(&self, lock_file: Option<&File>) -> Result<(), TemplateError> {
        self.lock(lock_file, LockKind::Exclusive)?;
        let folder = self.folder();
        match std::fs::remove_dir_all(&folder) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                Err(self.cache_error("remove the damaged", &folder, why))
            }
            _ => Ok(()),
        }
    }

    /// Removes what is incomplete and what killed programs left. Call only under the lock.
    fn remove_remains(&self) {
        let prefix = self.building_prefix();
        let entries = std::fs::read_dir(&self.templates).into_iter().flatten();
        let remains = entries.filter_map(Result::ok).filter(|entry| {
            entry.file_name().to_string_lossy().starts_with(&prefix) || entry.path() == self.folder()
        });
        // What can't be removed shows when the new folder is renamed.
        remains.for_each(|entry| std::fs::remove_dir_all(entry.path()).unwrap_or_default());
    }

    /// Opens the lock. `None` for a cache that nobody here can write but that has the
    /// template: it can't change, so it needs no lock.
    fn open_lock(&self) -> Result<Option<File>, TemplateError> {
        let path = self.templates.join(format!("{}.lock", self.key));
        match create_cache_folder(&self.templates).and_then(|()| open_lock_file(&path)) {
            Ok(file) => Ok(Some(file)),
            Err(_) if TemplateDescription::read(&self.folder()).is_some() => Ok(None),
            Err(why) => Err(self.cache_error("write to the cache, at", &path, why)),
        }
    }

    fn lock(&self, lock_file: Option<&File>, kind: LockKind) -> Result<(), TemplateError> {
        let Some(file) = lock_file else { return Ok(()) };
        lock(file, kind, PATIENCE).map_err(|why| self.cache_error("lock", &self.folder(), why))
    }

    fn folder(&self) -> PathBuf {
        self.templates.join(&self.key)
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn building_prefix(&self) -> String {
        format!(".{}-", self.key)
    }

    fn cache_error(&self, action: &'static str, path: &Path, why: io::Error) -> TemplateError {
        TemplateError::Cache { action, path: path.to_owned(), why }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copied {
    Whole,
    Damaged,
}
