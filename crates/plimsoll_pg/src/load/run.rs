//! The load: connections that share the arrivals, the change among them, and a sample for each request.
//!
//! A connection takes the next arrival, waits until it is due, sends it, and counts from when it was due. So requests wait for
//! a free connection as they do for a service's pool, and that wait counts.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use plimsoll_core::load::{
    ChangeFailure, ChangeUnderLoad, Failure, LoadRun, Sample, UNFINISHED, Wanted, most_outstanding,
    summarized, timeline,
};
use plimsoll_core::workload::WorkloadStatement;
use tokio::time::{Instant, sleep, sleep_until};

use super::arrivals::{Arrival, Arrivals};
use super::behind::LongTransaction;
use super::error::LoadError;
use super::locks::{failed, ours};
use super::session::RequestSession;
use crate::server::PrivateServer;

/// Requests of the first moments fill caches and aren't counted.
const WARM_UP: Duration = Duration::from_millis(500);

/// How long requests may go on after the load's end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Of requests that were due and never sent so many are counted: a rate far beyond the machine would fill its memory.
const MOST_UNSENT: usize = 200_000;

/// Of the arrivals. Any number would do.
const SEED: u64 = 0x506c_696d_736f_6c6c;

/// How a load is run.
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// Connections that the requests share.
    pub connections: usize,
    /// How long it runs before the change, and after it.
    pub lead: Duration,
    /// A transaction that the change meets.
    pub long_transaction: Option<LongTransaction>,
    /// The `lock_timeout` that the change's sessions begin with, for the report: whoever runs the change sets it.
    pub lock_timeout: Option<Duration>,
}

/// A change that was run among requests.
#[derive(Clone, Debug, Default)]
pub struct ChangeAmongRequests {
    /// Why it ended early.
    pub failure: Option<ChangeFailure>,
    /// When its first statement began and its last one ended, where whoever ran it took time besides.
    pub statements: Option<(std::time::Instant, std::time::Instant)>,
}

impl From<Option<ChangeFailure>> for ChangeAmongRequests {
    fn from(failure: Option<ChangeFailure>) -> Self {
        Self { failure, statements: None }
    }
}

/// Runs the change among the requests of the workload: `change` is called when it is due.
///
/// # Errors
/// When a statement of the workload can't be prepared, when the server is gone, or when `change` says so. What fails while
/// the load runs is counted.
pub async fn run_load<Error: From<LoadError>>(
    server: &PrivateServer,
    database: &str,
    statements: &[WorkloadStatement],
    settings: &LoadSettings,
    change: impl AsyncFnOnce() -> Result<ChangeAmongRequests, Error>,
) -> Result<LoadRun, Error> {
    let wanted: Vec<Wanted> = statements
        .iter()
        .map(|statement| Wanted { name: statement.name.clone(), rate_per_s: statement.rate_per_s })
        .collect();
    let opened = (0..settings.connections).map(|_| open(server, database, statements));
    let sessions = try_join_all(opened).await?;
    let load = Load::new(&wanted);
    let driven = drive(&load, server, database, settings, change);
    let workers = async {
        let all = join_all(sessions.iter().map(|session| load.work(session)));
        // Ends on the clock when the change is over and the rest of the requests had their time.
        tokio::select! {
            _ = all => {}
            () = load.out_of_patience() => {}
        }
    };
    let (change, ()) = tokio::join!(driven, workers);
    let change = change?;
    let samples = load.samples();
    let statements = summarized(&wanted, &samples, &change);
    Ok(LoadRun {
        long_transaction_ms: settings.long_transaction.as_ref().map(|long| milliseconds(long.lasts)),
        lock_timeout_ms: settings.lock_timeout.map(milliseconds),
        connections: settings.connections,
        longest_stall_ms: statements.iter().map(|one| one.longest_stall_ms).fold(0.0, f64::max),
        most_outstanding: most_outstanding(&samples),
        statements,
        timeline: timeline(wanted.len(), &samples),
        change,
    })
}

async fn open(
    server: &PrivateServer,
    database: &str,
    statements: &[WorkloadStatement],
) -> Result<RequestSession, LoadError> {
    match RequestSession::prepare(server.connect(database).await?, statements).await {
        Ok(session) => Ok(session),
        Err((index, error)) => Err(failed(server, &statements[index], &error).await),
    }
}

/// Runs the change in its time, and ends the load after it.
async fn drive<Error: From<LoadError>>(
    load: &Load,
    server: &PrivateServer,
    database: &str,
    settings: &LoadSettings,
    change: impl AsyncFnOnce() -> Result<ChangeAmongRequests, Error>,
) -> Result<ChangeUnderLoad, Error> {
    let driven = async {
        sleep_until(load.begin + settings.lead).await;
        let long = match &settings.long_transaction {
            Some(long) => Some((long.begin(server, database).await?, long.lasts)),
            None => None,
        };
        let started_ms = load.now_ms();
        let changing = async {
            let ended = change().await;
            (ended, load.now_ms())
        };
        let lasting = async {
            let Some((client, lasts)) = long else { return Ok(()) };
            sleep(lasts).await;
            match client.batch_execute("ROLLBACK").await {
                Ok(()) => Ok(()),
                Err(error) => Err(ours(server, error).await),
            }
        };
        let ((ended, ended_ms), lasted) = tokio::join!(changing, lasting);
        lasted?;
        let ChangeAmongRequests { failure, statements } = ended?;
        sleep(settings.lead).await;
        let at = |instant| load.ms_of(Instant::from_std(instant));
        let (started_ms, ended_ms) =
            statements.map_or((started_ms, ended_ms), |(first, last)| (at(first), at(last)));
        Ok(ChangeUnderLoad { started_ms, ended_ms, error: failure })
    };
    let change = driven.await;
    load.end.set(Some(load.now_ms()));
    change
}

