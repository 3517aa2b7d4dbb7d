//! Queries that were seen, as files that `plimsoll check` measures: each a named query, its values in a TOML file beside.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use plimsoll_core::units::plural;
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
        let verb = query.text.split([' ', '(']).next()?;
        if !matches!(verb, "select" | "with" | "insert" | "update" | "delete" | "merge" | "values") {
            return None;
        }
        let sample = query.samples.first()?;
        let name = name_of(query);
        let mut hidden = 0;
        let text = without_texts(sample, keep_values, &mut hidden);
        let mut toml = String::new();
        for (at, value) in sample.bound.iter().enumerate() {
            let Some(value) = value else { continue };
            let value = if keep_values || is_harmless(value) {
                value
            } else {
                hidden += 1;
                LEFT_OUT
            };
            writeln!(toml, "{} = {}", at + 1, toml_string(value)).ok()?;
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
