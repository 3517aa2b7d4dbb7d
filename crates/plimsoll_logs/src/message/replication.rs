//! WAL's way to archives and standbys, and logical decoding.

use super::reading::{between, number, small_number};
use crate::Record;

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication<'a> {
    /// `archive_command` failed.
    ArchiveFailed {
        /// Its exit code; None if a signal ended it.
        exit_code: Option<u32>,
        /// The signal; None if it exited.
        signal: Option<u32>,
        /// The command; empty where the log doesn't say.
        command: &'a str,
    },
    /// A file failed too often; the archiver tries again later.
    ArchiveGaveUp {
        /// The file of WAL.
        file: &'a str,
    },
    /// A standby reads the primary's WAL.
    StreamStarted {
        /// From where.
        lsn: &'a str,
        /// The timeline.
        timeline: u32,
        /// Whether it goes on after an end.
        is_restart: bool,
    },
    /// The primary ended it.
    StreamEnded,
    /// It broke, or didn't come about.
    StreamFailed {
        /// The server's words.
        reason: &'a str,
    },
    /// A standby asked for WAL that is gone.
    SegmentRemoved {
        /// The file of WAL.
        segment: &'a str,
    },
    /// A standby's part in synchronous replication changed.
    Synchronous {
        /// Its `application_name`.
        standby: &'a str,
        /// Its priority; None in a quorum.
        priority: Option<u32>,
    },
    /// Decoding begins.
    DecodingStarted {
        /// The slot.
        slot: &'a str,
    },
    /// Decoding found a place to begin at.
    DecodingConsistent {
        /// The place in WAL.
        lsn: &'a str,
    },
    /// A slot lost what it kept.
    SlotInvalidated {
        /// The slot.
        slot: &'a str,
        /// Why; empty where the log doesn't say.
        reason: &'a str,
    },
    /// A process was ended to release a slot.
    SlotReleased {
        /// The slot.
        slot: &'a str,
        /// The process.
        process: u32,
    },
    /// A worker of a subscription began, ended or restarts.
    Worker {
        /// The subscription; empty for the launcher.
        subscription: &'a str,
        /// The server's words, from the worker's kind on.
        message: &'a str,
    },
}

/// Reads a message that begins with `archive` or `archiving`.
pub(super) fn archive<'a>(record: &Record<'a>) -> Option<Replication<'a>> {
    if let Some(rest) = record.message.strip_prefix("archiving write-ahead log file \"") {
        return Some(Replication::ArchiveGaveUp {
            file: rest.strip_suffix("\" failed too many times, will try again later")?,
        });
    }
    let rest = record.message.strip_prefix("archive command ")?;
    let behind = |phrase| rest.strip_prefix(phrase).and_then(small_number).map(|(value, _)| value);
    let (exit_code, signal) = (behind("failed with exit code "), behind("was terminated by signal "));
    let is_failure =
        exit_code.is_some() || signal.is_some() || rest.starts_with("was terminated by exception");
    let command = record.detail.strip_prefix("The failed archive command was: ").unwrap_or_default();
    is_failure.then_some(Replication::ArchiveFailed { exit_code, signal, command })
}

/// Reads a message that begins with `could not `.
pub(super) fn stream_failed(message: &str) -> Option<Replication<'_>> {
    let rest = message.strip_prefix("could not ")?;
    let is_stream = rest.starts_with("receive data from WAL stream")
        || rest.starts_with("send data to WAL stream")
        || rest.starts_with("connect to the primary server")
        || rest.starts_with("connect to the publisher")
        || rest.starts_with("start WAL streaming")
        || rest.starts_with("send end-of-streaming message to primary");
    match removed(rest) {
        Some(gone) if is_stream => Some(gone),
        _ => is_stream.then_some(Replication::StreamFailed { reason: message }),
    }
}

/// Reads `requested WAL segment … has already been removed`, which a standby tells inside another message.
pub(super) fn removed(message: &str) -> Option<Replication<'_>> {
    let segment = between(message, "requested WAL segment ", " has already been removed")?;
    Some(Replication::SegmentRemoved { segment })
}

/// Reads a message that begins with `started `, `restarted ` or `starting `.
pub(super) fn started(message: &str) -> Option<Replication<'_>> {
    if let Some(rest) = message.strip_prefix("starting logical decoding for slot \"") {
        return Some(Replication::DecodingStarted { slot: rest.strip_suffix('"')? });
    }
    let (is_restart, rest) = match message.strip_prefix("re") {
        Some(rest) => (true, rest.strip_prefix("started WAL streaming at ")?),
        None => (false, message.strip_prefix("started streaming WAL from primary at ")?),
    };
    let (lsn, rest) = rest.split_once(" on timeline ")?;
    let (timeline, _) = small_number(rest)?;
    Some(Replication::StreamStarted { lsn, timeline, is_restart })
}

/// Reads a message that begins with `standby "`.
pub(super) fn standby(message: &str) -> Option<Replication<'_>> {
    let (standby, rest) = message.strip_prefix("standby \"")?.rsplit_once("\" ")?;
    let rest = rest.strip_prefix("is now ").or_else(|| rest.strip_prefix("now has "))?;
    let priority = rest.split_once("synchronous standby").and_then(|(_, rest)| {
        let rest = rest.trim_start_matches(" with").strip_prefix(" priority ")?;
        u32::try_from(number(rest)?.0).ok()
    });
    rest.contains("synchronous standby").then_some(Replication::Synchronous { standby, priority })
}

