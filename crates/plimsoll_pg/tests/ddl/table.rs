//! Reads the table of DDL kinds: the statements of `kinds.sql`, which run on `schema.sql`, and what servers were seen to
//! do with each, from `observed-15.tsv` and `observed-18.tsv`.
//!
//! Any test may include this file with `#[path]`: it depends on `plimsoll_core` alone. Deliberately absent: how the
//! observations are made.

use plimsoll_core::lock::Blocks;
use plimsoll_core::{LockMode, Work};

/// The schema that each kind starts from, with rows.
pub(crate) const SCHEMA: &str = include_str!("schema.sql");

/// The major versions that are observed.
pub(crate) const MAJORS: [u32; 2] = [15, 18];

/// The first line of a file of observations.
const FORMAT: &str = "# Format 1. Written by `cargo xtask locks`.";

/// Outcomes of statements that don't fail.
const OK: &str = "ok";
const CONCURRENTLY: &str = "ok concurrently";

/// One kind of statement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kind {
    /// The heading that it stands under.
    pub(crate) section: String,
    /// Its name, unique.
    pub(crate) name: String,
    /// A statement; or several, of which the last counts.
    pub(crate) sql: String,
    /// The first major version that knows it; 0 for all.
    pub(crate) since: u32,
    /// Statements that put the schema back once it has been committed.
    pub(crate) undo: String,
    /// What was observed on each of [`MAJORS`]; nothing where the version doesn't know it.
    pub(crate) observed: [Option<Observed>; 2],
}

/// What one version was seen to do with the last statement of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The SQLSTATE, if it failed. A failure has neither locks nor works.
    pub(crate) sqlstate: Option<String>,
    /// Existing tables, partitions, views and materialized views, as `schema.name`, and the strongest mode from
    /// `SHARE UPDATE EXCLUSIVE` on in which the transaction holds each once the statement has run.
    pub(crate) locks: Vec<(String, LockMode)>,
    /// Existing indexes that are locked more strongly than their table.
    pub(crate) index_locks: Vec<(String, LockMode)>,
    /// What the statement does on existing relations that takes the longer the bigger they are.
    pub(crate) works: Vec<(String, Work)>,
    /// Whether readers and writers could go on during the works, whatever the locks.
    pub(crate) concurrently: bool,
}

impl Observed {
    /// Work on a relation under a lock that blocks its readers or writers.
    #[must_use]
    pub(crate) fn hazards(&self) -> Vec<(&str, LockMode, Work)> {
        let mode_on =
            |relation: &str| self.locks.iter().find(|(other, _)| other == relation).map(|(_, mode)| *mode);
        self.works
            .iter()
            .filter_map(|(relation, work)| Some((relation.as_str(), mode_on(relation)?, *work)))
            .filter(|(_, mode, _)| mode.blocks() != Blocks::Nothing && !self.concurrently)
            .collect()
    }
}

/// The whole table, in the order of `kinds.sql`.
///
/// # Errors
/// When a file isn't in its format.
pub(crate) fn read_table() -> Result<Vec<Kind>, String> {
    let mut kinds = read_kinds(include_str!("kinds.sql"))?;
    let observed = [include_str!("observed-15.tsv"), include_str!("observed-18.tsv")];
    for (at, text) in observed.into_iter().enumerate() {
        for (name, observed) in read_observed(text)? {
            // Those of a kind that is gone are found by the test that makes them anew.
            if let Some(kind) = kinds.iter_mut().find(|kind| kind.name == name) {
                kind.observed[at] = Some(observed);
            }
        }
    }
    Ok(kinds)
}

fn read_kinds(text: &str) -> Result<Vec<Kind>, String> {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut section = "";
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("-- section: ") {
            section = heading;
        } else if let Some(name) = line.strip_prefix("-- kind: ") {
            if kinds.iter().any(|kind| kind.name == name) {
                return Err(format!("two kinds are named {name}"));
            }
            kinds.push(Kind { section: section.into(), name: name.into(), ..Kind::default() });
        } else if let Some(kind) = kinds.last_mut() {
            if let Some(major) = line.strip_prefix("-- since: ") {
                kind.since = major.parse().map_err(|_| format!("no version: {line}"))?;
            } else if let Some(undo) = line.strip_prefix("-- undo: ") {
                kind.undo = undo.into();
            } else if !line.is_empty() {
                kind.sql.push_str(line);
                kind.sql.push('\n');
            }
        }
    }
    Ok(kinds)
}

/// A file of observations as text, which [`read_table`] reads again.
pub(crate) fn write_observed<'a>(
    major: u32,
    observed: impl Iterator<Item = (&'a str, &'a Observed)>,
) -> String {
    let mut text = format!("{FORMAT}\n# PostgreSQL {major}\n# kind\toutcome\tlocks\tindex locks\twork\n");
    for (name, observed) in observed {
        let success = if observed.concurrently { CONCURRENTLY } else { OK };
        let outcome = observed.sqlstate.as_deref().unwrap_or(success);
        let locks = |locks: &[(String, LockMode)]| {
            listed(locks.iter().map(|(relation, mode)| format!("{} {relation}", mode.pg_locks())))
        };
        let works =
            listed(observed.works.iter().map(|(relation, work)| format!("{} {relation}", word(*work))));
        let row = [name, outcome, &locks(&observed.locks), &locks(&observed.index_locks), &works].join("\t");
        text.push_str(&row);
        text.push('\n');
    }
    text
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "-".into() } else { items.join(", ") }
}

fn read_observed(text: &str) -> Result<Vec<(String, Observed)>, String> {
    let mut lines = text.lines();
    if lines.next() != Some(FORMAT) {
        return Err("observations of another format: run `cargo xtask locks`".into());
    }
    lines.filter(|line| !line.starts_with('#')).map(read_row).collect()
}

fn read_row(line: &str) -> Result<(String, Observed), String> {
    let wrong = || format!("no observation: {line}");
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, outcome, locks, index_locks, works] = cells[..] else { return Err(wrong()) };
    let observed = Observed {
        sqlstate: (![OK, CONCURRENTLY].contains(&outcome)).then(|| outcome.to_owned()),
        concurrently: outcome == CONCURRENTLY,
        locks: read_list(locks, LockMode::from_pg_locks).ok_or_else(wrong)?,
        index_locks: read_list(index_locks, LockMode::from_pg_locks).ok_or_else(wrong)?,
        works: read_list(works, of_word).ok_or_else(wrong)?,
    };
    Ok((name.to_owned(), observed))
}

/// Reads `AccessExclusiveLock public.a, ShareLock public.b`.
fn read_list<T>(cell: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<(String, T)>> {
    let items = cell.split(", ").filter(|_| cell != "-");
    items
        .map(|item| {
            let (what, relation) = item.split_once(' ')?;
            Some((relation.to_owned(), read(what)?))
        })
        .collect()
}

const WORDS: [(Work, &str); 3] =
    [(Work::Rewrite, "rewrite"), (Work::Scan, "scan"), (Work::IndexBuild, "build-index")];

fn word(work: Work) -> &'static str {
    WORDS.iter().find(|(other, _)| *other == work).map_or("", |(_, word)| word)
}

fn of_word(word: &str) -> Option<Work> {
    WORDS.iter().find(|(_, other)| *other == word).map(|(work, _)| *work)
}
