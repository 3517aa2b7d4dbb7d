//! Statements that commit by themselves (`CREATE INDEX CONCURRENTLY`, `VACUUM`, …): their locks
//! are sampled while they run, since none is left at their end.

use std::time::{Duration, Instant};

use plimsoll_core::SourceFile;
use plimsoll_sql::Statement;
use tokio_postgres::Client;

use super::gate::Gate;
use super::photograph::{Locks, locks_of};
use super::runner::run;

/// A `lock_timeout` of so many milliseconds or less could end a statement that waits for the gate.
pub(super) const SHORTEST_GATED_MS: u64 = 1000;

/// How long the statement runs between two looks at its locks.
pub(super) const SAMPLE_EVERY: Duration = Duration::from_millis(1);

/// What sampling saw.
pub(super) struct Sampled {
    pub(super) result: Result<(), tokio_postgres::Error>,
    pub(super) duration: Duration,
    pub(super) locks: Locks,
}

/// Runs a statement alone in its session while `observer` samples its locks, with a gate in its
/// way if there are sessions for one.
pub(super) async fn run_sampled(
    session: &Client,
    session_pid: i32,
    observer: &Client,
    gate_sessions: Option<[&Client; 2]>,
    source: &SourceFile,
    statement: &Statement,
) -> Result<Sampled, tokio_postgres::Error> {
    let mut gate = Gate::shut(gate_sessions, statement).await?;
    let mut locks = Locks::new();
    let started = Instant::now();
    let mut running = std::pin::pin!(run(session, source, statement));
    let result = loop {
        tokio::select! {
            biased;
            result = &mut running => break result,
            () = tokio::time::sleep(SAMPLE_EVERY) => {}
        }
        locks.extend(locks_of(observer, session_pid).await?);
        gate.let_pass(observer, session_pid, &mut locks).await?;
    };
    let duration = started.elapsed().saturating_sub(gate.held_up());
    gate.open().await?;
    Ok(Sampled { result, duration, locks })
}
