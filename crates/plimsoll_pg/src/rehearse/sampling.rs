//! Statements that commit by themselves (`CREATE INDEX CONCURRENTLY`, `VACUUM`, …): their locks
//! are sampled while they run, since none is left at their end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plimsoll_core::LockMode;
use plimsoll_sql::Statement;
use tokio_postgres::Client;

use super::gate::Gate;
use super::outside::{locks_of, wait_event};
use super::photograph::Locks;
use super::waits::Waits;

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

/// Awaits a statement that runs alone in its session while `observer` samples its locks, with a gate in its way if there
/// are sessions for one.
pub(super) async fn sampled<Output>(
    running: impl Future<Output = Output>,
    session_pid: i32,
    observer: &Client,
    gate_sessions: Option<[&Client; 2]>,
    statement: &Statement,
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
        let mut seen = locks_of(observer, session_pid).await?;
        gate.let_pass(observer, session_pid, &mut seen).await?;
        note(&mut spans, seen, started.elapsed().saturating_sub(gate.held_up()));
        looks += 1;
        if looks.is_multiple_of(LOOKS_PER_WAIT) {
            // It waits for locks only because of the gate: nobody else is here.
            let event = wait_event(observer, session_pid).await?;
            waits.note(event.filter(|event| !event.starts_with("Lock:")));
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
