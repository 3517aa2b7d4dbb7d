//! The operating-system user that runs the server.
//!
//! PostgreSQL refuses to run as root. For root, the server runs as `postgres` where that user
//! exists, else as `nobody`; an ordinary user runs it as themselves.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown, fchown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::environment::{Environment, Privilege};

/// No user to run the server, or one that can't reach what it needs.
#[derive(Debug, thiserror::Error)]
pub enum ServerUserError {
    /// Root, and neither of the two users exists.
    #[error(
        "find a user to run PostgreSQL, which refuses to run as root: neither `postgres` nor `nobody` exists; run Plimsoll as an ordinary user, or add a user `postgres`"
    )]
    Nobody,
    /// A folder on the way is closed to the user.
    #[error(
        "let user `{user}`, who runs PostgreSQL for root, reach {}: {} is closed to that user; {advice}",
        wanted.display(),
        closed.display()
    )]
    Closed {
        /// The user that runs the server.
        user: String,
        /// What the user has to reach.
        wanted: PathBuf,
        /// The folder that stops the user.
        closed: PathBuf,
        /// What to do.
        advice: &'static str,
    },
    /// The path can't be looked at.
    #[error("look at {}: {why}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why not.
        why: io::Error,
    },
}

/// Who runs the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerUser {
    /// The user that runs this process.
    Caller,
    /// Another one, since this process runs as root.
    Other {
        /// The login name.
        name: String,
        /// The user's number.
        uid: u32,
        /// The number of the user's own group; all other groups are dropped.
        gid: u32,
    },
}

impl ServerUser {
    /// Chooses the user for this process.
    ///
    /// # Errors
    /// When root finds no other user.
    pub fn choose(environment: &Environment) -> Result<Self, ServerUserError> {
        match environment.privilege {
            Privilege::Ordinary => Ok(Self::Caller),
            Privilege::Root => {
                ["postgres", "nobody"].into_iter().find_map(look_up).ok_or(ServerUserError::Nobody)
            }
        }
    }

    /// The login name, where it isn't the caller.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Caller => None,
            Self::Other { name, .. } => Some(name),
        }
    }

    /// Makes the command run as this user.
    pub fn run(&self, command: &mut Command) {
        if let Self::Other { uid, gid, .. } = self {
            // As root, `uid` drops the supplementary groups too.
            command.uid(*uid).gid(*gid);
        }
    }

    /// Makes the file or folder this user's.
    ///
    /// # Errors
    /// When it isn't there, or may not be given away.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Caller => Ok(()),
            Self::Other { uid, gid, .. } => chown(path, Some(*uid), Some(*gid)),
        }
    }

    /// As [`Self::own`], for a file that is open.
    ///
    /// # Errors
    /// When it may not be given away.
    pub fn own_open(&self, file: &File) -> io::Result<()> {
        match self {
            Self::Caller => Ok(()),
            Self::Other { uid, gid, .. } => fchown(file, Some(*uid), Some(*gid)),
        }
    }

    /// Checks that the user can enter this folder.
    ///
    /// # Errors
    /// When a folder on the way is closed to the user; the error ends with the advice.
    pub fn check_can_enter(&self, folder: &Path, advice: &'static str) -> Result<(), ServerUserError> {
        let Self::Other { name, uid, gid } = self else { return Ok(()) };
        let unreadable = |why| ServerUserError::Unreadable { path: folder.to_owned(), why };
        let real = folder.canonicalize().map_err(unreadable)?;
        for ancestor in real.ancestors() {
            let metadata = ancestor.metadata().map_err(unreadable)?;
            let search_bit = if metadata.uid() == *uid {
                0o100
            } else if metadata.gid() == *gid {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & search_bit == 0 {
                return Err(ServerUserError::Closed {
                    user: name.clone(),
                    wanted: folder.to_owned(),
                    closed: ancestor.to_owned(),
                    advice,
                });
            }
        }
        Ok(())
    }
}

/// Asks `id`, which knows users from every source that the machine has, not `/etc/passwd` alone.
fn look_up(name: &str) -> Option<ServerUser> {
    let uid = number(name, "-u")?;
    let gid = number(name, "-g")?;
    (uid != 0).then(|| ServerUser::Other { name: name.to_owned(), uid, gid })
}

fn number(name: &str, which: &str) -> Option<u32> {
    let output =
        Command::new("id").args([which, name]).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    // macOS may print nobody's number as -2.
    let number: i64 = text.trim().parse().ok()?;
    u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
}
