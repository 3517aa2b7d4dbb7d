//! What can go wrong while a foreign server is read.

use std::time::Duration;

/// A snapshot could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No connection came about.
    #[error("connect to {server}: {why}")]
    Connect {
        /// The server, without a password.
        server: String,
        /// Why not, and what to do.
        why: String,
    },
    /// The server didn't answer in time.
    #[error("{what} of {server}: no answer within {} s; the server may be overloaded, or a firewall swallows what is sent", after.as_secs_f32())]
    Silent {
        /// What was being done.
        what: String,
        /// The server.
        server: String,
        /// How long it was given.
        after: Duration,
    },
    /// A query failed.
    #[error("read the {what} of {server}: {why}")]
    Query {
        /// What the query reads.
        what: String,
        /// The server.
        server: String,
        /// Why, and what to do.
        why: String,
    },
    /// The server is too old.
    #[error("read {server}: it is PostgreSQL {major}, and snapshots need {OLDEST_READABLE_MAJOR} or newer")]
    TooOld {
        /// The server.
        server: String,
        /// Its major version.
        major: u32,
    },
}

/// The oldest major version whose catalogue the queries fit.
pub(super) const OLDEST_READABLE_MAJOR: u32 = 12;
