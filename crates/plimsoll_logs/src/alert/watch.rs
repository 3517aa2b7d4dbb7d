//! Each record held against the thresholds.

use std::collections::{HashMap, HashSet};

use plimsoll_core::units::{bytes, count, duration_ms};

use super::repeat::Repeats;
use super::window::Window;
use super::{Alert, Baseline, Kind, Wanted, printable};
use crate::happened;
use crate::message::life::LastRun;
use crate::message::lock_wait::WaitState;
use crate::message::{
    Checkpoint, Connection, Event, Life, LockWait, Replication, Statement, TemporaryFile, understand,
};
use crate::normalised::normal_form;
use crate::record::Record;
use crate::severity::Severity;
use crate::steps::Origin;
use crate::tally::Tally;

/// A query is slower if so many of its statements came within the window…
const LEAST_STATEMENTS: u64 = 20;
/// …and one in so many of them, of which one in twenty is expected, passes the baseline's p95 so many times over.
const ONE_IN: u64 = 4;
/// What is quicker isn't called slower, in microseconds.
const LEAST_SLOWER_US: u64 = 10_000;
/// So many new messages and queries are kept.
const MOST_NEW: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub struct Watch {
    wanted: Wanted,
    baseline: Option<Baseline>,
    window_us: i64,
    repeat_us: i64,
    now_us: i64,
    repeats: Repeats,
    failed: Window,
    refused: Window,
    /// Messages that came since the start, where there is no baseline.
    messages: HashSet<String>,
    paces: HashMap<u64, Pace>,
}

/// How many of a query's statements were far slower than usual, since a window began.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    since_us: i64,
    statements: u64,
    slow: u64,
}

/// An alert before it is known whether it is due.
struct Found {
    kind: Kind,
    key: String,
    text: String,
    /// 0 if there is none.
    query: u64,
}

impl Found {
    fn new(kind: Kind, key: impl Into<String>, text: impl Into<String>, query: u64) -> Self {
        Self { kind, key: key.into(), text: text.into(), query }
    }
}

impl Watch {
    pub(super) fn new(wanted: Wanted, baseline: Option<Baseline>, window_us: i64, repeat_us: i64) -> Self {
        Self {
            wanted,
            baseline,
            window_us,
            repeat_us,
            now_us: 0,
            repeats: Repeats::default(),
            failed: Window::default(),
            refused: Window::default(),
            messages: HashSet::new(),
            paces: HashMap::new(),
        }
    }

    /// The latest moment of a record.
    pub(super) const fn now_us(&self) -> i64 {
        self.now_us
    }

    /// Takes a record.
    pub(crate) fn take(&mut self, record: &Record<'_>, tally: &mut Tally) -> Vec<Alert> {
        // Clocks may go back; windows don't.
        self.now_us = self.now_us.max(record.time_us.unwrap_or(self.now_us));
        let mut found = Vec::new();
        let event = understand(record);
        match &event {
            Event::Statement(statement) => self.statement(statement, tally, &mut found),
            Event::Plan(_) | Event::Other => {}
            event => found.extend(self.event(record, event, tally)),
        }
        if record.severity >= Severity::Error {
            self.failure(record, &event, &mut found);
        }
        found.into_iter().filter_map(|found| self.alert(found, Some(record), tally)).collect()
    }

    /// Takes a burst of lookups that is over.
    pub(crate) fn burst(
        &mut self,
        origin: &Origin,
        before: u64,
        statements: u64,
        tally: &Tally,
    ) -> Option<Alert> {
        let least = self.wanted.threshold(Kind::NPlusOne)?;
        if statements < least {
            return None;
        }
        let stream = tally.stream_key(origin);
        let behind = match tally.text(before) {
            Some(text) => format!(", after {text}"),
            None => String::new(),
        };
        let query = tally.text(origin.query).unwrap_or_default();
        let text = format!("{} statements in a row, one for each row: {query}{behind}", count(statements));
        let found = Found::new(Kind::NPlusOne, hexadecimal(origin.query), text, origin.query);
        let mut alert = self.alert(found, None, tally)?;
        alert.application = printable(&stream.who.application);
        alert.database = printable(&stream.who.database);
        Some(alert)
    }

