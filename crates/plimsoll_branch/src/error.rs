//! What can go wrong with trunks and branches.

use std::io;
use std::path::{Path, PathBuf};

use plimsoll_pg::server::{FindError, ServerError};

use crate::name::Name;

/// A trunk or a branch could not be made, used or removed. Each completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// A file or folder.
    #[error("{action} {}: {why}{}", path.display(), advice(path, why))]
    File {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// A manifest that isn't one.
    #[error("read {}: {why}; if it is damaged, remove the folder it is in", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is none of this name.
    #[error("find {kind} {name}: there is none{known}")]
    Unknown {
        /// `trunk` or `branch`.
        kind: &'static str,
        /// The name asked for.
        name: Name,
        /// The names that are there, in words.
        known: String,
    },
    /// There is one of this name.
    #[error("create {kind} {name}: there is one of this name{}", taken_advice(kind))]
    Taken {
        /// `trunk` or `branch`.
        kind: &'static str,
        /// The name.
        name: Name,
    },
    /// Somebody works on it.
    #[error("{action} {kind} {name}: another program is at work on it; try again when that has ended")]
    Busy {
        /// What was to be done.
        action: &'static str,
        /// `trunk` or `branch`.
        kind: &'static str,
        /// The name.
        name: Name,
    },
    /// What was asked can't be done, in the user's power to change.
    #[error("{0}")]
    Refused(String),
    /// The source or the host lacks something.
    #[error("{0}")]
    Environment(String),
    /// A server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// No installation of PostgreSQL suits.
    #[error(transparent)]
    Find(#[from] FindError),
}

impl BranchError {
    /// Whether what was asked is wrong, rather than the machine or a server.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Taken { .. } | Self::Refused(_))
    }
}

/// For `map_err`: what was done to which path.
pub(crate) fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BranchError {
    let path = path.to_owned();
    move |why| BranchError::File { action, path, why }
}

fn advice(path: &Path, why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => advice_on_space(path),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; set PLIMSOLL_STATE to a folder that can be written"
        }
        _ => "",
    }
}

/// What to do where no space is left, as a server says it in the words of the C library.
pub(crate) fn advice_on_log(folder: &Path, said: &str) -> &'static str {
    if said.contains("No space left on device") { advice_on_space(folder) } else { "" }
}

fn advice_on_space(path: &Path) -> &'static str {
    let is_in_yard =
        path.ancestors().any(|folder| folder.ends_with("yard") && folder.with_extension("img").exists());
    if is_in_yard {
        "; the yard is full: free space in it (`plimsoll branch gc`, `plimsoll branch drop`); `plimsoll branch yard` tells its size"
    } else {
        "; free space there (`plimsoll branch gc`, `plimsoll branch drop`), or set PLIMSOLL_STATE to a folder elsewhere"
    }
}

fn taken_advice(kind: &str) -> &'static str {
    if kind == "trunk" {
        "; `plimsoll trunk refresh` takes a new copy of its source, `plimsoll trunk drop` removes it"
    } else {
        "; choose another, or remove it with `plimsoll branch drop`"
    }
}
