//! What can go wrong with a private server.

use std::io;
use std::path::PathBuf;

use super::death::Death;
use super::private_folder::TempRootError;
use super::server_user::ServerUserError;
use super::settings::BadSettingName;
use super::template::TemplateError;
use super::version::ServerVersion;

/// A private server could not be started, used or removed.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No temporary folder suits.
    #[error(transparent)]
    TempRoot(#[from] TempRootError),
    /// No data directory could be prepared.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The server's user can't reach what it needs.
    #[error(transparent)]
    User(#[from] ServerUserError),
    /// A setting's name is none.
    #[error(transparent)]
    Setting(#[from] BadSettingName),
    /// The private folder can't be written.
    #[error("{action} {}: {why}; free space there, or set TMPDIR to another folder", path.display())]
    Folder {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// The postmaster can't be started at all.
    #[error("run {}: {why}; check that this installation of PostgreSQL is whole", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// The server ended before it took connections.
    #[error(
        "start a private PostgreSQL {version}: {death}\ncorrect the setting or the shortage that the log names, and try again"
    )]
    EndedEarly {
        /// Its version.
        version: ServerVersion,
        /// How it ended.
        death: Death,
    },
    /// The server did not become ready in time.
    #[error(
        "start a private PostgreSQL {version}: not ready after {seconds} s, the machine may be overloaded; try again. Its log ends:\n{log_tail}"
    )]
    TooSlow {
        /// Its version.
        version: ServerVersion,
        /// How long it was given.
        seconds: u64,
        /// The last lines of its log.
        log_tail: String,
    },
    /// The server ended while it shut down.
    #[error(
        "shut down PostgreSQL {version} in order: {death}\ncorrect the shortage that the log names, and try again"
    )]
    EndedBadly {
        /// Its version.
        version: ServerVersion,
        /// How it ended.
        death: Death,
    },
    /// The server goes on running.
    #[error(
        "shut down PostgreSQL {version} in order: it runs on after {seconds} s, the machine may be overloaded; try again. Its log ends:\n{log_tail}"
    )]
    WontStop {
        /// Its version.
        version: ServerVersion,
        /// How long it was given.
        seconds: u64,
        /// The last lines of its log.
        log_tail: String,
    },
    /// A connection can't be made.
    #[error("connect to database {database:?} of the private server: {why}")]
    Connect {
        /// The database.
        database: String,
        /// Why not, with the server's end if it did.
        why: String,
    },
    /// A database can't be removed.
    #[error("drop database {database:?} on the private server: {why}")]
    DropDatabase {
        /// The database.
        database: String,
        /// Why not.
        why: String,
    },
    /// A database can't be made.
    #[error("create database {database:?} on the private server: {why}")]
    CreateDatabase {
        /// The database.
        database: String,
        /// Why not.
        why: String,
    },
}
