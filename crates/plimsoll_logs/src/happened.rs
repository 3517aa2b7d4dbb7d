//! What a summary keeps of each event that isn't a statement.

use crate::message::automatic::Work;
use crate::message::interruption::{Cause, Conflict};
use crate::message::life::LastRun;
use crate::message::lock_wait::WaitState;
use crate::message::{
    Checkpoint, Connection, Event, Life, LockObject, LockWait as Waited, Phase, Replication,
};
use crate::record::Record;
use crate::severity::Severity;
use crate::summary::{LockWait, Maintenance, Problem, Summary, Who};

/// Who a record is of.
pub(crate) fn who(record: &Record<'_>) -> Who {
    Who {
        application: record.application.to_owned(),
        user: record.user.to_owned(),
        database: record.database.to_owned(),
        host: record.host.to_owned(),
    }
}

/// Whether the record's session is over with it.
pub(crate) fn ends_session(event: &Event<'_>) -> bool {
    matches!(event, Event::Connection(Connection::Ended { .. } | Connection::Received { .. }))
}

/// The name of a statement's phase that isn't its run.
pub(crate) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Parse => "parse",
        Phase::Bind => "bind",
        Phase::Fetch => "fetch",
        _ => "statement",
    }
}

/// Counts an event. `query` is the fingerprint of the statement that it is of, 0 if none is told.
pub(crate) fn count(summary: &mut Summary, record: &Record<'_>, event: &Event<'_>, query: u64) {
    match event {
        Event::Connection(connection) => connected(summary, record, connection),
        Event::LockWait(wait) => waited(summary, record, wait, query),
        Event::TemporaryFile(file) => {
            let files = summary.temporary_files.entry(query).or_default();
            files.files += 1;
            files.bytes += file.bytes;
            files.largest = files.largest.max(file.bytes);
        }
        Event::AutomaticWork(work) => {
            let kind = match work.work {
                Work::Vacuum => Maintenance::Vacuum,
                Work::Analyze => Maintenance::Analyze,
            };
            let table = format!("{}.{}.{}", work.database, work.schema, work.table);
            summary.vacuums.entry((kind, table)).or_default().add(work.figures().elapsed_us);
        }
        Event::Checkpoint(checkpoint) => checkpointed(summary, record, checkpoint),
        _ => {}
    }
    if let Some(name) = name(event) {
        summary.events.entry(name.to_owned()).or_default().add(record.time_us);
    }
    if record.severity >= Severity::Warning {
        problem(summary, record);
    }
    if record.severity >= Severity::Error && query != 0 {
        *summary.failed.entry((query, record.sqlstate.to_owned())).or_default() += 1;
    }
}

fn problem(summary: &mut Summary, record: &Record<'_>) {
    let problem = Problem {
        severity: record.severity,
        sqlstate: record.sqlstate.to_owned(),
        message: crate::normalised::normal_form(record.message),
    };
    summary.problems.entry(problem).or_default().add(record.time_us);
}

fn connected(summary: &mut Summary, record: &Record<'_>, connection: &Connection<'_>) {
    match connection {
        Connection::Authorized(authorized) => {
            // The prefix of this line may not know yet what the message says.
            let mut who = who(record);
            who.user = authorized.user.to_owned();
            who.database = authorized.database.to_owned();
            if !authorized.application.is_empty() {
                who.application = authorized.application.to_owned();
            }
            summary.sessions.entry(who).or_default().connections += 1;
            if let Some(time_us) = record.time_us {
                summary.connected.add(time_us, 1, 0);
            }
        }
        Connection::Ended { session_us, user, database, host } => {
            let mut who = who(record);
            who.user = (*user).to_owned();
            who.database = (*database).to_owned();
            if who.host.is_empty() {
                who.host = (*host).to_owned();
            }
            summary.sessions.entry(who).or_default().ended.add(Some(*session_us));
            if let Some(time_us) = record.time_us {
                summary.disconnected.add(time_us, 1, *session_us);
            }
        }
        Connection::Refused(_) => summary.sessions.entry(who(record)).or_default().refused += 1,
        _ => {}
    }
}

/// What is waited for, and by which query.
pub(crate) fn lock_wait(wait: &Waited<'_>, query: u64) -> LockWait {
    LockWait { mode: wait.mode.to_owned(), object: object(&wait.object), waiting: query }
}

fn waited(summary: &mut Summary, record: &Record<'_>, wait: &Waited<'_>, query: u64) {
    let waits = summary.lock_waits.entry(lock_wait(wait, query)).or_default();
    match wait.state {
        WaitState::Waiting => {
            waits.waits += 1;
            if let Some(time_us) = record.time_us {
                waits.trend.add(time_us, 1, wait.waited_us.unwrap_or(0));
            }
        }
        WaitState::Acquired => waits.acquired.add(wait.waited_us),
        WaitState::Deadlocked | WaitState::Failed | WaitState::Refused => waits.given_up += 1,
        WaitState::Rearranged => {}
    }
}

/// What a lock is on, without what differs from one wait to the next: of a relation its number, of others their kind.
#[must_use]
pub fn object(object: &LockObject<'_>) -> String {
    match object {
        LockObject::Relation { relation, database } => format!("relation {relation} of database {database}"),
        LockObject::Extension { relation, database } => {
            format!("extension of relation {relation} of database {database}")
        }
        LockObject::Page { relation, database, .. } => {
            format!("page of relation {relation} of database {database}")
        }
        LockObject::Tuple { relation, database, .. } => {
            format!("tuple of relation {relation} of database {database}")
        }
        LockObject::Transaction { .. } => "transaction".to_owned(),
        LockObject::VirtualTransaction { .. } => "virtual transaction".to_owned(),
        LockObject::SpeculativeToken { .. } => "speculative token".to_owned(),
        LockObject::FrozenIds { .. } => "frozen ids".to_owned(),
        LockObject::Object { class, .. } => format!("object of class {class}"),
        LockObject::Advisory { .. } => "advisory lock".to_owned(),
        _ => "other".to_owned(),
    }
}

