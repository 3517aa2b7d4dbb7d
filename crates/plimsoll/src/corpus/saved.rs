//! Queries that were seen, as files of a corpus: each a named query in a file, its sets of values in a TOML file beside it.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use plimsoll_core::SourceFile;
use plimsoll_core::units::plural;
use plimsoll_sql::query_file::{Parameter, Query, parse_queries};
use plimsoll_traffic::SeenQuery;

use super::literals::{Places, harmless_text, is_harmless};
use crate::exit::Failure;
use crate::inputs::{has_extension, walk};
use crate::output::write_file;

/// What stands for a text that isn't kept.
pub(crate) const LEFT_OUT: &str = "left out";

/// What the corpus skips until somebody has given values.
pub(crate) const NEEDS_VALUES: &str = "skip: needs values";

/// A query to be written.
pub(crate) struct SavedQuery {
    /// Its name, and its file's.
    pub(crate) name: String,
    /// Where it comes from, in words.
    pub(crate) remark: String,
    /// Directives: `rate: 12/min`.
    pub(crate) directives: Vec<String>,
    pub(crate) sql: String,
    /// Sets of values, each by its name; parameters are `$1`, `$2`, ….
    pub(crate) sets: Vec<(String, Vec<Option<String>>)>,
}

/// What became of the queries.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) written: usize,
    /// Files that were there, and stay as they are.
    pub(crate) kept: usize,
}

impl Outcome {
    /// For the reader of a report.
    pub(crate) fn told(&self, folder: &Path) -> String {
        let mut note = format!("{} written to {}.", plural(self.written, "query"), folder.display());
        if self.kept > 0 {
            write!(note, " {} were there already and stay as they are.", self.kept).unwrap_or_default();
        }
        note
    }
}

/// Writes the queries that have no file yet: all of them, or none.
pub(crate) fn write_all(folder: &Path, queries: &[SavedQuery]) -> Result<Outcome, Failure> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    let mut outcome = Outcome::default();
    let names = names_in(folder)?;
    for query in queries {
        let sql = folder.join(format!("{}.sql", query.name));
        // What a person may have mended, or moved to another file, by now isn't written again.
        if sql.exists() || names.contains(&query.name) {
            outcome.kept += 1;
            continue;
        }
        let (toml, values) = (sql.with_extension("toml"), query.toml());
        if !values.is_empty() {
            if toml.exists() {
                let why = "there is no query file beside it, and its values are another's; move it away";
                return Err(Failure::input(format!("write {}: it is there already; {why}", toml.display())));
            }
            files.push((toml, values));
        }
        files.push((sql, query.text()));
        outcome.written += 1;
    }
    std::fs::create_dir_all(folder)
        .map_err(|why| Failure::environment(format!("make the folder {}: {why}", folder.display())))?;
    write_files(&files)?;
    Ok(outcome)
}

/// The names of a corpus' queries, as far as its files can be read.
pub(crate) fn names_in(folder: &Path) -> Result<HashSet<String>, Failure> {
    let mut names = HashSet::new();
    let files = if folder.is_dir() { walk(folder)? } else { Vec::new() };
    for path in files.iter().filter(|path| has_extension(path, "sql")) {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let queries = parse_queries(&SourceFile::new(path, text)).unwrap_or_default();
        names.extend(queries.into_iter().map(|query| query.name));
    }
    Ok(names)
}

/// Writes new files: all of them, or none.
pub(crate) fn write_files(files: &[(PathBuf, String)]) -> Result<(), Failure> {
    for (at, (path, text)) in files.iter().enumerate() {
        if let Err(failure) = write_file(path, text) {
            for (written, _) in &files[..at] {
                // What can't be removed was written whole.
                std::fs::remove_file(written).unwrap_or_default();
            }
            return Err(failure);
        }
    }
    Ok(())
}

