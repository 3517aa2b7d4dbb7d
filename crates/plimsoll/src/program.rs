//! A program of the user's that runs beside this one: its output goes to stderr, signals reach it, and it ends with us.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Failure;

/// After a request to end, a program has so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The command as a person would type it, more or less.
pub(crate) fn shown(command: &[OsString]) -> String {
    let words = command.iter().map(|word| word.to_string_lossy());
    let quoted = words.map(|word| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:@%+,".contains(letter);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Runs a program to its end. It is told of SIGINT, which a terminal sends to both, of SIGTERM and of SIGHUP.
pub(crate) async fn run(
    command: &[OsString],
    prepare: impl FnOnce(&mut std::process::Command),
) -> Result<ExitStatus, Failure> {
    run_with(command, |spawned| {
        prepare(spawned);
        // Standard output is for the report.
        spawned.stdout(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?));
        Ok(())
    })
    .await
}

/// As [`run`], for a program whose output is the result.
pub(crate) async fn run_in_front(
    command: &[OsString],
    prepare: impl FnOnce(&mut std::process::Command),
) -> Result<ExitStatus, Failure> {
    run_with(command, |spawned| {
        prepare(spawned);
        Ok(())
    })
    .await
}

async fn run_with(
    command: &[OsString],
    prepare: impl FnOnce(&mut std::process::Command) -> io::Result<()>,
) -> Result<ExitStatus, Failure> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Failure::input("run the program: none is named behind --"))?;
    let failed = |why: io::Error| {
        let hint = if why.kind() == io::ErrorKind::NotFound { "; is it installed and on PATH?" } else { "" };
        Failure::input(format!("run {}: {why}{hint}", program.to_string_lossy()))
    };
    let mut spawned = std::process::Command::new(program);
    spawned.args(arguments);
    prepare(&mut spawned).map_err(failed)?;
    let mut child = Command::from(spawned).kill_on_drop(true).spawn().map_err(failed)?;
    wait(&mut child).await.map_err(|why| Failure::environment(format!("wait for the program: {why}")))
}

async fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            _ = interrupt.recv() => if !is_in_foreground() {
                send(child, Signal::INT);
            },
            _ = terminate.recv() => break,
            _ = hangup.recv() => break,
        }
    }
    send(child, Signal::TERM);
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            child.start_kill()?;
            child.wait().await
        }
    }
}

fn send(child: &Child, signal: Signal) {
    if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid as i32)) {
        // It may have ended by itself.
        kill_process(pid, signal).unwrap_or_default();
    }
}

/// Whether a terminal's Ctrl-C reaches us, and the program with us.
fn is_in_foreground() -> bool {
    let foreground = File::open("/dev/tty").ok().and_then(|terminal| tcgetpgrp(terminal).ok());
    foreground == Some(getpgrp())
}

/// The exit code that a shell would have for the program.
pub(crate) fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_typed() {
        let words = ["pytest", "-k", "a b", "it's"].map(OsString::from);
        assert_eq!(shown(&words), "pytest -k 'a b' 'it'\\''s'");
    }
}