    fn alert(&mut self, found: Found, record: Option<&Record<'_>>, tally: &Tally) -> Option<Alert> {
        let Found { kind, key, text, query } = found;
        let suppressed = self.repeats.due(kind, &key, self.now_us, self.repeat_us)?;
        let mut alert = Alert { suppressed, ..Alert::new(kind, self.now_us, &text) };
        if query != 0 {
            alert.query = printable(tally.text(query).unwrap_or_default());
            alert.fingerprint = hexadecimal(query);
        }
        if let Some(record) = record {
            alert.database = printable(record.database);
            alert.application = printable(record.application);
        }
        Some(alert)
    }

    fn statement(&mut self, statement: &Statement<'_>, tally: &mut Tally, found: &mut Vec<Found>) {
        let Some(duration_us) = statement.duration_us.filter(|_| statement.ran()) else { return };
        let slow = self.wanted.threshold(Kind::SlowStatement).is_some_and(|slow| duration_us >= slow);
        if !slow && self.baseline.is_none() || statement.text.is_empty() {
            return;
        }
        let query = tally.fingerprint(statement.text);
        let form = |tally: &Tally| tally.text(query).unwrap_or_default().to_owned();
        let key = hexadecimal(query);
        if slow {
            let text = format!("a statement took {}: {}", lasted(duration_us), form(tally));
            found.push(Found::new(Kind::SlowStatement, key.clone(), text, query));
        }
        let Some(baseline) = &self.baseline else { return };
        if self.wanted.threshold(Kind::NewQuery).is_some() && !baseline.has_query(query) {
            let text = format!("a query that the baseline doesn't have: {}", form(tally));
            found.push(Found::new(Kind::NewQuery, key.clone(), text, query));
        }
        if let (Some(times), Some(p95_us)) =
            (self.wanted.threshold(Kind::SlowerQuery), baseline.p95_us(query))
            && let Some(pace) = self.slower(query, duration_us, p95_us.saturating_mul(times))
        {
            let text = format!(
                "{} of {} statements took more than {times} times the baseline's p95 of {}: {}",
                pace.slow,
                pace.statements,
                lasted(p95_us),
                form(tally)
            );
            found.push(Found::new(Kind::SlowerQuery, key, text, query));
        }
    }

    fn slower(&mut self, query: u64, duration_us: u64, usual_us: u64) -> Option<Pace> {
        let pace = self.paces.entry(query).or_default();
        if self.now_us.saturating_sub(pace.since_us) >= self.window_us {
            *pace = Pace { since_us: self.now_us, ..Pace::default() };
        }
        pace.statements += 1;
        pace.slow += u64::from(duration_us > usual_us.max(LEAST_SLOWER_US));
        let is_slower = pace.statements >= LEAST_STATEMENTS && pace.slow * ONE_IN >= pace.statements;
        is_slower.then_some(*pace)
    }

    fn event(&mut self, record: &Record<'_>, event: &Event<'_>, tally: &mut Tally) -> Option<Found> {
        let found = match event {
            Event::Deadlock(deadlock) => {
                let queries: Vec<u64> = deadlock.queries().map(|(_, text)| tally.fingerprint(text)).collect();
                let texts: Vec<&str> = queries.iter().filter_map(|query| tally.text(*query)).collect();
                let mut key: Vec<String> = queries.iter().map(|query| hexadecimal(*query)).collect();
                key.sort();
                let text = format!("deadlock of {}", texts.join(" and "));
                Found::new(Kind::Deadlock, key.join(" "), text, queries.first().copied().unwrap_or(0))
            }
            Event::LockWait(wait) => self.lock_wait(record, wait, tally)?,
            Event::TemporaryFile(file) => self.temporary_file(record, file, tally)?,
            Event::Checkpoint(Checkpoint::TooFrequent { apart_s }) => {
                let text = format!(
                    "checkpoints come every {apart_s} s, sooner than checkpoint_timeout: raise max_wal_size"
                );
                Found::new(Kind::Checkpoints, "", text, 0)
            }
            Event::Replication(replication) => {
                let text = trouble(replication)?;
                Found::new(Kind::Replication, text, text, 0)
            }
            Event::Life(life) => Found::new(Kind::Crash, "", crashed(life)?, 0),
            Event::Connection(Connection::Refused(_)) => {
                let least = self.wanted.threshold(Kind::RefusedConnections)?;
                if !self.refused.reaches(self.now_us, least, self.window_us) {
                    return None;
                }
                let text =
                    format!("{least} connections refused within {}", lasted(self.window_us.unsigned_abs()));
                Found::new(Kind::RefusedConnections, "", text, 0)
            }
            _ => return None,
        };
        self.wanted.threshold(found.kind).is_some().then_some(found)
    }