impl SavedQuery {
    /// A query with its samples' values, as far as they may be written, and how many may not; nothing for what reads and writes no
    /// rows, and for what never succeeded.
    pub(crate) fn of(query: &SeenQuery, seen_by: &str, keep_values: bool) -> Option<(Self, usize)> {
        if !touches_rows(&query.text) {
            return None;
        }
        let places = Places::of(&query.samples)?;
        let mut hidden = 0;
        let sql = harmless_text(&places.text, keep_values, &mut hidden);
        let mut sets: Vec<Vec<Option<String>>> = Vec::new();
        for values in &places.sets {
            let values = kept(values, keep_values, &mut hidden);
            if !sets.contains(&values) {
                sets.push(values);
            }
        }
        let only_one = sets.len() == 1;
        let name_of_set = |at: usize| match only_one {
            true => super::DEFAULT_SET.to_owned(),
            false => format!("call_{}", at + 1),
        };
        let saved = Self {
            name: name_of(query),
            remark: format!(
                "Seen {} by {seen_by}; fingerprint {}.",
                plural(query.calls() as usize, "time"),
                query.fingerprint
            ),
            directives: Vec::new(),
            sql,
            sets: sets.into_iter().enumerate().map(|(at, values)| (name_of_set(at), values)).collect(),
        };
        Some((saved, hidden))
    }

    /// The query if the corpus can read it: one statement, and not cut off. One whose parameters lack values is skipped there.
    pub(crate) fn readable(mut self) -> Option<Self> {
        self.sql = without_leading_comments(&self.sql).to_owned();
        let parsed = self.parsed()?;
        let [query] = &parsed[..] else { return None };
        if query.name != self.name || ends_inside(&self.sql) {
            return None;
        }
        let highest = query.parameters.iter().filter_map(|parameter| parameter.name.parse().ok()).max();
        let highest: usize = highest.unwrap_or_default();
        if self.sets.iter().any(|(_, values)| values.len() < highest) || self.sets.is_empty() && highest > 0 {
            self.sets.clear();
            self.directives.push(NEEDS_VALUES.to_owned());
        }
        Some(self)
    }

    /// The queries in its file; none if it is no query file.
    fn parsed(&self) -> Option<Vec<Query>> {
        parse_queries(&SourceFile::new(format!("{}.sql", self.name), self.text())).ok()
    }

    /// Whether it is skipped since its parameters lack values.
    pub(crate) fn needs_values(&self) -> bool {
        self.directives.iter().any(|directive| directive == NEEDS_VALUES)
    }

    fn text(&self) -> String {
        let mut text = format!("-- {}\n-- name: {}\n", self.remark, self.name);
        for directive in &self.directives {
            writeln!(text, "-- {directive}").unwrap_or_default();
        }
        // A comment at its end would hide the semicolon.
        let sql = self.sql.trim().trim_end_matches(';').trim_end();
        let gap = if sql.rsplit('\n').next().is_some_and(|line| line.contains("--")) { "\n" } else { "" };
        text + sql + gap + ";\n"
    }

    fn toml(&self) -> String {
        let mut text = String::new();
        // A driver may bind more than the text uses.
        let parameters: Vec<Parameter> =
            self.parsed().unwrap_or_default().into_iter().flat_map(|query| query.parameters).collect();
        let is_used = |number: &str| parameters.iter().any(|parameter| parameter.name == number);
        for (set, values) in self.sets.iter().filter(|(_, values)| !values.is_empty()) {
            let gap = if text.is_empty() { "" } else { "\n" };
            match set.as_str() {
                super::DEFAULT_SET => writeln!(text, "{gap}[{}]", self.name).unwrap_or_default(),
                set => writeln!(text, "{gap}[{}.{set}]", self.name).unwrap_or_default(),
            }
            for (at, value) in values.iter().enumerate() {
                let number = (at + 1).to_string();
                if is_used(&number) {
                    let value = value.as_deref().map_or_else(|| "{}".to_owned(), toml_string);
                    writeln!(text, "{number} = {value}").unwrap_or_default();
                }
            }
        }
        text
    }
}

/// A text that tools name by comments, such as `-- name: GetAuthor :one`, without these: the corpus has names of its own.
fn without_leading_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    rest
}

/// Whether a text was cut off in the midst of a literal or a comment, as a server does with long ones.
fn ends_inside(sql: &str) -> bool {
    let with_end = format!("{sql}\n;\nselect 1");
    let source = SourceFile::new("x.sql", with_end);
    parse_queries(&source).is_ok()
}

/// Values as far as they may be written.
pub(crate) fn kept(values: &[Option<String>], keep_values: bool, hidden: &mut usize) -> Vec<Option<String>> {
    let value = |value: &Option<String>| {
        let value = value.as_deref()?;
        if keep_values || is_harmless(value) {
            return Some(value.to_owned());
        }
        *hidden += 1;
        Some(LEFT_OUT.to_owned())
    };
    values.iter().map(value).collect()
}

