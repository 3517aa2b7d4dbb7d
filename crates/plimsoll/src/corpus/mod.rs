//! The query corpus: the `.sql` files of the queries folder with their named queries, the `.toml` and `.jsonl` beside each with
//! sets of values for the parameters, and the `fixtures.sql` of each folder.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use plimsoll_core::{Location, SourceFile, Thresholds};
use plimsoll_lint::names::nearest;
use plimsoll_pg::queries::PreparedQuery;
use plimsoll_sql::query_file::{Query, parse_queries, twin_of};

use crate::exit::Failure;
use crate::inputs::{has_extension, read_source, walk};
use crate::settings::{RegressSettings, Settings};

mod directives;
pub(crate) mod literals;
pub(crate) mod saved;
mod values;

use values::ValueFiles;

/// The name of the set of a query that has but one, and of a query without parameters.
pub(crate) const DEFAULT_SET: &str = "default";

/// The name of a folder's fixtures.
const FIXTURES: &str = "fixtures.sql";

/// A query of the corpus.
#[derive(Clone, Debug)]
pub(crate) struct CorpusQuery {
    /// The query.
    pub(crate) query: Query,
    /// The file that it stands in.
    pub(crate) source: SourceFile,
    /// What its `-- tags:` say, each once.
    pub(crate) tags: Vec<String>,
    /// From where on it counts as worse.
    pub(crate) thresholds: Thresholds,
    /// Values of its parameters: one set at least, unless it is skipped.
    pub(crate) sets: Vec<ParameterSet>,
    /// SQL files with rows for it, in the order in which they are loaded: outer folders' first.
    pub(crate) fixtures: Vec<PathBuf>,
    /// Why it isn't run, if its file says so.
    pub(crate) skip: Option<String>,
}

/// A value for each parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterSet {
    /// Its name: one of a kind among the query's.
    pub(crate) name: String,
    /// As text, in the order of the parameters; `None` is NULL.
    pub(crate) values: Vec<Option<String>>,
}

impl CorpusQuery {
    /// What reports call it with a set: `name` for the set `default`, else `name [set]`.
    pub(crate) fn name_with(&self, set: &ParameterSet) -> String {
        match set.name.as_str() {
            DEFAULT_SET => self.query.name.clone(),
            set => format!("{} [{set}]", self.query.name),
        }
    }

    /// Its name, and why it isn't run, if it isn't.
    pub(crate) fn skipped(&self) -> Option<(&str, &str)> {
        Some((&self.query.name, self.skip.as_deref()?))
    }

    /// The query with each of its sets, named as reports name it; nothing if it is skipped.
    pub(crate) fn prepared(&self) -> impl Iterator<Item = PreparedQuery> {
        let sets = if self.skip.is_some() { &[][..] } else { &self.sets };
        sets.iter().map(|set| self.prepared_with(set))
    }

    /// The query with one of its sets, named as reports name it.
    pub(crate) fn prepared_with(&self, set: &ParameterSet) -> PreparedQuery {
        PreparedQuery {
            query: Query { name: self.name_with(set), ..self.query.clone() },
            source: self.source.clone(),
            values: set.values.clone(),
        }
    }
}

/// Reads every query below the folder.
pub(crate) fn load(folder: &Path, settings: &Settings) -> Result<Vec<CorpusQuery>, Failure> {
    let files = walk(folder)?;
    let fixtures: HashSet<&Path> =
        files.iter().filter(|path| is_fixtures(path)).map(PathBuf::as_path).collect();
    let mut corpus: Vec<CorpusQuery> = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for path in files.iter().filter(|path| has_extension(path, "sql") && !is_fixtures(path)) {
        let source = read_source(path, &settings.current)?;
        let fixtures = fixtures_for(path, folder, &fixtures);
        for query in load_file(path, &source, &fixtures, settings)? {
            if let Some(twin) = names.insert(query.query.name.clone(), corpus.len()) {
                let twin = &corpus[twin];
                let why = twin_of(&query.query.name, &twin.source, twin.query.range.start);
                return Err(misplaced(&source, query.query.range.start, &why));
            }
            corpus.push(query);
        }
    }
    require_known(&settings.regress, &names, folder)?;
    Ok(corpus)
}

fn is_fixtures(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == FIXTURES)
}

/// The fixtures of the folders from the corpus' own down to the file's.
fn fixtures_for(file: &Path, corpus: &Path, fixtures: &HashSet<&Path>) -> Vec<PathBuf> {
    let folders = file.ancestors().skip(1).take_while(|folder| folder.starts_with(corpus));
    let mut found: Vec<PathBuf> = folders
        .map(|folder| folder.join(FIXTURES))
        .filter(|path| fixtures.contains(path.as_path()))
        .collect();
    found.reverse();
    found
}

fn load_file(
    path: &Path,
    source: &SourceFile,
    fixtures: &[PathBuf],
    settings: &Settings,
) -> Result<Vec<CorpusQuery>, Failure> {
    let beside = |extension: &str| -> Result<Option<SourceFile>, Failure> {
        let path = path.with_extension(extension);
        path.is_file().then(|| read_source(&path, &settings.current)).transpose()
    };
    let queries =
        parse_queries(source).map_err(|error| misplaced(source, error.range.start, &error.message))?;
    let (tables, lines) = (beside("toml")?, beside("jsonl")?);
    let mut values = ValueFiles::read(source, tables.as_ref(), lines.as_ref(), &queries)?;
    let with_values = queries.into_iter().map(|query| {
        let said = directives::read(&query, source, settings.regress.thresholds(&query.name))?;
        let sets = match &said.skip {
            // What isn't run may be half-written.
            Some(_) => Vec::new(),
            None => values.take(&query, source)?,
        };
        let directives::Said { tags, thresholds, skip } = said;
        let thresholds = settings.regress.with_typed(thresholds);
        let (source, fixtures) = (source.clone(), fixtures.to_vec());
        Ok(CorpusQuery { query, source, tags, thresholds, sets, fixtures, skip })
    });
    with_values.collect()
}

/// Refuses thresholds for a query that there isn't.
fn require_known(
    regress: &RegressSettings,
    names: &HashMap<String, usize>,
    folder: &Path,
) -> Result<(), Failure> {
    let Some((name, location)) = regress.named().find(|(name, _)| !names.contains_key(*name)) else {
        return Ok(());
    };
    let Location { file, line, column, .. } = location;
    let why = match nearest(name, names.keys().map(String::as_str)) {
        Some(near) => format!("there is no query `{name}`; did you mean `{near}`?"),
        None => format!("there is no query `{name}` in {}", folder.display()),
    };
    Err(Failure::input(format!("use {file}:{line}:{column}: {why}")))
}

fn misplaced(source: &SourceFile, offset: usize, message: &str) -> Failure {
    let (line, column) = source.line_column(offset);
    Failure::input(format!("read {}:{line}:{column}: {message}", source.name()))
}

#[cfg(test)]
mod tests;
