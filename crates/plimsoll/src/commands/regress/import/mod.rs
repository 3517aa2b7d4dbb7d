//! `plimsoll regress import`: queries for the corpus from a log, from `pg_stat_statements`, or from a RegreSQL project.
//!
//! What is there stays as it is, and where something can't be written, nothing is.

use std::path::{Path, PathBuf};

use plimsoll_core::units::plural;

use crate::corpus::saved::{SavedQuery, tell_apart, told_of_hidden, write_all};
use crate::exit::{CLEAN, Failure};
use crate::output::print;
use crate::regress_args::{ImportArguments, ImportFrom};
use crate::settings::Settings;

mod log;
mod plan_yaml;
mod regresql;
mod statements;
mod statistics;

/// Where queries go when nobody says.
const DEFAULT_FOLDER: &str = "queries";

/// Queries of a log or a server, and what there is to say.
#[derive(Default)]
struct Found {
    queries: Vec<SavedQuery>,
    /// Values that weren't kept.
    hidden: usize,
    /// Sentences.
    notes: Vec<String>,
}

pub(super) async fn run(arguments: &ImportArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let settings = Settings::load(config, None)?;
    let folder = match (&arguments.into, &settings.queries) {
        (Some(folder), _) => settings.current.join(folder),
        (None, Some(folder)) => folder.clone(),
        (None, None) => settings.root.join(DEFAULT_FOLDER),
    };
    let told = match arguments.from {
        ImportFrom::Log => write(&folder, log::read(arguments, &settings)?)?,
        ImportFrom::Statements => write(&folder, statements::read(arguments).await?)?,
        ImportFrom::Regresql => {
            regresql::import(&settings.current.join(&arguments.source), &folder, &settings)?
        }
    };
    print(&format!("{}\n{}", told.join("\n"), is_unknown(&folder, &settings)))?;
    Ok(CLEAN)
}

/// What to do where `plimsoll.toml` leads to another folder, or to none.
fn is_unknown(folder: &Path, settings: &Settings) -> String {
    if settings.queries.as_deref() == Some(folder) {
        return String::new();
    }
    let seen: PathBuf = plimsoll_core::paths::seen_from(folder, &settings.root);
    format!("Set [queries] path = \"{}\" in plimsoll.toml for other commands to use them.\n", seen.display())
}

/// Writes what was found, and tells of it.
fn write(folder: &Path, found: Found) -> Result<Vec<String>, Failure> {
    let Found { queries, hidden, mut notes } = found;
    let total = queries.len();
    let mut queries: Vec<SavedQuery> = queries.into_iter().filter_map(SavedQuery::readable).collect();
    tell_apart(&mut queries);
    let mut first = write_all(folder, &queries)?.told(folder);
    first.extend(told_of_hidden(hidden));
    let mut told = vec![first];
    if queries.len() < total {
        let left_out = plural(total - queries.len(), "query");
        notes.push(format!("{left_out} left out: several statements in one, or cut off."));
    }
    let needy: Vec<&str> =
        queries.iter().filter(|query| query.needs_values()).map(|query| query.name.as_str()).collect();
    if !needy.is_empty() {
        told.push(format!(
            "{} skipped until you give values in the .toml beside and take out `-- skip: needs values`: {}.",
            if needy.len() == 1 {
                "1 query is".to_owned()
            } else {
                format!("{} are", plural(needy.len(), "query"))
            },
            needy.join(", ")
        ));
    }
    told.extend(notes);
    Ok(told)
}

/// A rate as a corpus has it; none for one that is next to nothing or beyond measure.
fn rate(calls: u64, seconds: f64) -> Option<String> {
    let per_s = calls as f64 / seconds;
    let (number, unit) = match per_s {
        _ if !per_s.is_finite() || per_s > 1e6 => return None,
        _ if per_s >= 1.0 => (per_s, "s"),
        _ if per_s * 60.0 >= 1.0 => (per_s * 60.0, "min"),
        _ => (per_s * 3600.0, "h"),
    };
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    (number >= 0.01).then(|| format!("rate: {text}/{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_fitting_unit() {
        let shown = [(120, 1.0), (3, 2.0), (1, 40.0), (1, 7200.0), (1, 1e9), (5_000_000, 1.0)];
        let shown = shown.map(|(calls, seconds)| rate(calls, seconds).unwrap_or_default());
        assert_eq!(shown, ["rate: 120/s", "rate: 1.5/s", "rate: 1.5/min", "rate: 0.5/h", "", ""]);
    }
}
