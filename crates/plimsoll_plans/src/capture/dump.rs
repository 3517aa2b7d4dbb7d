//! The schema of a server, by `pg_dump`.

use std::process::Stdio;
use std::time::Duration;

use plimsoll_pg::catalogue::{Limits, Target};
use plimsoll_pg::server::Binaries;
use tokio::process::Command;

use super::error::CaptureError;
use super::script::Reader;
use crate::source::SchemaEntry;

const ARGUMENTS: [&str; 7] = [
    "--schema-only",
    "--no-publications",
    "--no-subscriptions",
    "--no-security-labels",
    "--encoding=UTF8",
    "--no-password",
    "--quote-all-identifiers",
];
/// `pg_dump` runs many statements.
const STATEMENTS: u32 = 4;

pub(super) fn check_version(binaries: &Binaries, major: u32, target: &Target) -> Result<(), CaptureError> {
    if binaries.version().major >= major {
        return Ok(());
    }
    Err(CaptureError::OldClient {
        server: target.shown().to_owned(),
        major,
        folder: binaries.bin_folder().to_owned(),
        client: binaries.version().to_string(),
    })
}

pub(super) async fn schema(
    target: &Target,
    binaries: &Binaries,
    snapshot: &str,
    limits: Limits,
) -> Result<Vec<SchemaEntry>, CaptureError> {
    let program = binaries.program("pg_dump");
    let failed =
        |why: String| CaptureError::Dump { server: target.shown().to_owned(), program: program.clone(), why };
    let mut command = std::process::Command::new(&program);
    command
        .args(ARGUMENTS)
        .arg(format!("--snapshot={snapshot}"))
        .arg(format!("--lock-wait-timeout={}", limits.lock.as_millis()))
        .env("LC_ALL", "C");
    target.environment().apply(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    let patience: Duration = limits.statement * STATEMENTS;
    let output = tokio::time::timeout(patience, command.output())
        .await
        .map_err(|_| {
            failed(format!(
                "not done after {} s; give it more time by --statement-timeout",
                patience.as_secs()
            ))
        })?
        .map_err(|error| {
            failed(format!("{error}; install PostgreSQL's client programs beside its server"))
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " / ");
        return Err(failed(format!("{said}; it needs to read the whole schema, as pg_read_all_data may")));
    }
    let text =
        String::from_utf8(output.stdout).map_err(|_| failed("it wrote what isn't UTF-8".to_owned()))?;
    let mut reader = Reader::default();
    text.lines().for_each(|line| reader.line(line));
    Ok(reader.end().entries)
}