/// Reads a message that begins with `logical `.
pub(super) fn logical(message: &str) -> Option<Replication<'_>> {
    let rest = message.strip_prefix("logical ")?;
    if let Some(found) = rest.strip_prefix("decoding found ") {
        let (_, lsn) = found.split_once(" point at ")?;
        return Some(Replication::DecodingConsistent { lsn });
    }
    let rest = rest.strip_prefix("replication ")?;
    let subscription = between(rest, "subscription \"", "\"").unwrap_or_default();
    Some(Replication::Worker { subscription, message: rest })
}

/// Reads a message that begins with `invalidating `.
pub(super) fn invalidated<'a>(record: &Record<'a>) -> Option<Replication<'a>> {
    let rest = record.message.strip_prefix("invalidating ")?;
    let rest = rest.strip_prefix("obsolete replication ").unwrap_or(rest);
    let (slot, rest) = rest.strip_prefix("slot \"")?.split_once('"')?;
    let reason = rest.strip_prefix(" because ").unwrap_or(record.detail);
    Some(Replication::SlotInvalidated { slot, reason })
}

/// Reads a message such as `terminating process 12 to release replication slot "a"`.
pub(super) fn released(message: &str) -> Option<Replication<'_>> {
    let (process, rest) = small_number(message.strip_prefix("terminating process ")?)?;
    let slot = rest.strip_prefix(" to release replication slot \"")?.strip_suffix('"')?;
    Some(Replication::SlotReleased { slot, process })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;
    use crate::message::{Event, understand};

    #[track_caller]
    fn check(severity: Severity, message: &str, detail: &str, expected: Replication<'_>) {
        let found = understand(&Record { detail, ..Record::new(severity, message) });
        assert_eq!(found, Event::Replication(expected), "{message}");
    }

    #[test]
    fn archiving_fails() {
        let command = "test ! -f /a && cp pg_wal/1 /a";
        let detail = format!("The failed archive command was: {command}");
        let failed = |exit_code, signal| Replication::ArchiveFailed { exit_code, signal, command };
        check(Severity::Log, "archive command failed with exit code 1", &detail, failed(Some(1), None));
        let message = "archive command was terminated by signal 9: Killed";
        check(Severity::Fatal, message, &detail, failed(None, Some(9)));
        let message = "archiving write-ahead log file \"000000010000000000000001\" failed too many times, will try again later";
        let file = "000000010000000000000001";
        check(Severity::Warning, message, "", Replication::ArchiveGaveUp { file });
    }

    #[test]
    fn standbys_read_the_primarys_wal() {
        let started = |lsn, is_restart| Replication::StreamStarted { lsn, timeline: 1, is_restart };
        let log = |message, expected| check(Severity::Log, message, "", expected);
        log("started streaming WAL from primary at 0/3000000 on timeline 1", started("0/3000000", false));
        log("restarted WAL streaming at 0/4000000 on timeline 1", started("0/4000000", true));
        log("replication terminated by primary server", Replication::StreamEnded);
        let reason = "could not receive data from WAL stream: server closed the connection unexpectedly";
        check(Severity::Fatal, reason, "", Replication::StreamFailed { reason });
        let segment = "000000010000000000000003";
        let gone = format!("requested WAL segment {segment} has already been removed");
        check(Severity::Error, &gone, "", Replication::SegmentRemoved { segment });
        let gone = format!("could not receive data from WAL stream: ERROR:  {gone}");
        check(Severity::Fatal, &gone, "", Replication::SegmentRemoved { segment });
    }

    #[test]
    fn standbys_become_synchronous() {
        for (rest, priority) in [
            ("is now a synchronous standby with priority 1", Some(1)),
            ("now has synchronous standby priority 2", Some(2)),
            ("is now a candidate for quorum synchronous standby", None),
        ] {
            let message = format!("standby \"s 1\" {rest}");
            check(Severity::Log, &message, "", Replication::Synchronous { standby: "s 1", priority });
        }
    }

    #[test]
    fn decoding_has_slots() {
        let slot = "a";
        let log = |message: &str, detail: &str, expected: Replication<'_>| {
            check(Severity::Log, message, detail, expected)
        };
        log("starting logical decoding for slot \"a\"", "", Replication::DecodingStarted { slot });
        for words in ["consistent", "initial starting", "initial consistent"] {
            let message = format!("logical decoding found {words} point at 0/15A2B40");
            log(
                &message,
                "There are no running transactions.",
                Replication::DecodingConsistent { lsn: "0/15A2B40" },
            );
        }
        let reason = "its restart_lsn 0/1 exceeds max_slot_wal_keep_size";
        let message = format!("invalidating slot \"a\" because {reason}");
        log(&message, "", Replication::SlotInvalidated { slot, reason });
        let reason = "The slot's restart_lsn 0/1 exceeds the limit by 1 bytes.";
        let message = "invalidating obsolete replication slot \"a\"";
        log(message, reason, Replication::SlotInvalidated { slot, reason });
        let message = "terminating process 12 to release replication slot \"a\"";
        log(message, "", Replication::SlotReleased { slot, process: 12 });
        let message = "logical replication apply worker for subscription \"s\" has started";
        log(
            message,
            "",
            Replication::Worker { subscription: "s", message: &message["logical replication ".len()..] },
        );
    }
}
