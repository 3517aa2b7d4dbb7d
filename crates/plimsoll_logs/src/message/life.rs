//! The server's own life: start, recovery, settings, crashes of its processes, shutdown.

use super::reading::{between, small_number};
use crate::Record;

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life<'a> {
    /// `starting PostgreSQL …`.
    Starting {
        /// Its version, from `PostgreSQL` on.
        version: &'a str,
    },
    /// `listening on …`.
    Listening {
        /// Such as `Unix socket "/run/.s.PGSQL.5432"` or `IPv4 address "0.0.0.0", port 5432`.
        place: &'a str,
    },
    /// It accepts connections.
    Ready {
        /// Whether only for reading, as a standby.
        is_read_only: bool,
    },
    /// A shutdown was asked for.
    ShutdownRequested {
        /// `smart`, `fast` or `immediate`.
        mode: &'a str,
    },
    /// Sessions are ended for it: `aborting any active transactions`.
    EndingSessions,
    /// The last checkpoint begins: `shutting down`.
    ShuttingDown,
    /// A standby was asked to become a primary.
    PromotionRequested,
    /// It is shut down, the last message but one; `abnormal database system shutdown` too.
    ShutDown {
        /// Whether after a failure.
        is_abnormal: bool,
    },
    /// What state the last run left.
    LastRun(LastRun<'a>),
    /// Replay of WAL begins.
    RedoStarts {
        /// Where.
        lsn: &'a str,
    },
    /// Replay goes on, since 15.
    RedoInProgress {
        /// Where.
        lsn: &'a str,
    },
    /// Replay is done.
    RedoDone {
        /// Where.
        lsn: &'a str,
    },
    /// Where WAL ends, or can't be read further: what stands there is no record.
    WalEnds {
        /// The server's words.
        reason: &'a str,
    },
    /// There was nothing to replay.
    RedoNotRequired,
    /// What was replayed is consistent.
    Consistent {
        /// Where.
        lsn: &'a str,
    },
    /// A standby begins its work.
    StandbyMode,
    /// A file came out of the archive.
    Restored {
        /// The file of WAL.
        file: &'a str,
    },
    /// A recovery from an archive is done.
    ArchiveRecoveryComplete,
    /// The timeline after a promotion.
    NewTimeline {
        /// Its number.
        timeline: u32,
    },
    /// A process of the server ended otherwise than it should.
    ProcessDied(ProcessDied<'a>),
    /// The others are ended because of that.
    EndingOthers,
    /// All are ended, and the server starts anew.
    StartingAnew,
    /// `SIGHUP`: the configuration is read again.
    Reloading,
    /// A setting.
    Parameter(Parameter<'a>),
}

/// What state the last run left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastRun<'a> {
    /// It was shut down.
    ShutDown {
        /// When, in the server's words.
        at: &'a str,
    },
    /// It was interrupted.
    Interrupted {
        /// When it was last known to be up, in the server's words.
        at: &'a str,
    },
    /// Its crash is recovered from now.
    Recovering,
}

/// A process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessDied<'a> {
    /// What it was, such as `server process` or `checkpointer process`.
    pub what: &'a str,
    /// Its number.
    pub process: u32,
    /// Its exit code; None if a signal ended it.
    pub exit_code: Option<u32>,
    /// The signal; None if it exited.
    pub signal: Option<u32>,
    /// The statement that it ran; empty where the log doesn't say.
    pub running: &'a str,
}

/// What became of a setting when the configuration was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter<'a> {
    /// It changed.
    Changed {
        /// Its name.
        name: &'a str,
        /// Its new value.
        value: &'a str,
    },
    /// It is gone from the file.
    Reset {
        /// Its name.
        name: &'a str,
    },
    /// It changes only with a restart.
    NeedsRestart {
        /// Its name.
        name: &'a str,
    },
    /// Its value can't be used.
    Invalid {
        /// Its name.
        name: &'a str,
        /// The value; empty where the log doesn't say.
        value: &'a str,
    },
    /// There is none of this name.
    Unknown {
        /// The name.
        name: &'a str,
    },
    /// The whole file has errors.
    FileInvalid {
        /// The file.
        file: &'a str,
    },
}

/// Reads a message of severity LOG (a broken configuration's may be FATAL).
pub(super) fn told<'a>(record: &Record<'a>) -> Option<Life<'a>> {
    let message = record.message;
    match message.as_bytes().first()? {
        b'a' => ended(message),
        b'c' => consistent(message).or_else(|| setting(message).map(Life::Parameter)),
        b'd' => database_system(message),
        b'e' => (message == "entering standby mode").then_some(Life::StandbyMode),
        b'i' | b'u' => setting(message).map(Life::Parameter).or_else(|| end_of_wal(message)),
        b'o' => end_of_wal(message),
        b'p' => setting(message).map(Life::Parameter),
        b'l' => Some(Life::Listening { place: message.strip_prefix("listening on ")? }),
        b'r' => requested(message).or_else(|| redo(message)).or_else(|| end_of_wal(message)),
        b's' => starting(message),
        b't' => (message == "terminating any other active server processes").then_some(Life::EndingOthers),
        _ => None,
    }
}

fn ended(message: &str) -> Option<Life<'_>> {
    match message {
        "all server processes terminated; reinitializing" => Some(Life::StartingAnew),
        "abnormal database system shutdown" => Some(Life::ShutDown { is_abnormal: true }),
        "aborting any active transactions" => Some(Life::EndingSessions),
        "archive recovery complete" => Some(Life::ArchiveRecoveryComplete),
        _ => None,
    }
}

