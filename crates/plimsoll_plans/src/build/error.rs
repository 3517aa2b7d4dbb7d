//! What can go wrong while a plan branch is made.

use std::io;
use std::path::PathBuf;

use plimsoll_pg::server::ServerError;

/// A plan branch could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Its server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A statement that nothing goes without.
    #[error("{what} of a plan branch: {why}")]
    Statement {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        why: String,
    },
    /// Files can't be written.
    #[error("{action} {}: {why}", path.display())]
    File {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// The server that was read has other pages.
    #[error(
        "make a plan branch: production's pages have {page_bytes} bytes, and only servers built with pages of 8192 are run"
    )]
    PageBytes {
        /// The bytes of production's pages.
        page_bytes: u32,
    },
}

impl BuildError {
    pub(crate) fn statement(what: &'static str) -> impl Fn(tokio_postgres::Error) -> Self {
        move |error| Self::Statement { what, why: explained(&error) }
    }
}

/// What the server says, without the values that it may quote in its detail.
pub(crate) fn explained(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
        None => error.to_string(),
    }
}
