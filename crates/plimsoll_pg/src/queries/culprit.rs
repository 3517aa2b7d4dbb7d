//! Which statement of a change broke a query.
//!
//! The history is replayed into an empty database, and after each statement of the change the
//! query is only prepared: that needs no rows and runs nothing.

use plimsoll_sql::{Command, Migration};
use tokio_postgres::Client;

use super::measure::{MeasureError, PreparedQuery};
use crate::server::PrivateServer;

/// The statement that broke a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// Index of its migration in the change.
    pub migration: usize,
    /// Index of the statement in its file.
    pub statement: usize,
}

/// For each query, the first statement of the change after which it can't be prepared any more.
/// `database` holds the state before the change; the change is run on it.
///
/// # Errors
/// When the server is gone.
pub async fn find_culprit(
    server: &PrivateServer,
    database: &str,
    migrations: &[&Migration],
    queries: &[&PreparedQuery],
) -> Result<Vec<Option<Culprit>>, MeasureError> {
    let runner = server.connect(database).await?;
    let prober = server.connect(database).await?;
    let mut culprits = vec![None; queries.len()];
    let mut suspects = Vec::new();
    for (at, query) in queries.iter().enumerate() {
        if prepares(&prober, query).await {
            suspects.push(at);
        }
    }
    for (migration_index, migration) in migrations.iter().enumerate() {
        for (statement_index, statement) in migration.statements.iter().enumerate() {
            // Each statement commits at once, so that the prober sees it.
            if is_left_out(statement.command()) {
                continue;
            }
            // One that fails here (it may need rows, or a transaction) breaks nothing.
            runner.batch_execute(migration.sql(statement)).await.unwrap_or_default();
            let mut innocent = Vec::new();
            for at in suspects {
                if prepares(&prober, queries[at]).await {
                    innocent.push(at);
                } else {
                    culprits[at] = Some(Culprit { migration: migration_index, statement: statement_index });
                }
            }
            suspects = innocent;
        }
    }
    Ok(culprits)
}

/// Transaction control would hide statements from the prober; rows aren't needed.
fn is_left_out(command: Option<&Command>) -> bool {
    command.is_some_and(|command| command.is_transaction_control() || *command == Command::CopyFromStdin)
}

async fn prepares(client: &Client, query: &PreparedQuery) -> bool {
    let prepared =
        client.batch_execute(&format!("PREPARE plimsoll_query AS {}", query.query.sql)).await.is_ok();
    client.batch_execute("DEALLOCATE ALL").await.unwrap_or_default();
    prepared
}