fn end_of_wal(message: &str) -> Option<Life<'_>> {
    const BEGINS: &[&str] = &[
        "incorrect resource manager data checksum in record at ",
        "invalid info bits ",
        "invalid magic number ",
        "invalid record length at ",
        "invalid record offset at ",
        "invalid resource manager ID ",
        "out-of-sequence timeline ID ",
        "record with incorrect prev-link ",
        "unexpected pageaddr ",
    ];
    BEGINS.iter().any(|begin| message.starts_with(begin)).then_some(Life::WalEnds { reason: message })
}

fn consistent(message: &str) -> Option<Life<'_>> {
    let lsn = message.strip_prefix("consistent recovery state reached at ")?;
    Some(Life::Consistent { lsn })
}

fn database_system(message: &str) -> Option<Life<'_>> {
    match message.strip_prefix("database system ")? {
        "is ready to accept connections" => Some(Life::Ready { is_read_only: false }),
        // Up to 13 it says `read only`.
        "is ready to accept read-only connections" | "is ready to accept read only connections" => {
            Some(Life::Ready { is_read_only: true })
        }
        "is shut down" => Some(Life::ShutDown { is_abnormal: false }),
        "was not properly shut down; automatic recovery in progress" => {
            Some(Life::LastRun(LastRun::Recovering))
        }
        rest => last_run(rest).map(Life::LastRun),
    }
}

fn last_run(rest: &str) -> Option<LastRun<'_>> {
    let at = || rest.split_once(" at ").map_or("", |(_, at)| at.trim_start_matches("log time "));
    if rest.starts_with("was shut down ") {
        return Some(LastRun::ShutDown { at: at() });
    }
    let is_interrupted = rest.starts_with("was interrupted") || rest.starts_with("shutdown was interrupted");
    is_interrupted.then(|| LastRun::Interrupted { at: at() })
}

fn requested(message: &str) -> Option<Life<'_>> {
    match message.strip_prefix("received ")? {
        "SIGHUP, reloading configuration files" => Some(Life::Reloading),
        "promote request" => Some(Life::PromotionRequested),
        rest => Some(Life::ShutdownRequested { mode: rest.strip_suffix(" shutdown request")? }),
    }
}

fn redo(message: &str) -> Option<Life<'_>> {
    if let Some(rest) = message.strip_prefix("restored log file \"") {
        return Some(Life::Restored { file: rest.strip_suffix("\" from archive")? });
    }
    let rest = message.strip_prefix("redo ")?;
    let place = |text: &'static str| rest.strip_prefix(text);
    if let Some(lsn) = place("starts at ") {
        return Some(Life::RedoStarts { lsn });
    }
    if let Some(rest) = place("done at ") {
        return Some(Life::RedoDone { lsn: rest.split_once(' ').map_or(rest, |(lsn, _)| lsn) });
    }
    if let Some(rest) = place("in progress, ") {
        return Some(Life::RedoInProgress { lsn: rest.split_once("current LSN: ")?.1 });
    }
    (rest == "is not required").then_some(Life::RedoNotRequired)
}

fn starting(message: &str) -> Option<Life<'_>> {
    if let Some(rest) = message.strip_prefix("selected new timeline ID: ") {
        return Some(Life::NewTimeline { timeline: small_number(rest)?.0 });
    }
    if message == "shutting down" {
        return Some(Life::ShuttingDown);
    }
    let version = message.strip_prefix("starting ").filter(|version| version.starts_with("PostgreSQL "))?;
    Some(Life::Starting { version })
}

fn setting(message: &str) -> Option<Parameter<'_>> {
    if let Some(rest) = message.strip_prefix("parameter \"") {
        let (name, rest) = rest.split_once("\" ")?;
        return changed(name, rest);
    }
    if let Some(rest) = message.strip_prefix("invalid value for parameter \"") {
        let (name, rest) = rest.split_once('"')?;
        let value = rest.strip_prefix(": ").unwrap_or_default().trim_matches('"');
        return Some(Parameter::Invalid { name, value });
    }
    if let Some(file) = between(message, "configuration file \"", "\" contains errors") {
        return Some(Parameter::FileInvalid { file });
    }
    let rest = message.strip_prefix("unrecognized configuration parameter \"")?;
    Some(Parameter::Unknown { name: rest.split_once('"')?.0 })
}

fn changed<'a>(name: &'a str, rest: &'a str) -> Option<Parameter<'a>> {
    match rest {
        "removed from configuration file, reset to default" => Some(Parameter::Reset { name }),
        "cannot be changed without restarting the server" => Some(Parameter::NeedsRestart { name }),
        _ => {
            let value = rest.strip_prefix("changed to \"")?.strip_suffix('"')?;
            Some(Parameter::Changed { name, value })
        }
    }
}

/// Reads a message such as `server process (PID 12) was terminated by signal 9: Killed`.
pub(super) fn died<'a>(record: &Record<'a>) -> Option<ProcessDied<'a>> {
    let (what, rest) = record.message.split_once(" (PID ")?;
    let (process, rest) = small_number(rest)?;
    let rest = rest.strip_prefix(") ")?;
    let behind = |phrase| rest.strip_prefix(phrase).and_then(small_number).map(|(value, _)| value);
    let (exit_code, signal) = (behind("exited with exit code "), behind("was terminated by signal "));
    let is_end = exit_code.is_some() || signal.is_some() || rest.starts_with("was terminated by exception");
    let running = record.detail.strip_prefix("Failed process was running: ").unwrap_or_default();
    is_end.then_some(ProcessDied { what, process, exit_code, signal, running })
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
