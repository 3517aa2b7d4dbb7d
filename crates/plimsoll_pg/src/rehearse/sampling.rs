//! Statements that commit by themselves (`CREATE INDEX CONCURRENTLY`, `VACUUM`, …): their locks
//! are sampled while they run, since none is left at their end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plimsoll_core::LockMode;
use plimsoll_sql::Statement;
use tokio_postgres::Client;

use super::error::{RehearseError, catalog_error};
use super::gate::{Gate, GateSessions};
use super::outside::{backend_pid, locks_of, wait_event};
use super::photograph::Locks;
use super::seen::BeforeSampling;
use super::waits::Waits;
use crate::server::PrivateServer;

/// A `lock_timeout` of so many milliseconds or less could end a statement that waits for the gate.
pub(super) const SHORTEST_GATED_MS: u64 = 1000;

/// How long the statement runs between two looks at its locks.
pub(super) const SAMPLE_EVERY: Duration = Duration::from_millis(1);

/// What sampling saw.
pub(super) struct Sampled {
    pub(super) duration: Duration,
    pub(super) locks: Locks,
    /// From when to when each was seen, since the statement's start and without what the gate cost.
    pub(super) spans: Spans,
    pub(super) waits: Waits,
}

/// When locks were seen first and last.
pub(super) type Spans = BTreeMap<(u32, LockMode), (Duration, Duration)>;

/// Looks between two waits of other kinds, so that a statement of minutes isn't asked 1,000 times a second for them.
const LOOKS_PER_WAIT: u32 = 10;

/// Sessions of ours that sample one statement.
pub(super) struct Sampler<'a> {
    server: &'a PrivateServer,
    observer: Client,
    gate: GateSessions,
}

impl<'a> Sampler<'a> {
    pub(super) async fn open(server: &'a PrivateServer, database: &str) -> Result<Self, RehearseError> {
        let observer = server.connect(database).await?;
        let clients = [server.connect(database).await?, server.connect(database).await?];
        let sampler = async {
            let pids = [backend_pid(&clients[0]).await?, backend_pid(&clients[1]).await?];
            Ok(GateSessions { clients, pids })
        };
        match sampler.await {
            Ok(gate) => Ok(Self { server, observer, gate }),
            Err(error) => Err(catalog_error(server, error).await),
        }
    }

    /// Awaits a statement that a process runs and samples its locks, with a gate in its way as long as `is_alone` says that no
    /// other session could come to the gate.
    pub(super) async fn sample<Output>(
        &self,
        before: &BeforeSampling,
        pid: i32,
        statement: &Statement,
        running: impl Future<Output = Output>,
        is_alone: &dyn Fn() -> bool,
    ) -> Result<(Output, Sampled), RehearseError> {
        let gate = (before.is_gated && is_alone()).then_some(&self.gate);
        match sampled(running, pid, &self.observer, gate, statement, is_alone).await {
            Ok(sampled) => Ok(sampled),
            Err(error) => Err(catalog_error(self.server, error).await),
        }
    }
}

async fn sampled<Output>(
    running: impl Future<Output = Output>,
    session_pid: i32,
    observer: &Client,
    gate_sessions: Option<&GateSessions>,
    statement: &Statement,
    is_alone: &dyn Fn() -> bool,
) -> Result<(Output, Sampled), tokio_postgres::Error> {
    let mut gate = Gate::shut(gate_sessions, statement).await?;
    let (mut spans, mut waits, mut looks) = (Spans::new(), Waits::default(), 0_u32);
    let started = Instant::now();
    let mut running = std::pin::pin!(running);
    let output = loop {
        tokio::select! {
            biased;
            output = &mut running => break output,
            () = tokio::time::sleep(SAMPLE_EVERY) => {}
        }
        if !is_alone() {
            gate.open().await?;
        }
        let mut seen = locks_of(observer, session_pid).await?;
        gate.let_pass(observer, session_pid, &mut seen).await?;
        note(&mut spans, seen, started.elapsed().saturating_sub(gate.held_up()));
        looks += 1;
        if looks.is_multiple_of(LOOKS_PER_WAIT) {
            let event = wait_event(observer, session_pid).await?;
            // Alone it waits for locks only because of the gate.
            waits.note(event.filter(|event| !is_alone() || !event.starts_with("Lock:")));
        }
    };
    let duration = started.elapsed().saturating_sub(gate.held_up());
    gate.open().await?;
    for (_, last) in spans.values_mut() {
        *last = (*last).min(duration);
    }
    let locks = spans.keys().copied().collect();
    Ok((output, Sampled { duration, locks, spans, waits }))
}

/// A lock may have been taken right after the look before, and may be kept until right before the next.
fn note(spans: &mut Spans, seen: Locks, at: Duration) {
    for lock in seen {
        let (_, last) = spans.entry(lock).or_insert((at.saturating_sub(2 * SAMPLE_EVERY), at));
        *last = (*last).max(at + 2 * SAMPLE_EVERY);
    }
}
