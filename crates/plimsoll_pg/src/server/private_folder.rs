//! The folder of one private server: data directory, socket, log.
//!
//! A file in it is locked for as long as the program lives; that is how the sweep of a later
//! start knows an abandoned folder from one in use.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::lock_file::{LockKind, lock};
use super::server_user::{ServerUser, ServerUserError};
use super::watchdog::Watchdog;

/// How the names of private folders begin; six random characters follow.
pub(super) const PREFIX: &str = "plimsoll-";
/// The file that marks a folder as ours and carries its owner's lock.
pub const MARKER_FILE: &str = "plimsoll.lock";
/// What the marker begins with.
pub(super) const MARKER_LINE: &str = "plimsoll private server, format 1\n";

/// The port of every private server. It only names the socket file: there is no TCP.
pub(super) const PORT: u16 = 5432;

/// The longest path of a socket, without the zero at its end (`sockaddr_un`).
pub const SOCKET_PATH_BYTES: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
const RANDOM_CHARACTERS: usize = 6;
/// The name of the socket's file, by that port.
pub(super) const SOCKET_FILE: &str = ".s.PGSQL.5432";

/// Where private folders go when the temporary folder doesn't suit.
const FALLBACK: &str = "/tmp";

/// No temporary folder suits.
#[derive(Debug, thiserror::Error)]
pub enum TempRootError {
    /// Its path is too long for a socket.
    #[error("use {} for a private server: its path has {length} bytes, at most {allowed} fit a socket's name; set TMPDIR to a shorter one", path.display())]
    TooLong {
        /// The folder.
        path: PathBuf,
        /// The length of its path.
        length: usize,
        /// The longest that fits.
        allowed: usize,
    },
    /// It can't be looked at.
    #[error("use {} for a private server: {why}; set TMPDIR to a folder that exists", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: io::Error,
    },
    /// The path can't be written into the server's settings or a URL.
    #[error("use {} for a private server: its path is not valid UTF-8; set TMPDIR to another folder", path.display())]
    NotText {
        /// The folder.
        path: PathBuf,
    },
    /// The server's user can't enter it.
    #[error(transparent)]
    Closed(#[from] ServerUserError),
}

/// Chooses the folder in which the private folder is made: the one asked for, else `/tmp`.
pub(super) fn choose_temp_root(
    requested: Option<&Path>,
    user: &ServerUser,
) -> Result<PathBuf, TempRootError> {
    match requested.map(|path| suited(path, user)) {
        Some(Ok(path)) => Ok(path),
        None => suited(Path::new(FALLBACK), user),
        // The reason that counts is why the folder asked for doesn't suit.
        Some(Err(error)) => suited(Path::new(FALLBACK), user).map_err(|_| error),
    }
}

/// Returns the real path: what the server reports and what links lead to then agree.
fn suited(path: &Path, user: &ServerUser) -> Result<PathBuf, TempRootError> {
    let missing = |why| TempRootError::Missing { path: path.to_owned(), why };
    let real = path.canonicalize().map_err(missing)?;
    if !real.is_dir() {
        return Err(missing(io::ErrorKind::NotADirectory.into()));
    }
    if real.to_str().is_none() {
        return Err(TempRootError::NotText { path: real });
    }
    let below = PREFIX.len() + RANDOM_CHARACTERS + SOCKET_FILE.len() + "//".len();
    let (length, allowed) = (real.as_os_str().len(), SOCKET_PATH_BYTES - below);
    if length > allowed {
        return Err(TempRootError::TooLong { path: real, length, allowed });
    }
    user.check_can_enter(&real, "set TMPDIR to a folder that this user can enter")?;
    Ok(real)
}

/// Whether a folder's name is one that [`PrivateFolder::create`] gives.
pub(super) fn is_private_name(name: &OsStr) -> bool {
    name.as_bytes()
        .strip_prefix(PREFIX.as_bytes())
        .is_some_and(|rest| rest.len() == RANDOM_CHARACTERS && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// A private folder that is removed with this value, or by the watchdog after it.
#[derive(Debug)]
pub(super) struct PrivateFolder {
    path: PathBuf,
    /// Held, never read.
    _lock: File,
    watchdog: Watchdog,
}

impl PrivateFolder {
    /// Makes a folder that only `user` can enter (and root).
    pub(super) fn create(temp_root: &Path, user: &ServerUser) -> io::Result<Self> {
        let mut names = tempfile::Builder::new();
        let (watchdog, path) =
            Watchdog::over_new(names.prefix(PREFIX).rand_bytes(RANDOM_CHARACTERS), temp_root)?;
        // Locked under another name first: under its own, a sweep could lock it before us.
        let unnamed = path.join("marker");
        let mut marker = File::create_new(&unnamed)?;
        lock(&marker, LockKind::Exclusive, std::time::Duration::ZERO)?;
        writeln!(marker, "{MARKER_LINE}{}", std::process::id())?;
        std::fs::rename(&unnamed, path.join(MARKER_FILE))?;
        user.own(&path)?;
        Ok(Self { path, _lock: marker, watchdog })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    /// Tells the watchdog which server to stop.
    pub(super) fn report_server(&mut self, process: u32) -> io::Result<()> {
        self.watchdog.report_server(process)
    }

    /// Removes the folder.
    pub(super) fn remove(self) -> io::Result<()> {
        self.remove_contents()
    }

    fn remove_contents(&self) -> io::Result<()> {
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What can't be removed now, the watchdog tries again when it is dropped next.
        self.remove_contents().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_folder_is_used() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let chosen = choose_temp_root(Some(folder.path()), &ServerUser::Caller).unwrap();
        assert_eq!(chosen, folder.path().canonicalize().unwrap());
    }

    #[test]
    fn a_folder_too_long_for_a_socket_is_replaced() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let long = folder.path().join("x".repeat(100));
        std::fs::create_dir(&long).unwrap();
        let chosen = choose_temp_root(Some(&long), &ServerUser::Caller).unwrap();
        assert_eq!(chosen, Path::new(FALLBACK).canonicalize().unwrap());
        let error = suited(&long, &ServerUser::Caller).unwrap_err();
        assert!(error.to_string().contains("set TMPDIR to a shorter one"), "{error}");
    }

    #[test]
    fn only_our_names_are_ours() {
        for ours in ["plimsoll-a1B2c3", "plimsoll-000000"] {
            assert!(is_private_name(OsStr::new(ours)), "{ours}");
        }
        for other in ["plimsoll-", "plimsoll-a1B2c34", "plimsoll-a1B2c/", "plimsoll_a1B2c3", "x"] {
            assert!(!is_private_name(OsStr::new(other)), "{other}");
        }
    }

    #[test]
    fn dropping_it_removes_the_folder() {
        let root = tempfile::tempdir_in("/tmp").unwrap();
        let folder = PrivateFolder::create(root.path(), &ServerUser::Caller).unwrap();
        let path = folder.path().to_owned();
        assert!(path.join(MARKER_FILE).is_file());
        drop(folder);
        assert!(!path.exists());
    }
}