/// What a reader must know of values that weren't written; nothing if all were.
pub(crate) fn told_of_hidden(hidden: usize) -> Option<String> {
    (hidden > 0).then(|| format!(" {} left out; --keep-values writes them.", plural(hidden, "value")))
}

/// Whether a query's normal form reads or writes rows.
pub(crate) fn touches_rows(text: &str) -> bool {
    let verb = text.split([' ', '(']).next().unwrap_or_default();
    // `(select …) union …` begins with a bracket.
    matches!(verb, "select" | "with" | "insert" | "update" | "delete" | "merge" | "values" | "")
}

/// Its verb, its relation, and enough of its fingerprint.
pub(crate) fn name_of(query: &SeenQuery) -> String {
    name_of_text(&query.text, &query.fingerprint.to_string())
}

/// As [`name_of`], of a normal form.
pub(crate) fn name_of_text(text: &str, fingerprint: &str) -> String {
    let words: Vec<&str> = text.split([' ', '(', ',', ')']).collect();
    let verb = words.iter().find(|word| !word.is_empty()).copied().unwrap_or("query");
    let before = words.iter().position(|word| matches!(*word, "from" | "into" | "update"));
    let relation = before.and_then(|at| words.get(at + 1));
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|letter| *letter != '"');
        letters.map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).take(40).collect()
    };
    match relation {
        Some(relation) if !relation.is_empty() => {
            format!("{verb}_{}_{}", plain(relation), &fingerprint[..6])
        }
        _ => format!("{verb}_{}", &fingerprint[..6]),
    }
}

/// A basic string of TOML.
fn toml_string(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

/// Names of which there are two are told apart: two fingerprints may begin alike.
pub(crate) fn tell_apart(queries: &mut [SavedQuery]) {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for query in queries {
        let plain = query.name.clone();
        let mut number = 2;
        while !names.insert(query.name.clone()) {
            query.name = format!("{plain}_{number}");
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(sql: &str, sets: &[&[Option<&str>]]) -> SavedQuery {
        let owned =
            |values: &[Option<&str>]| values.iter().map(|value| value.map(ToOwned::to_owned)).collect();
        let sets = sets.iter().enumerate().map(|(at, values)| (format!("call_{}", at + 1), owned(values)));
        SavedQuery {
            name: "q".into(),
            remark: "Seen.".into(),
            directives: Vec::new(),
            sql: sql.into(),
            sets: sets.collect(),
        }
    }

    #[test]
    fn null_is_written_and_what_is_not_used_is_not() {
        let query = saved("select $2, $1", &[&[None, Some("a\"b"), Some("unused")]]).readable().unwrap();
        assert_eq!(query.toml(), "[q.call_1]\n1 = {}\n2 = 'a\"b'\n");
        assert_eq!(query.text(), "-- Seen.\n-- name: q\nselect $2, $1;\n");
    }

    #[test]
    fn comments_of_other_tools_go_and_one_at_the_end_hides_nothing() {
        let query =
            saved("-- name: GetShip :one\n-- It gets one.\nselect 1 -- end;", &[&[]]).readable().unwrap();
        assert_eq!(query.text(), "-- Seen.\n-- name: q\nselect 1 -- end\n;\n");
    }

    #[test]
    fn what_lacks_values_is_skipped_and_what_is_no_query_left_out() {
        let needy = saved("select $1, $2", &[&[Some("1")]]).readable().unwrap();
        assert!(needy.needs_values() && needy.toml().is_empty(), "{}", needy.text());
        assert!(saved("select 'cut o", &[&[]]).readable().is_none());
        assert!(saved("select 1; select 2", &[&[]]).readable().is_none());
        assert!(saved("", &[&[]]).readable().is_none());
    }

    #[test]
    fn nothing_is_left_where_not_everything_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let text = || "select 1".to_owned();
        // A file can't be made in a file.
        std::fs::write(place("file"), "x").unwrap();
        let files =
            [(place("a.toml"), text()), (place("a.sql"), text()), (place("file").join("b.sql"), text())];
        assert!(write_files(&files).is_err());
        assert!(!place("a.toml").exists() && !place("a.sql").exists());
    }
}
