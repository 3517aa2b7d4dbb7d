//! Queries that were seen, for `plimsoll check`: each a named query in a file, its values in a TOML file beside; or all, with
//! their rates, as a workload.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use plimsoll_core::Location;
use plimsoll_core::units::plural;
use plimsoll_core::workload::{WorkloadStatement, write_workload};
use plimsoll_sql::NormalForm;
use plimsoll_traffic::{Sample, SeenQuery};

use crate::args::WatchArguments;
use crate::exit::Failure;
use crate::output::write_file;
use crate::settings::Settings;

/// What stands for a text that isn't kept.
const LEFT_OUT: &str = "left out";

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
    let (mut written, mut kept, mut hidden) = (0, 0, 0);
    for query in queries {
        let Some(file) = QueryFile::of(query, arguments.keep_values) else { continue };
        let sql = folder.join(format!("{}.sql", file.name));
        // A file that a person may have mended by now isn't written again.
        if sql.exists() {
            kept += 1;
            continue;
        }
        if !file.toml.is_empty() {
            write_file(&sql.with_extension("toml"), &file.toml)?;
        }
        write_file(&sql, &file.sql)?;
        written += 1;
        hidden += file.hidden;
    }
    let mut note = format!("{} written to {}.", plural(written, "query"), folder.display());
    if kept > 0 {
        note.push_str(&format!(" {kept} were there already and stay as they are."));
    }
    if hidden > 0 {
        note.push_str(&format!(" {} left out; --keep-values writes them.", plural(hidden, "value")));
    }
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
            let sets = alike.map(|sample| kept(sample, arguments.keep_values, &mut hidden)).collect();
            Some(WorkloadStatement {
                name: name_of(query),
                sql: without_texts(first, arguments.keep_values, &mut hidden),
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
    if hidden > 0 {
        note.push_str(&format!(" {} left out; --keep-values writes them.", plural(hidden, "value")));
    }
    Ok(note)
}

/// The values bound to a call, as far as they may be written.
fn kept(sample: &Sample, keep_values: bool, hidden: &mut usize) -> Vec<Option<String>> {
    let value = |value: &Option<String>| {
        let value = value.as_deref()?;
        if keep_values || is_harmless(value) {
            return Some(value.to_owned());
        }
        *hidden += 1;
        Some(LEFT_OUT.to_owned())
    };
    sample.bound.iter().map(value).collect()
}

/// Whether a query reads or writes rows.
fn touches_rows(text: &str) -> bool {
    let verb = text.split([' ', '(']).next().unwrap_or_default();
    matches!(verb, "select" | "with" | "insert" | "update" | "delete" | "merge" | "values")
}

struct QueryFile {
    name: String,
    sql: String,
    toml: String,
    /// Values that were left out.
    hidden: usize,
}

impl QueryFile {
    /// Nothing for what reads and writes no rows, and for what never succeeded.
    fn of(query: &SeenQuery, keep_values: bool) -> Option<Self> {
        if !touches_rows(&query.text) {
            return None;
        }
        let sample = query.samples.first()?;
        let name = name_of(query);
        let mut hidden = 0;
        let text = without_texts(sample, keep_values, &mut hidden);
        let mut toml = String::new();
        for (at, value) in kept(sample, keep_values, &mut hidden).into_iter().enumerate() {
            let Some(value) = value else { continue };
            writeln!(toml, "{} = {}", at + 1, toml_string(&value)).ok()?;
        }
        if !toml.is_empty() {
            toml = format!("[{name}]\n{toml}");
        }
        let sql = format!(
            "-- Seen {} by `plimsoll watch`; fingerprint {}.\n-- name: {name}\n{};\n",
            plural(query.calls() as usize, "time"),
            query.fingerprint,
            text.trim().trim_end_matches(';')
        );
        Some(Self { name, sql, toml, hidden })
    }
}

/// Its verb, its relation, and enough of its fingerprint.
fn name_of(query: &SeenQuery) -> String {
    let words: Vec<&str> = query.text.split([' ', '(', ',', ')']).collect();
    let verb = words.first().copied().unwrap_or("query");
    let before = words.iter().position(|word| matches!(*word, "from" | "into" | "update"));
    let relation = before.and_then(|at| words.get(at + 1));
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|letter| *letter != '"');
        letters.map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).take(40).collect()
    };
    let fingerprint = query.fingerprint.to_string();
    match relation {
        Some(relation) if !relation.is_empty() => format!("{verb}_{}_{}", plain(relation), &fingerprint[..6]),
        _ => format!("{verb}_{}", &fingerprint[..6]),
    }
}

/// The text with other literals in the places of those that aren't to be kept.
fn without_texts(sample: &Sample, keep_values: bool, hidden: &mut usize) -> String {
    if keep_values {
        return sample.text.clone();
    }
    let mut form = NormalForm::default();
    form.of(&sample.text);
    let mut text = String::new();
    let mut at = 0;
    for place in form.values() {
        let value = &sample.text[place.range.clone()];
        let quoted = value.contains('\'')
            || value.starts_with("$$")
            || (value.starts_with('$') && value.ends_with('$'));
        let inside = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        if !quoted || inside.is_some_and(is_harmless) {
            continue;
        }
        text.push_str(&sample.text[at..place.range.start]);
        text.push_str(&format!("'{LEFT_OUT}'"));
        at = place.range.end;
        *hidden += 1;
    }
    text.push_str(&sample.text[at..]);
    // A comment may name a person or a route.
    match text.rfind("/*") {
        Some(start) if text.trim_end().ends_with("*/") => text[..start].trim_end().to_owned(),
        _ => text,
    }
}

/// Numbers, booleans, dates, times and UUIDs name nobody by themselves.
fn is_harmless(value: &str) -> bool {
    let bytes = value.as_bytes();
    let digits =
        |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let of_time = |byte: u8| byte.is_ascii_digit() || b"+-.: TZ".contains(&byte);
    let date = digits(0, 4) && bytes.get(4) == Some(&b'-');
    let time = digits(0, 2) && bytes.get(2) == Some(&b':');
    let uuid = value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let word = matches!(value, "t" | "f" | "true" | "false");
    let number =
        value.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit()) && value.parse::<f64>().is_ok();
    word || uuid || number || ((date || time) && value.bytes().all(of_time))
}

/// A basic string of TOML.
fn toml_string(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}