/// What the connections share.
struct Load {
    /// When samples begin to count.
    begin: Instant,
    arrivals: RefCell<Arrivals>,
    samples: RefCell<Vec<Sample>>,
    /// Requests on their way.
    sent: RefCell<Vec<Arrival>>,
    /// When the load ended: later arrivals aren't sent.
    end: Cell<Option<f64>>,
}

impl Load {
    fn new(wanted: &[Wanted]) -> Self {
        Self {
            begin: Instant::now() + WARM_UP,
            arrivals: RefCell::new(Arrivals::new(wanted, -milliseconds(WARM_UP), SEED)),
            samples: RefCell::default(),
            sent: RefCell::default(),
            end: Cell::new(None),
        }
    }

    fn now_ms(&self) -> f64 {
        self.ms_of(Instant::now())
    }

    fn ms_of(&self, instant: Instant) -> f64 {
        match instant.checked_duration_since(self.begin) {
            Some(since) => milliseconds(since),
            None => -milliseconds(self.begin - instant),
        }
    }

    /// Sends what is due, one request after another, until the load ends.
    async fn work(&self, session: &RequestSession) {
        loop {
            let Some(arrival) = self.arrivals.borrow_mut().next() else { return };
            if !self.is_due(arrival).await {
                return;
            }
            self.sent.borrow_mut().push(arrival);
            let result = session.send(arrival.statement, arrival.number).await;
            self.sent.borrow_mut().retain(|one| *one != arrival);
            let failure = result.err().map(|error| failure(&error));
            let is_lost = failure.as_ref().is_some_and(|failure| failure.sqlstate == LOST);
            let is_stale = failure.as_ref().is_some_and(|failure| failure.sqlstate == STALE_PLAN);
            self.note(arrival, failure);
            if is_lost {
                return;
            }
            if is_stale {
                session.prepare_again(arrival.statement).await;
            }
        }
    }

    /// Waits until the request is due. False if the load ended before that.
    async fn is_due(&self, arrival: Arrival) -> bool {
        loop {
            if self.end.get().is_some_and(|end| end < arrival.at_ms) {
                return false;
            }
            let left_ms = arrival.at_ms - self.now_ms();
            if left_ms <= 0.0 {
                return true;
            }
            // The load may end meanwhile, and nobody wakes who sleeps.
            sleep(Duration::from_secs_f64(left_ms.min(100.0) / 1000.0)).await;
        }
    }

    fn note(&self, arrival: Arrival, failure: Option<Failure>) {
        let latency_ms = self.now_ms() - arrival.at_ms;
        let sample = Sample { statement: arrival.statement, arrived_ms: arrival.at_ms, latency_ms, failure };
        self.samples.borrow_mut().push(sample);
    }

    async fn out_of_patience(&self) {
        while self.end.get().is_none() {
            sleep(Duration::from_millis(100)).await;
        }
        sleep(PATIENCE).await;
    }

    /// All samples from the load's begin on, in the order of arrival. What was due and isn't finished has failed.
    fn samples(&self) -> Vec<Sample> {
        let sent = self.sent.take();
        for arrival in sent {
            self.note(arrival, Some(unfinished()));
        }
        let end = self.end.get().unwrap_or_default();
        let mut arrivals = self.arrivals.borrow_mut();
        let unsent = arrivals.by_ref().take_while(|arrival| arrival.at_ms <= end);
        let waiting: Vec<Arrival> = unsent.take(MOST_UNSENT).collect();
        for arrival in waiting {
            self.note(arrival, Some(unfinished()));
        }
        let mut samples = self.samples.take();
        samples.retain(|sample| sample.arrived_ms >= 0.0);
        samples.sort_by(|a, b| a.arrived_ms.total_cmp(&b.arrived_ms).then(a.statement.cmp(&b.statement)));
        samples
    }
}

/// What a request fails with whose connection broke.
const LOST: &str = "08006";

/// What a prepared statement fails with whose result has another type now. Drivers that keep prepared statements prepare
/// it anew.
const STALE_PLAN: &str = "0A000";

fn failure(error: &tokio_postgres::Error) -> Failure {
    match error.as_db_error() {
        Some(refusal) => {
            Failure { sqlstate: refusal.code().code().to_owned(), message: refusal.message().to_owned() }
        }
        None => Failure { sqlstate: LOST.to_owned(), message: error.to_string() },
    }
}

fn unfinished() -> Failure {
    let message = "the load ended before it was finished".to_owned();
    Failure { sqlstate: UNFINISHED.to_owned(), message }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
