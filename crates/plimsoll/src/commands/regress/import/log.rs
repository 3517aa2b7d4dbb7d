//! Queries from PostgreSQL's log.

use std::path::PathBuf;

use plimsoll_core::units::count;
use plimsoll_traffic::SeenQuery;

use super::{Found, rate};
use crate::commands::logs::seen::seen;
use crate::corpus::saved::{SavedQuery, touches_rows};
use crate::exit::Failure;
use crate::regress_args::ImportArguments;
use crate::settings::Settings;

/// Over less time there is no rate to speak of.
const SHORTEST_S: f64 = 1.0;

pub(super) fn read(arguments: &ImportArguments, settings: &Settings) -> Result<Found, Failure> {
    let source = &arguments.source;
    let path = if source == "-" { PathBuf::from("-") } else { settings.current.join(source) };
    let read = seen(&[path], &arguments.input)?;
    let mut seen: Vec<&SeenQuery> = read.collector.queries().iter().collect();
    seen.retain(|query| touches_rows(&query.text) && query.calls() >= arguments.min_calls);
    if seen.is_empty() {
        return Err(Failure::input(format!(
            "take queries from {source}: none of its {} messages is of a query that reads or writes rows{}; have the server log \
             them, by log_min_duration_statement = 0 for a while",
            count(read.records),
            if arguments.min_calls > 1 { " as often as --min-calls says" } else { "" }
        )));
    }
    // Where a log has no times, the ones that ran most often.
    seen.sort_by(|a, b| {
        (b.total(), b.calls()).cmp(&(a.total(), a.calls())).then_with(|| a.text.cmp(&b.text))
    });
    let mut found = Found::default();
    if seen.len() > arguments.top {
        found.notes.push(format!(
            "The {} that took the most time of {}; --top takes more.",
            count(arguments.top as u64),
            count(seen.len() as u64)
        ));
        seen.truncate(arguments.top);
    }
    let seconds = read.lasted_s().filter(|seconds| *seconds >= SHORTEST_S);
    for query in seen {
        let saved = SavedQuery::of(query, "the log", arguments.keep_values);
        let Some((mut saved, hidden)) = saved else { continue };
        saved.directives.extend(seconds.and_then(|seconds| rate(query.calls(), seconds)));
        found.hidden += hidden;
        found.queries.push(saved);
    }
    Ok(found)
}
