//! The change as its tool runs it: statement after statement, each transaction whole, and nothing after a failure. It
//! isn't watched, so that its times are its own.

use std::time::{Duration, Instant};

use plimsoll_core::load::ChangeFailure;
use plimsoll_sql::transaction::Block;
use plimsoll_sql::{Migration, Statement};
use tokio_postgres::Client;

use super::error::LoadError;
use super::locks::ours;
use crate::rehearse::{refusal_of, run_statement};
use crate::server::PrivateServer;

/// How long each statement took; and why the change ended early, if it did.
#[derive(Debug, Default)]
pub struct ChangeRun {
    /// Of each statement, in order.
    pub durations: Vec<Duration>,
    /// What ended it early.
    pub failure: Option<ChangeFailure>,
}

/// Runs the change. Its sessions begin with the `lock_timeout`, if one is given.
///
/// # Errors
/// When the server is gone.
pub async fn run_change(
    server: &PrivateServer,
    database: &str,
    migrations: &[&Migration],
    lock_timeout: Option<Duration>,
) -> Result<ChangeRun, LoadError> {
    let mut run = ChangeRun::default();
    for migration in migrations {
        let client = server.connect(database).await?;
        if let Some(patience) = lock_timeout {
            let set = format!("SET lock_timeout = {}", patience.as_millis());
            if let Err(error) = client.batch_execute(&set).await {
                return Err(ours(server, error).await);
            }
        }
        run_file(server, &client, migration, &mut run).await?;
        if run.failure.is_some() {
            break;
        }
    }
    Ok(run)
}

async fn run_file(
    server: &PrivateServer,
    client: &Client,
    migration: &Migration,
    run: &mut ChangeRun,
) -> Result<(), LoadError> {
    let places = migration.places();
    for (index, (statement, place)) in migration.statements.iter().zip(&places).enumerate() {
        let wrapped = matches!(place.block, Block::Tool | Block::Batch);
        let first = index == 0 || places[index - 1].transaction != place.transaction;
        let last = places.get(index + 1).is_none_or(|next| next.transaction != place.transaction);
        let started = Instant::now();
        let ran = async {
            if wrapped && first {
                client.batch_execute("BEGIN").await?;
            }
            run_statement(client, &migration.source, statement).await?;
            if wrapped && last {
                client.batch_execute("COMMIT").await?;
            }
            Ok::<(), tokio_postgres::Error>(())
        };
        let result = ran.await;
        run.durations.push(started.elapsed());
        if let Err(error) = result {
            run.failure = Some(failure(server, migration, statement, &error).await?);
            return Ok(());
        }
    }
    Ok(())
}

async fn failure(
    server: &PrivateServer,
    migration: &Migration,
    statement: &Statement,
    error: &tokio_postgres::Error,
) -> Result<ChangeFailure, LoadError> {
    let refusal = refusal_of(server, &migration.source.name(), error).await?;
    Ok(ChangeFailure {
        file: migration.source.name(),
        line: migration.source.line_column(statement.range.start).0,
        sqlstate: refusal.code().code().to_owned(),
        message: refusal.message().to_owned(),
    })
}
