//! How and why a server ended, for people.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::ExitStatus;

/// How much of the log is worth showing.
const LOG_LINES: usize = 12;
const LOG_BYTES: u64 = 8 * 1024;

/// The end of a server that should still run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// How the process ended, where that is known: of another program's child it isn't.
    pub status: Option<ExitStatus>,
    /// The last lines of its log.
    pub log_tail: String,
}

impl fmt::Display for Death {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the server ended")?;
        if let Some(status) = self.status {
            write!(formatter, " with {status}")?;
        }
        if self.log_tail.is_empty() {
            formatter.write_str("; its log is empty")
        } else {
            write!(formatter, "; its log ends:\n{}", self.log_tail)
        }
    }
}

/// The last lines of a server's log, each indented. Empty when there is nothing to read.
pub fn log_tail(path: &Path) -> String {
    let text = last_bytes(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(LOG_LINES)..];
    tail.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn last_bytes(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
