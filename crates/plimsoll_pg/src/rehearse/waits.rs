//! What a statement waits for while it runs: looked at every 10 ms, the first time after as much, so that short
//! statements aren't disturbed.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::facts::WaitEvent;
use tokio_postgres::Client;

use super::outside::wait_event;

/// How long a statement runs between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Events by the number of looks that saw them.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits(BTreeMap<String, u64>);

impl Waits {
    /// Awaits what a process runs, and looks at the process meanwhile. Where a look fails the looking ends: if the server is
    /// gone, what runs will say so, and better.
    pub(super) async fn watched<Running: Future>(
        observer: &Client,
        pid: i32,
        running: Running,
    ) -> (Running::Output, Self) {
        let mut waits = Self::default();
        let mut running = std::pin::pin!(running);
        loop {
            tokio::select! {
                biased;
                output = &mut running => return (output, waits),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match wait_event(observer, pid).await {
                Ok(event) => waits.note(event),
                Err(_) => return (running.await, waits),
            }
        }
    }

    /// Takes note of one look.
    pub(super) fn note(&mut self, event: Option<String>) {
        if let Some(event) = event {
            *self.0.entry(event).or_default() += 1;
        }
    }

    /// The events, most frequent first.
    pub(super) fn events(self) -> Vec<WaitEvent> {
        let mut events: Vec<WaitEvent> =
            self.0.into_iter().map(|(event, samples)| WaitEvent { event, samples }).collect();
        events.sort_by(|a, b| b.samples.cmp(&a.samples).then_with(|| a.event.cmp(&b.event)));
        events
    }
}
