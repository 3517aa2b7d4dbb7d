//! What can be typed behind `plimsoll logs --follow`.

use std::path::PathBuf;

use clap::Args;
use plimsoll_core::units::milliseconds;
use plimsoll_logs::alert::{self, Kind};

#[derive(Debug, Args)]
pub(crate) struct FollowArguments {
    /// Go on reading as logs grow and are rotated, and print a line for each alert, until SIGINT or SIGTERM; --format json
    /// prints objects
    #[arg(long)]
    pub(crate) follow: bool,
    /// Alert of this, from a threshold on (repeatable): crash, fatal, deadlock, lock-wait=1s, slow-statement=5s,
    /// n-plus-one=20, failed-statements=20 and refused-connections=10 within the window, temporary-file=1GB, checkpoints,
    /// replication, and by --baseline new-error, new-query, slower-query=2 [default: all]
    #[arg(long, value_name = "KIND", value_parser = alert::parse, requires = "follow")]
    pub(crate) alert: Vec<(Kind, u64)>,
    /// A summary of the time before, against which queries and errors are new or slower
    #[arg(long, value_name = "FILE", requires = "follow")]
    pub(crate) baseline: Option<PathBuf>,
    /// The sliding window in which things are counted
    #[arg(long, value_name = "TIME", default_value = "1min", value_parser = microseconds, requires = "follow")]
    pub(crate) window: i64,
    /// Alert again of the same when it has been quiet for so long
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = microseconds, requires = "follow")]
    pub(crate) repeat_after: i64,
    /// Post each alert as JSON to this address, which PLIMSOLL_WEBHOOK can hold instead
    #[arg(long, value_name = "URL", requires = "follow")]
    pub(crate) webhook: Option<String>,
    /// Run this by sh for each alert, with the alert as JSON on standard input; one at a time, for up to 30 s
    #[arg(long, value_name = "COMMAND", requires = "follow")]
    pub(crate) command: Option<String>,
}

/// A duration in microseconds.
fn microseconds(text: &str) -> Result<i64, String> {
    milliseconds(text)
        .and_then(|time| i64::try_from(time.checked_mul(1000)?).ok())
        .filter(|time| *time > 0)
        .ok_or_else(|| "a duration is wanted, such as 30s or 1h".to_owned())
}
