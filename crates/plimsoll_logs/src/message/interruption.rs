//! Statements that were cancelled and sessions that were ended, with the cause.

use super::reading::{between, thousandths};
use crate::Record;

/// What was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interrupted {
    /// A statement; the session lives on.
    Statement,
    /// A session.
    Session,
    /// The work of an autovacuum worker on a table; another session wanted the table's lock.
    AutomaticWork,
    /// An autovacuum worker or launcher.
    AutovacuumProcess,
    /// Waiting for a synchronous standby.
    SynchronousWait,
    /// A sender of WAL.
    WalSender,
    /// A receiver of WAL.
    WalReceiver,
    /// A background worker, logical replication's included.
    BackgroundWorker,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause<'a> {
    /// `lock_timeout`.
    LockTimeout,
    /// `statement_timeout`.
    StatementTimeout,
    /// `idle_in_transaction_session_timeout`.
    IdleInTransactionTimeout,
    /// `idle_session_timeout`, since 14.
    IdleSessionTimeout,
    /// `transaction_timeout`, since 17.
    TransactionTimeout,
    /// `wal_sender_timeout`, `wal_receiver_timeout`.
    ReplicationTimeout,
    /// `pg_cancel_backend` or the client's request.
    UserRequest,
    /// `pg_terminate_backend` or the server's shutdown.
    Administrator,
    /// A standby had to replay what the statement was in the way of.
    RecoveryConflict(Conflict),
    /// A lock that another session wants.
    LockWanted,
    /// Another process of the server crashed.
    OtherCrash,
    /// The server was shut down at once, or its main process died.
    ServerEnds,
    /// The standby was promoted.
    Promotion,
    /// Words that aren't known.
    Other(&'a str),
}

/// What a standby's statement was in the way of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conflict {
    /// A relation's lock.
    Lock,
    /// Removal of row versions.
    Snapshot,
    /// A page that was pinned.
    BufferPin,
    /// A page that was pinned by somebody who waited for the replay.
    Deadlock,
    /// A tablespace that was dropped.
    Tablespace,
    /// A database that was dropped.
    Database,
    /// A logical slot that was invalidated, since 16.
    LogicalSlot,
    /// The log doesn't say.
    Unknown,
}

/// An interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interruption<'a> {
    /// What was interrupted.
    pub what: Interrupted,
    /// Why.
    pub cause: Cause<'a>,
    /// `database.schema.table` for the work of autovacuum; empty otherwise.
    pub table: &'a str,
}

/// A standby's replay waits for its sessions (`log_recovery_conflict_waits`, since 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryWait {
    /// Whether it has ended.
    pub is_over: bool,
    /// How long it has waited, in microseconds.
    pub waited_us: u64,
    /// For what.
    pub conflict: Conflict,
}

/// Reads a message that begins with `canceling ` or `terminating `.
pub(super) fn told<'a>(record: &Record<'a>) -> Option<Interruption<'a>> {
    if record.message == "canceling autovacuum task" {
        let table = between(record.context, " of table \"", "\"").unwrap_or_default();
        return Some(Interruption { what: Interrupted::AutomaticWork, cause: Cause::LockWanted, table });
    }
    let rest =
        record.message.strip_prefix("canceling ").or_else(|| record.message.strip_prefix("terminating "))?;
    let (what, why) = rest
        .split_once(" due to ")
        .or_else(|| rest.split_once(" because of "))
        .or_else(|| rest.split_once(" because "))
        .or_else(|| rest.split_once(" after "))?;
    Some(Interruption { what: interrupted(what)?, cause: cause(why, record.detail), table: "" })
}

fn interrupted(what: &str) -> Option<Interrupted> {
    Some(match what {
        "statement" => Interrupted::Statement,
        "connection" => Interrupted::Session,
        "autovacuum process" => Interrupted::AutovacuumProcess,
        "walsender process" => Interrupted::WalSender,
        "walreceiver process" | "walreceiver" => Interrupted::WalReceiver,
        "wait for synchronous replication"
        | "the wait for synchronous replication and terminating connection" => Interrupted::SynchronousWait,
        _ if what.starts_with("background worker ") => Interrupted::BackgroundWorker,
        _ if what.starts_with("logical replication ") => Interrupted::BackgroundWorker,
        _ => return None,
    })
}

fn cause<'a>(why: &'a str, detail: &str) -> Cause<'a> {
    match why {
        "lock timeout" => Cause::LockTimeout,
        "statement timeout" => Cause::StatementTimeout,
        "idle-in-transaction timeout" => Cause::IdleInTransactionTimeout,
        "idle-session timeout" => Cause::IdleSessionTimeout,
        "transaction timeout" => Cause::TransactionTimeout,
        "replication timeout" | "timeout" | "timeout while waiting for upstream to catch up" => {
            Cause::ReplicationTimeout
        }
        "user request" => Cause::UserRequest,
        "administrator command" => Cause::Administrator,
        "conflict with recovery" => Cause::RecoveryConflict(conflict(detail)),
        "crash of another server process" => Cause::OtherCrash,
        "immediate shutdown command" | "unexpected postmaster exit" | "unexpected SIGQUIT signal" => {
            Cause::ServerEnds
        }
        "promotion" => Cause::Promotion,
        other => Cause::Other(other),
    }
}

