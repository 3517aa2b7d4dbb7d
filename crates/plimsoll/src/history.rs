//! The history of the queries: one line of JSON for each run, appended to a file that the team keeps.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use plimsoll_core::{HistoryPoint, QueryReport};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// Version of the format.
const FORMAT: u32 = 1;
/// Runs that a report shows.
const MOST_SHOWN: usize = 100;

/// A run.
#[derive(Debug, Deserialize, Serialize)]
struct Run {
    format: u32,
    /// Seconds since 1970.
    at_s: u64,
    /// By the queries' names as reports have them.
    queries: BTreeMap<String, Seen>,
}

/// What was seen of a query.
#[derive(Debug, Deserialize, Serialize)]
struct Seen {
    shared_buffers: u64,
    rows: u64,
    cost: f64,
    verdict: String,
}

/// Appends what was measured now, and gives each query the points of its past.
///
/// # Errors
/// When the file can't be read or written, or a line of it isn't ours.
pub(crate) fn keep(path: &Path, queries: &mut [QueryReport], at_s: u64) -> Result<(), Failure> {
    let mut runs = read(path)?;
    let seen = queries.iter().filter_map(|query| {
        let after = query.after.as_ref()?;
        let seen = Seen {
            shared_buffers: after.shared_buffers,
            rows: after.rows,
            cost: after.cost,
            verdict: query.verdict.word().to_owned(),
        };
        Some((query.name.clone(), seen))
    });
    let run = Run { format: FORMAT, at_s, queries: seen.collect() };
    append(path, &run)?;
    runs.push(run);
    let shown = &runs[runs.len().saturating_sub(MOST_SHOWN)..];
    for query in queries {
        let point = |run: &Run| {
            let seen = run.queries.get(&query.name)?;
            Some(HistoryPoint { at_s: run.at_s, shared_buffers: seen.shared_buffers })
        };
        query.history = shown.iter().filter_map(point).collect();
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<Run>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(Failure::environment(format!("read the history {}: {why}", path.display()))),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let refused = |why: String| {
                Failure::input(format!(
                    "read {}:{}: {why}; mend the line or take it out",
                    path.display(),
                    at + 1
                ))
            };
            let run: Run = serde_json::from_str(line)
                .map_err(|why| refused(format!("this is no run of queries: {why}")))?;
            if run.format != FORMAT {
                return Err(refused(format!(
                    "its format is {}, and this program reads {FORMAT}",
                    run.format
                )));
            }
            Ok(run)
        })
        .collect()
}

/// One write to the file's end: several runs at once leave whole lines.
fn append(path: &Path, run: &Run) -> Result<(), Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::environment(format!("write the history {}: {why}", path.display()))
    };
    let mut line = serde_json::to_string(run).map_err(|why| failed(&why))?;
    line.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(|why| failed(&why))?;
    file.write_all(line.as_bytes()).map_err(|why| failed(&why))
}
