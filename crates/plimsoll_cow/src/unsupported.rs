//! Systems without FUSE as Linux has it: everything says so.

use std::io;
use std::path::Path;

use crate::options::{CopyError, LostWrite, MountError, MountOptions, Unavailable, UnmountError};

/// A mounted view, which there can't be here.
#[derive(Debug)]
pub enum Mounted {}

impl Mounted {
    /// Where the view is.
    #[must_use]
    pub fn mountpoint(&self) -> &Path {
        match *self {}
    }

    /// Brings all that was written so far into the delta's files.
    ///
    /// # Errors
    /// Never: there is no view here.
    pub fn sync(&self) -> io::Result<()> {
        match *self {}
    }

    /// The first write that couldn't be kept.
    #[must_use]
    pub fn lost_write(&self) -> Option<LostWrite> {
        match *self {}
    }

    /// Unmounts.
    ///
    /// # Errors
    /// Never: there is no view here.
    pub fn unmount(self) -> Result<(), UnmountError> {
        match self {}
    }
}

/// Says that views are unsupported here.
///
/// # Errors
/// Always.
pub fn availability() -> Result<(), Unavailable> {
    Err(Unavailable::NotLinux)
}

/// Says that views are unsupported here.
///
/// # Errors
/// Always.
pub fn mount(_: &MountOptions) -> Result<Mounted, MountError> {
    Err(Unavailable::NotLinux.into())
}

/// There is no dead view here.
///
/// # Errors
/// Never.
pub fn clear_dead_mount(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Says that views are unsupported here.
///
/// # Errors
/// Always.
pub fn copy_delta(from: &Path, to: &Path) -> Result<(), CopyError> {
    let why = io::Error::other(Unavailable::NotLinux);
    Err(CopyError { from: from.to_owned(), to: to.to_owned(), why })
}

/// Says that views are unsupported here.
///
/// # Errors
/// Always.
pub fn delta_bytes(_: &Path) -> io::Result<u64> {
    Err(io::Error::other(Unavailable::NotLinux))
}
