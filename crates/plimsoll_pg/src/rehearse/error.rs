//! What can go wrong with a rehearsal; a statement of the change that fails is no error but a
//! finding.

use plimsoll_core::rehearsal::StatementError;
use plimsoll_core::{Location, SourceFile};
use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

use crate::server::{PrivateServer, ServerError};

/// Why a rehearsal can't go on.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// The private server refuses connections, or is gone.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The server or the connection to it ended while a statement ran.
    #[error("run {what}: {why}")]
    Interrupted {
        /// What ran.
        what: String,
        /// How it ended.
        why: String,
    },
    /// The machine lacks room, which no statement is to blame for.
    #[error("run {what}: {message}; free space there, or set TMPDIR to another folder")]
    Shortage {
        /// What ran.
        what: String,
        /// The server's message with its SQLSTATE.
        message: String,
    },
    /// A statement that has to succeed before the change can be rehearsed failed.
    #[error(
        "run {file}:{line}:{column}: {message}{extra}", file = location.file, line = location.line,
        column = location.column
    )]
    Script {
        /// Where the statement stands.
        location: Location,
        /// The server's message with its SQLSTATE.
        message: String,
        /// Detail, hint and advice, each on a line of its own.
        extra: String,
    },
    /// There is no place for a tap.
    #[error(transparent)]
    Tap(#[from] crate::tap::TapError),
    /// One of our own queries failed.
    #[error("read the server's catalog: {0}")]
    Catalog(String),
}

/// How long a broken connection waits for its server's end.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// The error for a connection that broke while `what` ran.
pub(crate) async fn interrupted(
    server: &PrivateServer,
    what: &str,
    error: &tokio_postgres::Error,
) -> RehearseError {
    let why = match server.death_within(PATIENCE).await {
        Some(death) => format!("the private server is gone: {death}"),
        None => format!("the connection to the private server broke, though it still runs: {error}"),
    };
    RehearseError::Interrupted { what: what.to_owned(), why }
}

/// The server's refusal of `what`, if that is what the error is.
pub(crate) async fn refusal_of<'error>(
    server: &PrivateServer,
    what: &str,
    error: &'error tokio_postgres::Error,
) -> Result<&'error DbError, RehearseError> {
    match error.as_db_error() {
        Some(refusal) if [SqlState::DISK_FULL, SqlState::IO_ERROR].contains(refusal.code()) => {
            Err(RehearseError::Shortage { what: what.to_owned(), message: described(refusal) })
        }
        // After a FATAL error the session is over.
        Some(refusal) if !matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) => {
            Ok(refusal)
        }
        _ => Err(interrupted(server, what, error).await),
    }
}

/// The server's message with its SQLSTATE.
pub(crate) fn described(refusal: &DbError) -> String {
    format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code())
}

/// Maps an error of one of our own queries.
pub(crate) async fn catalog_error(server: &PrivateServer, error: tokio_postgres::Error) -> RehearseError {
    match refusal_of(server, "a query on the server's catalog", &error).await {
        Ok(refusal) => RehearseError::Catalog(described(refusal)),
        Err(error) => error,
    }
}

/// The server's refusal of a statement that starts at byte `start` of a file.
pub(crate) fn statement_error(refusal: &DbError, source: &SourceFile, start: usize) -> StatementError {
    let offset = match refusal.position() {
        Some(ErrorPosition::Original(position)) => {
            let rest = &source.text()[start..];
            let characters = (*position as usize).saturating_sub(1);
            start + rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at)
        }
        _ => start,
    };
    let (line, column) = source.line_column(offset);
    StatementError {
        sqlstate: refusal.code().code().to_owned(),
        message: refusal.message().to_owned(),
        detail: refusal.detail().map(ToOwned::to_owned),
        hint: refusal.hint().map(ToOwned::to_owned),
        line,
        column,
    }
}
