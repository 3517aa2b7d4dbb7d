//! Exit codes, and the failures that lead to them.

use std::fmt;

use tokio::signal::unix::{SignalKind, signal};

/// Nothing at or above `--fail-on` was found.
pub(crate) const CLEAN: u8 = 0;
/// Something at or above `--fail-on` was found.
pub(crate) const FINDINGS: u8 = 1;
/// The usage, the configuration or the input is wrong.
pub(crate) const INPUT: u8 = 2;
/// The environment lacks something: a server, room on a disk, a permission.
pub(crate) const ENVIRONMENT: u8 = 3;

/// Why a verb did not get to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user's input: exit code 2.
    Input(String),
    /// The environment: exit code 3.
    Environment(String),
    /// A signal: exit code 128 plus its number, as shells have it.
    Stopped(u8),
}

impl Failure {
    /// What was being done to what, why it failed, what to do next; completes "failed to …".
    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self::Input(message.to_string())
    }

    /// As [`Self::input`], for the environment.
    pub(crate) fn environment(message: impl fmt::Display) -> Self {
        Self::Environment(message.to_string())
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Input(_) => INPUT,
            Self::Environment(_) => ENVIRONMENT,
            Self::Stopped(number) => 128 + number,
        }
    }
}

/// Does work that owns a server, a connection or a child, and drops it with all that it had started when the program is
/// asked to stop.
///
/// Before that, signals end the program as they end any other: what reads and judges files never waits, and would not
/// hear of them.
pub(crate) async fn unless_stopped<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        signal = stop_signal() => Err(signal),
        ended = work => ended,
    }
}

/// Returns when the program is asked to stop.
pub(crate) async fn stop_signal() -> Failure {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Failure::Stopped(2),
        _ = terminate.recv() => Failure::Stopped(15),
        _ = hangup.recv() => Failure::Stopped(1),
    }
}