fn checkpointed(summary: &mut Summary, record: &Record<'_>, checkpoint: &Checkpoint<'_>) {
    if let Checkpoint::Complete(complete) = checkpoint {
        let what = if complete.is_restartpoint { "restartpoint" } else { "checkpoint" };
        let figures = complete.figures();
        summary.checkpoints.entry(what.to_owned()).or_default().add(figures.total_us);
        if let Some(time_us) = record.time_us {
            summary.checkpointed.add(time_us, 1, figures.total_us.unwrap_or(0));
        }
    }
}

/// What an event is, in a few words: the names under which reports count them.
#[must_use]
pub const fn kind(event: &Event<'_>) -> &'static str {
    match event {
        Event::Statement(statement) => phase(statement.phase),
        Event::Failure(_) => "failure",
        _ => match name(event) {
            Some(name) => name,
            None => "other",
        },
    }
}

/// The name under which an event is counted.
const fn name(event: &Event<'_>) -> Option<&'static str> {
    Some(match event {
        Event::Statement(_) | Event::Failure(_) | Event::Other => return None,
        Event::Plan(_) => "plan",
        Event::Connection(connection) => match connection {
            Connection::Received { .. } => "connection received",
            Connection::Authenticated { .. } => "connection authenticated",
            Connection::Authorized(_) => "connection authorized",
            Connection::Ready { .. } => "connection ready",
            Connection::Ended { .. } => "disconnection",
            Connection::Lost { .. } => "connection lost",
            Connection::Refused(_) => "connection refused",
        },
        Event::LockWait(_) => "lock wait",
        Event::Deadlock(_) => "deadlock",
        Event::Interruption(interruption) => cause(interruption.cause),
        Event::RecoveryWait(_) => "recovery wait",
        Event::TemporaryFile(_) => "temporary file",
        Event::AutomaticWork(_) => "automatic vacuum or analyze",
        Event::SkippedWork(_) => "skipped vacuum or analyze",
        Event::Checkpoint(Checkpoint::Starting { .. }) => "checkpoint starting",
        Event::Checkpoint(Checkpoint::Complete(_)) => "checkpoint complete",
        Event::Checkpoint(_) => "checkpoints too frequent",
        Event::Replication(replication) => replicated(replication),
        Event::Life(life) => lived(life),
    })
}

/// Why something was interrupted.
const fn cause(cause: Cause<'_>) -> &'static str {
    match cause {
        Cause::LockTimeout => "cancelled by lock_timeout",
        Cause::StatementTimeout => "cancelled by statement_timeout",
        Cause::IdleInTransactionTimeout => "ended by idle_in_transaction_session_timeout",
        Cause::IdleSessionTimeout => "ended by idle_session_timeout",
        Cause::TransactionTimeout => "ended by transaction_timeout",
        Cause::ReplicationTimeout => "replication ended by its timeout",
        Cause::UserRequest => "cancelled by a user's request",
        Cause::Administrator => "ended by an administrator's command",
        Cause::RecoveryConflict(Conflict::Lock) => "cancelled by a recovery conflict over a lock",
        Cause::RecoveryConflict(Conflict::Snapshot) => "cancelled by a recovery conflict over row versions",
        Cause::RecoveryConflict(Conflict::BufferPin) => "cancelled by a recovery conflict over a pinned page",
        Cause::RecoveryConflict(Conflict::Deadlock) => "cancelled by a recovery conflict, a deadlock",
        Cause::RecoveryConflict(_) => "cancelled by a recovery conflict",
        Cause::LockWanted => "autovacuum cancelled for a lock that is wanted",
        Cause::OtherCrash => "ended by another process's crash",
        Cause::ServerEnds => "ended with the server",
        Cause::Promotion => "ended by the promotion",
        Cause::Other(_) => "interrupted",
    }
}

const fn lived(life: &Life<'_>) -> &'static str {
    match life {
        Life::Starting { .. } => "server starting",
        Life::Ready { is_read_only: false } => "server ready",
        Life::Ready { is_read_only: true } => "standby ready",
        Life::ShutdownRequested { .. } => "shutdown requested",
        Life::ShutDown { is_abnormal: true } => "server shut down after a failure",
        Life::ShutDown { .. } => "server shut down",
        Life::PromotionRequested => "promotion requested",
        Life::NewTimeline { .. } => "new timeline",
        Life::LastRun(LastRun::ShutDown { .. }) => "started after a clean shutdown",
        Life::LastRun(_) => "started after a crash or in recovery",
        Life::RedoStarts { .. } => "replay of WAL started",
        Life::RedoDone { .. } => "replay of WAL done",
        Life::ProcessDied(_) => "process died",
        Life::EndingOthers => "sessions ended after a crash",
        Life::StartingAnew => "server starting anew after a crash",
        Life::Reloading => "configuration reloaded",
        Life::Parameter(_) => "parameter changed",
        _ => "server",
    }
}

const fn replicated(replication: &Replication<'_>) -> &'static str {
    match replication {
        Replication::ArchiveFailed { .. } => "archiving failed",
        Replication::ArchiveGaveUp { .. } => "archiving given up for a while",
        Replication::SegmentRemoved { .. } => "WAL removed that a standby needs",
        Replication::SlotInvalidated { .. } => "replication slot invalidated",
        Replication::StreamFailed { .. } => "replication failed",
        _ => "replication",
    }
}
