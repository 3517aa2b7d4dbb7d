//! Runs `initdb` for a data directory that will be thrown away.

use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::binaries::Binaries;
use super::die_with_us::die_with_us;
use super::process_environment::isolate;
use super::server_user::ServerUser;
use super::watchdog::Watchdog;

/// Nothing in the directory has to survive a crash, and small WAL segments make it a quarter
/// smaller to copy (28 instead of 39 MB).
const ARGUMENTS: [&str; 8] = [
    "--username=postgres",
    "--auth=trust",
    "--no-sync",
    "--no-instructions",
    "--wal-segsize=1",
    "--encoding=UTF8",
    "--lc-messages=C",
    "--text-search-config=pg_catalog.english",
];

/// The locales that are tried, in order: not every machine has C.UTF-8.
const LOCALES: &[&str] = if cfg!(target_os = "macos") { &["C"] } else { &["C.UTF-8", "C"] };

/// `initdb` failed.
#[derive(Debug, thiserror::Error)]
pub enum InitdbError {
    /// It can't be started.
    #[error("`initdb` does not start: {0}")]
    Start(std::io::Error),
    /// It gave up.
    #[error("`initdb` ended with {status}: {output}")]
    Failed {
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
}

/// All arguments, for the template's key.
pub(super) fn all_arguments() -> impl Iterator<Item = &'static str> {
    ARGUMENTS.into_iter().chain(LOCALES.iter().copied())
}

/// Makes the data directory. The watchdog lets `initdb` end before it removes the folder: its
/// children would otherwise leave shared memory behind.
pub(super) fn run(
    binaries: &Binaries,
    user: &ServerUser,
    data: &Path,
    watchdog: &mut Watchdog,
) -> Result<(), InitdbError> {
    let mut result = Ok(());
    for locale in LOCALES {
        let command = command(binaries, user, data, locale);
        result = run_watched(command, watchdog);
        match &result {
            Err(InitdbError::Failed { output, .. }) if output.contains("invalid locale") => {}
            _ => break,
        }
    }
    result
}

fn command(binaries: &Binaries, user: &ServerUser, data: &Path, locale: &str) -> Command {
    let mut command = Command::new(binaries.program("initdb"));
    command.args(ARGUMENTS).arg(format!("--locale={locale}")).arg("--pgdata").arg(data);
    if binaries.version().major >= 18 {
        // Checksums are the default since 18 and only cost time here.
        command.arg("--no-data-checksums");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    isolate(&mut command);
    user.run(&mut command);
    // It ends in order on this signal, and so do its children.
    die_with_us(&mut command, Signal::TERM);
    command
}

fn run_watched(mut command: Command, watchdog: &mut Watchdog) -> Result<(), InitdbError> {
    let child = command.spawn().map_err(InitdbError::Start)?;
    // A watchdog that can't be told is dead; then the next start clears up.
    watchdog.report_server(child.id()).unwrap_or_default();
    let output = child.wait_with_output().map_err(InitdbError::Start)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " / ");
    Err(InitdbError::Failed { status: output.status.to_string(), output: said })
}
