//! Queries that were seen: as files of a corpus, or all, with their rates, as a workload.

use std::path::{Path, PathBuf};

use plimsoll_core::Location;
use plimsoll_core::units::plural;
use plimsoll_core::workload::{WorkloadStatement, write_workload};
use plimsoll_traffic::SeenQuery;

use crate::args::WatchArguments;
use crate::corpus::literals::harmless_text;
use crate::corpus::saved::{SavedQuery, kept, name_of, tell_apart, told_of_hidden, touches_rows, write_all};
use crate::exit::Failure;
use crate::output::write_file;
use crate::settings::Settings;

/// Resolves the folder, before anything runs.
pub(super) fn check(arguments: &WatchArguments, settings: &Settings) -> Result<Option<PathBuf>, Failure> {
    let Some(folder) = &arguments.save else { return Ok(None) };
    let folder = settings.current.join(folder);
    std::fs::create_dir_all(&folder)
        .map_err(|why| Failure::environment(format!("make the folder {}: {why}", folder.display())))?;
    Ok(Some(folder))
}

/// Writes the queries; returns what a reader of the report must know.
pub(super) fn save(
    folder: &Path,
    queries: &[SeenQuery],
    arguments: &WatchArguments,
) -> Result<Vec<String>, Failure> {
    let mut hidden = 0;
    let mut saved = Vec::new();
    for query in queries {
        let Some((query, left_out)) = SavedQuery::of(query, "`plimsoll watch`", arguments.keep_values) else {
            continue;
        };
        saved.push(query);
        hidden += left_out;
    }
    tell_apart(&mut saved);
    let mut note = write_all(folder, &saved)?.told(folder);
    note.extend(told_of_hidden(hidden));
    Ok(vec![note])
}

/// Writes the queries with their rates; returns what a reader of the report must know.
pub(super) fn save_workload(
    path: &Path,
    queries: &[SeenQuery],
    lasted_ms: f64,
    arguments: &WatchArguments,
) -> Result<String, Failure> {
    // A program that ran for a moment has no rate to speak of.
    let seconds = (lasted_ms / 1000.0).max(1.0);
    let mut hidden = 0;
    let statements: Vec<WorkloadStatement> = queries
        .iter()
        .filter(|query| touches_rows(&query.text))
        .filter_map(|query| {
            let first = query.samples.first()?;
            // Sets of values of one text: where the values are literals, the first text stands for all.
            let alike = query.samples.iter().filter(|sample| sample.text == first.text);
            let sets = alike.map(|sample| kept(&sample.bound, arguments.keep_values, &mut hidden)).collect();
            Some(WorkloadStatement {
                name: name_of(query),
                sql: harmless_text(&first.text, arguments.keep_values, &mut hidden),
                parameters: sets,
                rate_per_s: query.calls() as f64 / seconds,
                location: Location { file: String::new(), line: 1, column: 1, end_line: 1, end_column: 1 },
            })
        })
        .collect();
    write_file(path, &write_workload(&statements))?;
    let mut note = format!(
        "{} with rates over {seconds:.0} s written to {}.",
        plural(statements.len(), "query"),
        path.display()
    );
    note.extend(told_of_hidden(hidden));
    Ok(note)
}
