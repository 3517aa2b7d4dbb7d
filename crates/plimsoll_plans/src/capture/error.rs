//! What can go wrong while a server is captured.

use std::path::PathBuf;

use plimsoll_pg::catalogue::CatalogueError;

use crate::build::BuildError;

/// A server could not be captured.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It can't be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The client programs are older than the server.
    #[error(
        "dump the schema of {server}: it is PostgreSQL {major}, and `pg_dump` in {} is {client}; install PostgreSQL {major} or newer (`plimsoll server install`)", folder.display()
    )]
    OldClient {
        /// The server.
        server: String,
        /// Its major version.
        major: u32,
        /// Where the programs are.
        folder: PathBuf,
        /// Their version.
        client: String,
    },
    /// `pg_dump` can't be run, or fails.
    #[error("dump the schema of {server} by {}: {why}", program.display())]
    Dump {
        /// The server.
        server: String,
        /// The program.
        program: PathBuf,
        /// Why it failed, and what to do.
        why: String,
    },
    /// A file isn't a dump with what a plan branch needs.
    #[error("make a plan branch of {}: {why}", path.display())]
    DumpFile {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// The server that statistics are loaded into.
    #[error("load the statistics of a dump: {0}")]
    Loading(#[from] BuildError),
    /// The catalogue has what isn't understood.
    #[error("read the {what} of {server_part}: {why}; please report it")]
    Unexpected {
        /// What was read.
        what: &'static str,
        /// Of what.
        server_part: String,
        /// Why not.
        why: String,
    },
}

impl CaptureError {
    /// Whether what was asked is wrong, rather than the machine or a server.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(self, Self::DumpFile { .. })
    }
}