fn conflict(detail: &str) -> Conflict {
    let Some(rest) = detail.strip_prefix("User ") else { return Conflict::Unknown };
    match rest {
        _ if rest.starts_with("was holding a relation lock") => Conflict::Lock,
        _ if rest.starts_with("query might have needed") => Conflict::Snapshot,
        _ if rest.starts_with("was holding shared buffer pin") => Conflict::BufferPin,
        _ if rest.starts_with("transaction caused buffer deadlock") => Conflict::Deadlock,
        _ if rest.starts_with("was or might have been using tablespace") => Conflict::Tablespace,
        _ if rest.starts_with("was connected to a database") => Conflict::Database,
        _ if rest.starts_with("was using a logical") => Conflict::LogicalSlot,
        _ => Conflict::Unknown,
    }
}

/// Reads a message such as `recovery still waiting after 1000.123 ms: recovery conflict on lock`.
pub(super) fn recovery_wait(message: &str) -> Option<RecoveryWait> {
    let rest = message.strip_prefix("recovery ")?;
    let (is_over, rest) = match rest.strip_prefix("still waiting after ") {
        Some(rest) => (false, rest),
        None => (true, rest.strip_prefix("finished waiting after ")?),
    };
    let (waited_us, rest) = thousandths(rest)?;
    let conflict = match rest.strip_prefix(" ms: recovery conflict on ")? {
        "lock" => Conflict::Lock,
        "snapshot" => Conflict::Snapshot,
        "buffer pin" => Conflict::BufferPin,
        "buffer deadlock" => Conflict::Deadlock,
        "tablespace" => Conflict::Tablespace,
        "database" => Conflict::Database,
        "replication slot" => Conflict::LogicalSlot,
        _ => Conflict::Unknown,
    };
    Some(RecoveryWait { is_over, waited_us, conflict })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;
    use crate::message::{Event, understand};

    #[track_caller]
    fn check(severity: Severity, message: &str, detail: &str, what: Interrupted, cause: Cause<'_>) {
        let found = understand(&Record { detail, ..Record::new(severity, message) });
        assert_eq!(found, Event::Interruption(Interruption { what, cause, table: "" }), "{message}");
    }

    #[test]
    fn statements_are_cancelled_for_causes() {
        let check = |why: &str, detail, cause| {
            let message = format!("canceling statement due to {why}");
            check(Severity::Error, &message, detail, Interrupted::Statement, cause);
        };
        check("lock timeout", "", Cause::LockTimeout);
        check("statement timeout", "", Cause::StatementTimeout);
        check("user request", "", Cause::UserRequest);
        for (detail, conflict) in [
            ("User was holding a relation lock for too long.", Conflict::Lock),
            ("User query might have needed to see row versions that must be removed.", Conflict::Snapshot),
            ("User was holding shared buffer pin for too long.", Conflict::BufferPin),
            ("User transaction caused buffer deadlock with recovery.", Conflict::Deadlock),
            ("User was using a logical replication slot that must be invalidated.", Conflict::LogicalSlot),
            ("", Conflict::Unknown),
        ] {
            check("conflict with recovery", detail, Cause::RecoveryConflict(conflict));
        }
    }

    #[test]
    fn sessions_are_ended_for_causes() {
        for (why, cause) in [
            ("due to administrator command", Cause::Administrator),
            ("due to idle-in-transaction timeout", Cause::IdleInTransactionTimeout),
            ("due to idle-session timeout", Cause::IdleSessionTimeout),
            ("due to transaction timeout", Cause::TransactionTimeout),
            ("because of crash of another server process", Cause::OtherCrash),
            ("due to immediate shutdown command", Cause::ServerEnds),
            ("due to unexpected postmaster exit", Cause::ServerEnds),
            ("because protocol synchronization was lost", Cause::Other("protocol synchronization was lost")),
        ] {
            let message = format!("terminating connection {why}");
            check(Severity::Fatal, &message, "", Interrupted::Session, cause);
        }
        for (message, what, cause) in [
            (
                "terminating walsender process due to replication timeout",
                Interrupted::WalSender,
                Cause::ReplicationTimeout,
            ),
            ("terminating walreceiver due to timeout", Interrupted::WalReceiver, Cause::ReplicationTimeout),
            (
                "terminating background worker \"parallel worker\" due to administrator command",
                Interrupted::BackgroundWorker,
                Cause::Administrator,
            ),
            (
                "terminating autovacuum process due to administrator command",
                Interrupted::AutovacuumProcess,
                Cause::Administrator,
            ),
            (
                "canceling wait for synchronous replication due to user request",
                Interrupted::SynchronousWait,
                Cause::UserRequest,
            ),
        ] {
            check(Severity::Fatal, message, "", what, cause);
        }
    }

    #[test]
    fn autovacuum_gives_way() {
        let context = "while scanning block 3 of relation \"public.ships\"\nautomatic vacuum of table \"shop.public.ships\"";
        let record = Record { context, ..Record::new(Severity::Error, "canceling autovacuum task") };
        assert_eq!(
            understand(&record),
            Event::Interruption(Interruption {
                what: Interrupted::AutomaticWork,
                cause: Cause::LockWanted,
                table: "shop.public.ships",
            })
        );
    }

    #[test]
    fn a_standby_waits_for_its_sessions() {
        for (words, is_over) in [("still", false), ("finished", true)] {
            let message =
                format!("recovery {words} waiting after 1000.123 ms: recovery conflict on buffer pin");
            let expected = RecoveryWait { is_over, waited_us: 1_000_123, conflict: Conflict::BufferPin };
            assert_eq!(understand(&Record::new(Severity::Log, &message)), Event::RecoveryWait(expected));
        }
    }
}