    fn lock_wait(&self, record: &Record<'_>, wait: &LockWait<'_>, tally: &mut Tally) -> Option<Found> {
        let waited_us = wait
            .waited_us
            .filter(|waited| self.wanted.threshold(Kind::LockWait).is_some_and(|least| *waited >= least))?;
        let query = if record.statement.is_empty() { 0 } else { tally.fingerprint(record.statement) };
        let object = happened::object(&wait.object);
        let for_now = if wait.state == WaitState::Waiting { "has waited" } else { "waited" };
        let text = format!(
            "a session {for_now} {} for {} on {object}: {}",
            lasted(waited_us),
            wait.mode,
            tally.text(query).unwrap_or_default()
        );
        Some(Found::new(Kind::LockWait, format!("{object} {}", hexadecimal(query)), text, query))
    }

    fn temporary_file(
        &self,
        record: &Record<'_>,
        file: &TemporaryFile<'_>,
        tally: &mut Tally,
    ) -> Option<Found> {
        let least = self.wanted.threshold(Kind::TemporaryFile)?;
        if file.bytes < least {
            return None;
        }
        let query = if record.statement.is_empty() { 0 } else { tally.fingerprint(record.statement) };
        let form = tally.text(query).unwrap_or_default();
        let text = format!("a temporary file of {}: {form}", bytes(file.bytes));
        Some(Found::new(Kind::TemporaryFile, hexadecimal(query), text, query))
    }

    fn failure(&mut self, record: &Record<'_>, event: &Event<'_>, found: &mut Vec<Found>) {
        let message = normal_form(record.message);
        let severity = record.severity.word();
        if record.severity == Severity::Panic && self.wanted.threshold(Kind::Crash).is_some() {
            found.push(Found::new(Kind::Crash, "", format!("PANIC: {message}"), 0));
        }
        let is_fatal = record.severity == Severity::Fatal && matches!(event, Event::Failure(_));
        if is_fatal && self.wanted.threshold(Kind::Fatal).is_some() {
            found.push(Found::new(Kind::Fatal, message.clone(), format!("FATAL: {message}"), 0));
        }
        if let Some(least) = self.wanted.threshold(Kind::FailedStatements)
            && record.severity == Severity::Error
            && self.failed.reaches(self.now_us, least, self.window_us)
        {
            let window = lasted(self.window_us.unsigned_abs());
            let text =
                format!("{least} statements failed within {window}, the last with {severity}: {message}");
            found.push(Found::new(Kind::FailedStatements, "", text, 0));
        }
        if self.wanted.threshold(Kind::NewError).is_some() && self.is_new(&message) {
            let text = format!("an error that wasn't there before: {severity}: {message}");
            found.push(Found::new(Kind::NewError, message, text, 0));
        }
    }

    fn is_new(&mut self, message: &str) -> bool {
        match &self.baseline {
            Some(baseline) => !baseline.has_error(message),
            None => self.messages.len() < MOST_NEW && self.messages.insert(message.to_owned()),
        }
    }
}

fn lasted(duration_us: u64) -> String {
    duration_ms(duration_us as f64 / 1000.0)
}

fn hexadecimal(query: u64) -> String {
    format!("{query:016x}")
}

const fn crashed(life: &Life<'_>) -> Option<&'static str> {
    Some(match life {
        Life::ProcessDied(_) => "a process of the server died",
        Life::EndingOthers => "the server ends all sessions after a crash",
        Life::StartingAnew => "the server starts anew after a crash",
        Life::ShutDown { is_abnormal: true } => "the server shut down after a failure",
        Life::LastRun(LastRun::Interrupted { .. } | LastRun::Recovering) => "the server starts after a crash",
        _ => return None,
    })
}

const fn trouble(replication: &Replication<'_>) -> Option<&'static str> {
    Some(match replication {
        Replication::ArchiveFailed { .. } => "archiving of WAL fails",
        Replication::ArchiveGaveUp { .. } => "archiving of WAL was given up for a while",
        Replication::SegmentRemoved { .. } => "WAL was removed that a standby needs",
        Replication::SlotInvalidated { .. } => "a replication slot was invalidated",
        Replication::StreamFailed { .. } => "a replication stream failed",
        _ => return None,
    })
}
