//! What can go wrong with a workload, apart from what its requests meet while the change runs: that is measured.

use plimsoll_core::Location;

use crate::rehearse::RehearseError;
use crate::server::ServerError;

/// Why a workload can't be run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A statement fails before the change: it belongs to another schema, or lacks parameters.
    #[error(
        "run statement {name} of the workload at {}:{}:{}: {message}; correct it, or leave it out",
        location.file, location.line, location.column
    )]
    Statement {
        /// Its name.
        name: String,
        /// Where it stands.
        location: Box<Location>,
        /// The server's message with its SQLSTATE.
        message: String,
    },
    /// The private server refuses connections, or is gone.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The connection that runs the change broke, or a query of our own failed.
    #[error(transparent)]
    Rehearse(#[from] RehearseError),
}
