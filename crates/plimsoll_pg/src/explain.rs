//! One statement's plan, from a private server or from one that isn't ours.

use std::time::Duration;

use tokio_postgres::{Client, SimpleQueryMessage};

use crate::catalogue::{CatalogueError, Limits, Session, Target};
use crate::server::{PrivateServer, ServerError};

/// Whether the statement runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It runs, in a transaction that is rolled back.
    Analyze,
    /// It is planned alone.
    Plan,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The private server refuses connections, or is gone.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The server that isn't ours can't be asked.
    #[error(transparent)]
    Foreign(#[from] CatalogueError),
    /// The statement is refused.
    #[error("explain the query: {0}")]
    Refused(String),
}

/// What is asked of a server of a major version.
#[must_use]
pub fn command(run: Run, major: u32, statement: &str) -> String {
    let options = match (run, major) {
        (Run::Plan, _) => "VERBOSE, SETTINGS, FORMAT JSON",
        (Run::Analyze, 18..) => "ANALYZE, BUFFERS, WAL, VERBOSE, SETTINGS, SERIALIZE, MEMORY, FORMAT JSON",
        (Run::Analyze, _) => "ANALYZE, BUFFERS, WAL, VERBOSE, SETTINGS, FORMAT JSON",
    };
    format!("EXPLAIN ({options}) {}", statement.trim().trim_end_matches(';'))
}

/// Runs a statement on a private server and returns what EXPLAIN prints. Nothing of it stays.
///
/// # Errors
/// When the server is gone, or refuses the statement.
pub async fn explain_privately(
    server: &PrivateServer,
    major: u32,
    database: &str,
    statement: &str,
    timeout: Duration,
) -> Result<String, ExplainError> {
    let client = server.connect(database).await?;
    let refused = |error: tokio_postgres::Error| ExplainError::Refused(told(&error));
    let begin = format!("BEGIN; SET LOCAL statement_timeout = {}", timeout.as_millis());
    client.batch_execute(&begin).await.map_err(refused)?;
    let text = ask(&client, &command(Run::Analyze, major, statement)).await.map_err(refused)?;
    client.batch_execute("ROLLBACK").await.map_err(refused)?;
    Ok(text)
}

/// Asks a server that isn't ours, in a read-only transaction that is rolled back.
///
/// # Errors
/// When the server can't be reached, refuses, or takes too long.
pub async fn explain_there(
    target: &Target,
    limits: Limits,
    run: Run,
    statement: &str,
) -> Result<String, ExplainError> {
    let session = Session::begin(target, limits).await?;
    let command = command(run, session.major(), statement);
    let client = session.as_it_is().await?;
    let asked = ask(client, &command);
    let text = match tokio::time::timeout(limits.statement + Duration::from_secs(5), asked).await {
        Ok(answer) => answer.map_err(|error| ExplainError::Refused(told(&error)))?,
        Err(_) => return Err(ExplainError::Refused(format!("{} didn't answer in time", target.shown()))),
    };
    session.run("end", "rollback").await?;
    Ok(text)
}

async fn ask(client: &Client, command: &str) -> Result<String, tokio_postgres::Error> {
    // A server prepares one statement and never several, so that none ends the transaction.
    client.prepare(command).await?;
    let answer = client.simple_query(command).await?;
    let rows = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(rows.collect::<Vec<_>>().join("\n"))
}

fn told(error: &tokio_postgres::Error) -> String {
    let Some(error) = error.as_db_error() else { return error.to_string() };
    let hint = match error.code().code() {
        "57014" => "; give it more time by --statement-timeout",
        "25006" => "; a query that writes can be explained without --analyze, or on a private server",
        "42P02" | "08P01" => "; put values in the places of its parameters",
        _ => "",
    };
    format!("{} (SQLSTATE {}){hint}", error.message(), error.code().code())
}
