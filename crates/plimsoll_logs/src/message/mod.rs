//! What a message says: from the server's words, PostgreSQL 12 to 18, to a typed event that borrows from its record.
//!
//! Statements come first and cost one comparison; the rest is told apart by its first byte. Figures in a long message are read when
//! they are asked for. A message that isn't known, or not in English, is a [`Failure`] from WARNING on and [`Event::Other`] below.
//! What a function wrote with RAISE is never taken for the server's own words.

pub mod automatic;
pub mod checkpoint;
pub mod connection;
pub mod deadlock;
pub mod failure;
pub mod interruption;
pub mod life;
pub mod lock_object;
pub mod lock_wait;
pub mod parameters;
pub mod plan;
mod reading;
pub mod refused;
pub mod replication;
pub mod statement;
pub mod temporary_file;

pub use automatic::{AutomaticWork, SkippedWork};
pub use checkpoint::Checkpoint;
pub use connection::Connection;
pub use deadlock::Deadlock;
pub use failure::Failure;
pub use interruption::{Interruption, RecoveryWait};
pub use life::Life;
pub use lock_object::LockObject;
pub use lock_wait::LockWait;
pub use parameters::Parameters;
pub use plan::LoggedPlan;
pub use refused::Refused;
pub use replication::Replication;
pub use statement::{Phase, Statement};
pub use temporary_file::TemporaryFile;

use crate::{Record, Severity};

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A statement, or a phase of one.
    Statement(Statement<'a>),
    /// A statement's plan.
    Plan(LoggedPlan<'a>),
    /// A connection's begin, end or refusal.
    Connection(Connection<'a>),
    /// A process waits for a lock, or no longer does.
    LockWait(LockWait<'a>),
    /// A deadlock, with its circle of waits.
    Deadlock(Deadlock<'a>),
    /// A statement or a session was interrupted.
    Interruption(Interruption<'a>),
    /// A standby's replay waits for its sessions.
    RecoveryWait(RecoveryWait),
    /// A file that a statement spilled to.
    TemporaryFile(TemporaryFile<'a>),
    /// Autovacuum's work on a table.
    AutomaticWork(AutomaticWork<'a>),
    /// A table that vacuum or analyze left out.
    SkippedWork(SkippedWork<'a>),
    /// A checkpoint or restart point.
    Checkpoint(Checkpoint<'a>),
    /// Archiving, standbys, decoding.
    Replication(Replication<'a>),
    /// The server's own life.
    Life(Life<'a>),
    /// Any other warning or error.
    Failure(Failure<'a>),
    /// Anything else.
    Other,
}

/// Says what a record's message is of.
#[must_use]
pub fn understand<'a>(record: &Record<'a>) -> Event<'a> {
    let known = match record.message.strip_prefix("duration: ") {
        Some(rest) if !is_raised(record) => statement::timed(record, rest),
        Some(_) => None,
        None => untimed(record),
    };
    known.unwrap_or_else(|| failure::told(record).map_or(Event::Other, Event::Failure))
}

/// Whether a function wrote it: PL/pgSQL's innermost line of context then ends in `at RAISE`.
fn is_raised(record: &Record<'_>) -> bool {
    !record.context.is_empty()
        && record.context.starts_with("PL/pgSQL function ")
        && record.context.split('\n').next().is_some_and(|line| line.ends_with(" at RAISE"))
}

fn untimed<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    if is_raised(record) {
        return None;
    }
    let event = match record.severity {
        Severity::Log => logged(record),
        Severity::Warning | Severity::Error | Severity::Fatal => complained(record),
        _ => None,
    };
    // Any process of the server may die, and each has its own name.
    event.or_else(|| {
        let is_log = record.severity == Severity::Log;
        is_log.then(|| life::died(record)).flatten().map(|died| Event::Life(Life::ProcessDied(died)))
    })
}

/// What isn't a failure.
fn logged<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let message = record.message;
    let special = match message.as_bytes().first()? {
        b'a' => automatic::told(message)
            .map(Event::AutomaticWork)
            .or_else(|| replication::archive(record).map(Event::Replication)),
        b'c' => connection_or_checkpoint(record),
        b'd' => connection::ended(record).map(Event::Connection),
        b'e' | b'f' => statement::begun(record),
        b'i' => replication::invalidated(record)
            .map(Event::Replication)
            .or_else(|| connection::lost(message).map(Event::Connection)),
        b'l' => replication::logical(message).map(Event::Replication),
        b'p' => lock_wait::told(record).map(Event::LockWait),
        b'r' => recovery_or_replication(record),
        b's' => statement_or_standby(record),
        b't' => spill_or_release(record),
        b'u' => connection::lost(message).map(Event::Connection),
        _ => None,
    };
    special.or_else(|| life::told(record).map(Event::Life))
}

fn connection_or_checkpoint<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let message = record.message;
    match message.as_bytes().get(1)? {
        b'o' => connection::begun(record)
            .or_else(|| connection::lost(message))
            .map(Event::Connection)
            .or_else(|| replication::stream_failed(message).map(Event::Replication)),
        b'h' => checkpoint::told(message).map(Event::Checkpoint),
        _ => interruption::told(record).map(Event::Interruption),
    }
}

fn recovery_or_replication<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let message = record.message;
    if message == "replication terminated by primary server" {
        return Some(Event::Replication(Replication::StreamEnded));
    }
    connection::replication(record)
        .map(Event::Connection)
        .or_else(|| {
            checkpoint::told(message).or_else(|| checkpoint::restart_point(message)).map(Event::Checkpoint)
        })
        .or_else(|| interruption::recovery_wait(message).map(Event::RecoveryWait))
        .or_else(|| replication::started(message).map(Event::Replication))
}

fn statement_or_standby<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let message = record.message;
    statement::begun(record)
        .or_else(|| {
            replication::started(message).or_else(|| replication::standby(message)).map(Event::Replication)
        })
        .or_else(|| automatic::skipped(message).map(Event::SkippedWork))
}

fn spill_or_release<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    temporary_file::told(record.message)
        .map(Event::TemporaryFile)
        .or_else(|| replication::released(record.message).map(Event::Replication))
        .or_else(|| interruption::told(record).map(Event::Interruption))
}

/// What is a failure with an event of its own.
fn complained<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let message = record.message;
    if record.severity == Severity::Fatal
        && let Some(refused) = refused::refused(message)
    {
        return Some(Event::Connection(Connection::Refused(refused)));
    }
    match message.as_bytes().first()? {
        b'a' => replication::archive(record).map(Event::Replication),
        b'c' => interruption::told(record)
            .map(Event::Interruption)
            .or_else(|| connection::lost(message).map(Event::Connection))
            .or_else(|| replication::stream_failed(message).map(Event::Replication)),
        b'd' if message == "deadlock detected" => Some(Event::Deadlock(Deadlock { detail: record.detail })),
        b'r' => replication::removed(message).map(Event::Replication),
        b's' => automatic::skipped(message).map(Event::SkippedWork),
        b't' => interruption::told(record).map(Event::Interruption),
        b'u' => connection::lost(message).map(Event::Connection),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
