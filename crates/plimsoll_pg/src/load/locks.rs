//! What the statements of a workload lock: each is run in a transaction that is rolled back, and `pg_locks` is read
//! before the end. So views, partitions, indexes, triggers and foreign keys need no guess.

use std::collections::BTreeSet;
use std::time::Instant;

use plimsoll_core::blocked::{TakenLock, Traffic};
use plimsoll_core::workload::WorkloadStatement;
use tokio_postgres::Client;

use super::error::LoadError;
use super::session::RequestSession;
use crate::rehearse::{backend_pid, catalog_error, described, locks_by_name, refusal_of};
use crate::server::PrivateServer;

/// Sets of parameters that are tried: they may lead to different partitions.
const MOST_SETS: usize = 8;

/// Runs that are timed, after one that warms up.
const TIMED_RUNS: usize = 3;

/// Measures what each statement locks and how long it takes.
///
/// # Errors
/// When a statement fails, with its place; or when the server is gone.
pub async fn measure_traffic(
    server: &PrivateServer,
    database: &str,
    statements: &[WorkloadStatement],
) -> Result<Vec<Traffic>, LoadError> {
    let observer = server.connect(database).await?;
    let client = server.connect(database).await?;
    let pid = match backend_pid(&client).await {
        Ok(pid) => pid,
        Err(error) => return Err(ours(server, error).await),
    };
    let session = match RequestSession::prepare(client, statements).await {
        Ok(session) => session,
        Err((index, error)) => return Err(failed(server, &statements[index], &error).await),
    };
    let mut traffic = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        let measured = measured(&session, &observer, pid, index).await;
        let (locks, usual_ms) = match measured {
            Ok(measured) => measured,
            Err(error) => return Err(failed(server, statement, &error).await),
        };
        traffic.push(Traffic {
            name: statement.name.clone(),
            sql: statement.sql.clone(),
            rate_per_s: statement.rate_per_s,
            usual_ms,
            locks,
        });
    }
    Ok(traffic)
}

async fn measured(
    session: &RequestSession,
    observer: &Client,
    pid: i32,
    statement: usize,
) -> Result<(Vec<TakenLock>, f64), tokio_postgres::Error> {
    let client = session.client();
    let mut locks = BTreeSet::new();
    let mut times = Vec::new();
    for number in 0..session.sets(statement).clamp(TIMED_RUNS + 1, MOST_SETS) {
        client.batch_execute("BEGIN").await?;
        let started = Instant::now();
        session.send(statement, number).await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        locks.extend(
            locks_by_name(observer, pid)
                .await?
                .into_iter()
                .map(|(relation, mode)| TakenLock { relation, mode }),
        );
        client.batch_execute("ROLLBACK").await?;
    }
    let mut timed = times.split_off(1);
    timed.sort_by(f64::total_cmp);
    Ok((locks.into_iter().collect(), timed[timed.len() / 2]))
}

/// The failure of a statement, or of the server under it.
pub(super) async fn failed(
    server: &PrivateServer,
    statement: &WorkloadStatement,
    error: &tokio_postgres::Error,
) -> LoadError {
    match refusal_of(server, &format!("statement {} of the workload", statement.name), error).await {
        Ok(refusal) => LoadError::Statement {
            name: statement.name.clone(),
            location: Box::new(statement.location.clone()),
            message: described(refusal),
        },
        Err(error) => LoadError::Rehearse(error),
    }
}

/// An error of one of our own queries.
pub(super) async fn ours(server: &PrivateServer, error: tokio_postgres::Error) -> LoadError {
    LoadError::Rehearse(catalog_error(server, error).await)
}
