//! A project of RegreSQL: `regresql/regress.yaml`, SQL files, and a plan of values for each query in `regresql/plans`.
//!
//! Both layouts are read: github.com/dimitri/regresql has `plans/PATH/FILE.yaml`, github.com/boringSQL/regresql
//! `plans/PATH/FILE_QUERY.yaml`. What they expect of results stays behind: baselines hold more, and are recorded anew.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use plimsoll_core::SourceFile;
use plimsoll_core::units::plural;
use plimsoll_lint::path_set::PathSet;
use plimsoll_sql::parameter_lines::parameter_text;
use plimsoll_sql::query_file::{Query, parse_queries};
use serde_json::Value;
use toml::Table;

use super::plan_yaml::{Yaml, parse};
use crate::corpus::saved::{names_in, write_files};
use crate::exit::Failure;
use crate::inputs::{has_extension, read_source, read_text, walk};
use crate::settings::Settings;

/// Keys of a plan that are no sets.
const NO_SETS: [&str; 3] = ["fixtures", "cleanup", "plan_quality"];

struct Project<'a> {
    folder: &'a Path,
    /// Where its SQL files are looked for.
    root: PathBuf,
    settings: &'a Settings,
}

/// What was done, in sentences.
#[derive(Default)]
struct Told {
    queries: usize,
    sets: usize,
    kept: usize,
    needy: Vec<String>,
    left_out: Vec<String>,
    renamed: Vec<String>,
    no_test: usize,
}

/// Writes the project's queries with their sets into a folder; returns what there is to say.
pub(super) fn import(project: &Path, into: &Path, settings: &Settings) -> Result<Vec<String>, Failure> {
    let config_path = project.join("regresql/regress.yaml");
    if !config_path.is_file() {
        return Err(Failure::input(format!(
            "read the RegreSQL project {}: it has no regresql/regress.yaml; name the folder that regresql runs in",
            project.display()
        )));
    }
    let config = read_yaml(&config_path, settings)?;
    let root = project.join(config.get("root").and_then(Yaml::text).unwrap_or("."));
    let root = plimsoll_core::paths::normal(&root);
    let project = Project { folder: project, root, settings };
    let fixtures = project.snapshot_files(&config, "fixtures");
    let mut excluded: HashSet<PathBuf> = fixtures.iter().cloned().collect();
    excluded.extend(project.snapshot_files(&config, "schema"));
    let ignored = project.ignored(&config)?;
    let mut files = Vec::new();
    let mut told = Told::default();
    let mut names = names_in(into)?;
    let own = project.folder.join("regresql");
    for path in walk(&project.root)? {
        let is_query_file = has_extension(&path, "sql")
            && !path.starts_with(&own)
            && !path.starts_with(into)
            && !excluded.contains(&path)
            && !ignored.contains(path.strip_prefix(project.folder).unwrap_or(&path));
        if is_query_file {
            project.read_file(&path, into, &mut names, &mut files, &mut told)?;
        }
    }
    let loaded = project.fixtures(&fixtures, into, &mut files)?;
    if told.queries == 0 && told.kept == 0 {
        return Err(Failure::input(format!(
            "take queries from the RegreSQL project {}: there is no SQL file with queries below {}",
            project.folder.display(),
            project.root.display()
        )));
    }
    for folder in files.iter().filter_map(|(path, _)| path.parent()) {
        std::fs::create_dir_all(folder)
            .map_err(|why| Failure::environment(format!("make the folder {}: {why}", folder.display())))?;
    }
    write_files(&files)?;
    Ok(told.sentences(into, loaded))
}

impl Project<'_> {
    /// Files that `snapshot` of the configuration names under this key.
    fn snapshot_files(&self, config: &Yaml, key: &str) -> Vec<PathBuf> {
        let files = config.get("snapshot").and_then(|snapshot| snapshot.get(key));
        let texts = files.map(Yaml::texts).unwrap_or_default();
        texts.into_iter().map(|file| plimsoll_core::paths::normal(&self.folder.join(file))).collect()
    }

    /// Files left out by `exclude` and by `.regresignore`.
    fn ignored(&self, config: &Yaml) -> Result<PathSet, Failure> {
        let mut globs: Vec<String> = config
            .get("exclude")
            .map(Yaml::texts)
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let ignore = self.folder.join(".regresignore");
        if ignore.is_file() {
            let text = read_text(&ignore, &self.settings.current)?;
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
            {
                // As .gitignore has it: a slash at the start or in the midst binds to the root.
                let folder = line.trim_end_matches('/');
                let anywhere = if folder.contains('/') { "" } else { "**/" };
                let folder = folder.trim_start_matches('/');
                globs.push(format!("{anywhere}{folder}"));
                globs.push(format!("{anywhere}{folder}/**"));
            }
        }
        // Paths are asked about as seen from the project.
        let root = Path::new("/");
        PathSet::new(globs.iter().map(String::as_str), root, root).map_err(|error| {
            let why =
                format!("`{}` of exclude or .regresignore is no pattern: {}", globs[error.index], error.why);
            Failure::input(format!("read the RegreSQL project {}: {why}", self.folder.display()))
        })
    }

    fn read_file(
        &self,
        path: &Path,
        into: &Path,
        names: &mut HashSet<String>,
        files: &mut Vec<(PathBuf, String)>,
        told: &mut Told,
    ) -> Result<(), Failure> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let source = read_source(path, &self.settings.current)?;
        let (text, defaults) = without_set_commands(source.text());
        let source = SourceFile::new(source.path(), text);
        let queries = match parse_queries(&source) {
            Ok(queries) if !queries.is_empty() => queries,
            Ok(_) => return Ok(()),
            Err(error) => {
                let line = source.line_column(error.range.start).0;
                told.left_out.push(format!("{}:{line}: {}", source.name(), error.message));
                return Ok(());
            }
        };
        let target = into.join(below);
        if target.exists() {
            told.kept += queries.len();
            return Ok(());
        }
        if target.with_extension("toml").exists() {
            let shown = target.with_extension("toml").display().to_string();
            return Err(Failure::input(format!(
                "write {shown}: it is there already, without its .sql; move it away"
            )));
        }
        let mut written = String::new();
        let mut values = Table::new();
        let mut end = 0;
        for query in &queries {
            let mut name = query.name.clone();
            if !names.insert(name.clone()) {
                name = unique(&source, &name, names);
                told.renamed.push(format!("{} of {} is {name}", query.name, source.name()));
            }
            let head = &source.text()[end..query.range.start];
            end = query.range.end;
            let sets = self.sets(path, query, &defaults)?;
            written.push_str(&format!("-- name: {name}\n"));
            if is_not_tested(head) {
                written.push_str("-- skip: notest\n");
                told.no_test += 1;
            } else if lacks_values(query, &sets) {
                written.push_str("-- skip: needs values\n");
                told.needy.push(name.clone());
            } else if let Some(Value::Object(own)) = Some(&sets).filter(|sets| !is_empty(sets)) {
                told.sets += own.values().filter(|value| value.is_object()).count().max(1);
                values.insert(name, toml::Value::Table(table_of(own)));
            }
            written.push_str(&comments_of(head));
            written.push_str(&source.text()[query.range.clone()]);
            written.push_str(";\n\n");
            told.queries += 1;
        }
        if !values.is_empty() {
            files.push((target.with_extension("toml"), values.to_string()));
        }
        files.push((target, written));
        Ok(())
    }

    /// The values of a query: those of all sets, and sets by name.
    fn sets(&self, path: &Path, query: &Query, defaults: &[(String, String)]) -> Result<Value, Failure> {
        let mut own = serde_json::Map::new();
        if query.parameters.is_empty() {
            return Ok(Value::Object(own));
        }
        let is_parameter = |name: &str| query.parameters.iter().any(|parameter| parameter.name == name);
        for (name, value) in defaults.iter().filter(|(name, _)| is_parameter(name)) {
            own.insert(name.clone(), Value::String(value.clone()));
        }
        let Some((plan, shown)) = self.plan(path, query)? else { return Ok(Value::Object(own)) };
        let Yaml::Map(fields) = plan else { return Ok(Value::Object(own)) };
        for (name, values) in fields.into_iter().filter(|(name, _)| !NO_SETS.contains(&name.as_str())) {
            let wrong = |why: String| Failure::input(format!("read {shown}: set {name}: {why}"));
            let Yaml::Map(values) = values else {
                return Err(wrong("expected values by the parameters' names".to_owned()));
            };
            let mut set = serde_json::Map::new();
            for (parameter, value) in values.into_iter().filter(|(parameter, _)| is_parameter(parameter)) {
                let value = json_of(&value);
                let text = parameter_text(&value).map_err(|why| wrong(format!("{parameter} {why}")))?;
                set.insert(parameter, text.map_or(Value::Null, Value::String));
            }
            own.insert(set_name(&name, query), Value::Object(set));
        }
        Ok(Value::Object(own))
    }

    /// The query's plan, and what it is called.
    fn plan(&self, path: &Path, query: &Query) -> Result<Option<(Yaml, String)>, Failure> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let plans = self.folder.join("regresql/plans");
        let folders = [self.folder, &self.root].map(|from| {
            let below = path.parent().and_then(|folder| folder.strip_prefix(from).ok());
            plans.join(below.unwrap_or(Path::new("")))
        });
        let files =
            [format!("{stem}_{}.yaml", query.name), format!("{stem}_default.yaml"), format!("{stem}.yaml")];
        let found = folders.iter().flat_map(|folder| files.iter().map(|file| folder.join(file)));
        let Some(found) = found.into_iter().find(|path| path.is_file()) else { return Ok(None) };
        let shown = plimsoll_core::paths::seen_from(&found, &self.settings.current).display().to_string();
        Ok(Some((read_yaml(&found, self.settings)?, shown)))
    }

    /// Puts the snapshot's fixtures into the corpus; returns how many there are.
    fn fixtures(
        &self,
        fixtures: &[PathBuf],
        into: &Path,
        files: &mut Vec<(PathBuf, String)>,
    ) -> Result<usize, Failure> {
        let target = into.join("fixtures.sql");
        if fixtures.is_empty() || target.exists() {
            return Ok(0);
        }
        let mut text = String::new();
        for path in fixtures {
            let shown = path.strip_prefix(self.folder).unwrap_or(path).display();
            text.push_str(&format!("-- {shown}\n{}\n", read_text(path, &self.settings.current)?.trim_end()));
        }
        files.push((target, text));
        Ok(fixtures.len())
    }
}

impl Told {
    fn sentences(self, into: &Path, fixtures: usize) -> Vec<String> {
        let queries = plural(self.queries, "query");
        let mut told = vec![format!(
            "{queries} with {} of values written to {}.",
            plural(self.sets, "set"),
            into.display()
        )];
        let mut add = |is_so: bool, sentence: String| told.extend(is_so.then_some(sentence));
        add(self.kept > 0, format!("{} were there already and stay as they are.", self.kept));
        add(
            fixtures > 0,
            format!("{} of its snapshot joined into fixtures.sql.", plural(fixtures, "fixture")),
        );
        add(
            !self.renamed.is_empty(),
            format!("Named anew, since names are unique here: {}.", self.renamed.join("; ")),
        );
        add(self.no_test > 0, format!("{} marked notest are skipped.", self.no_test));
        add(
            !self.needy.is_empty(),
            format!(
                "Skipped until you give values in the .toml beside and take out `-- skip: needs values`: {}.",
                self.needy.join(", ")
            ),
        );
        add(
            !self.left_out.is_empty(),
            format!("Left out, since they are no query files: {}.", self.left_out.join("; ")),
        );
        add(true, "What RegreSQL expects of results and costs stays behind: `plimsoll regress record` writes baselines.".to_owned());
        told
    }
}

fn read_yaml(path: &Path, settings: &Settings) -> Result<Yaml, Failure> {
    let source = read_source(path, &settings.current)?;
    parse(source.text())
        .map_err(|error| Failure::input(format!("read {}:{}: {}", source.name(), error.line, error.why)))
}

/// The text without psql's `\set name value` lines, and what they set.
fn without_set_commands(text: &str) -> (String, Vec<(String, String)>) {
    let mut defaults = Vec::new();
    let mut rest = String::new();
    for line in text.split_inclusive('\n') {
        let Some(command) = line.trim().strip_prefix("\\set ") else {
            rest.push_str(line);
            continue;
        };
        rest.push('\n');
        let (name, value) = command.trim().split_once(char::is_whitespace).unwrap_or((command.trim(), ""));
        // Words grow together, as psql has it.
        let words = value.split_whitespace().map(|word| {
            let inside = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\''));
            inside.map_or_else(|| word.to_owned(), |inside| inside.replace("''", "'"))
        });
        let inside = value.trim().strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        let value = match inside.filter(|inside| !inside.replace("''", "").contains('\'')) {
            Some(inside) => inside.replace("''", "'"),
            None => words.collect(),
        };
        defaults.push((name.to_owned(), value));
    }
    (rest, defaults)
}

/// What stands over a query, without its name.
fn comments_of(head: &str) -> String {
    let lines = head.lines().map(str::trim).filter(|line| {
        let comment = line.trim_start_matches('-').trim();
        line.starts_with("--")
            && !comment.is_empty()
            && !comment.starts_with("name:")
            && !comment.starts_with("regresql:")
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Whether `-- regresql: notest` stands over it.
fn is_not_tested(head: &str) -> bool {
    let options =
        head.lines().filter_map(|line| line.trim().trim_start_matches('-').trim().strip_prefix("regresql:"));
    options.flat_map(|options| options.split(',')).any(|option| option.trim() == "notest")
}

/// A name that no other query has.
fn unique(source: &SourceFile, name: &str, names: &mut HashSet<String>) -> String {
    let stem = source.path().file_stem().unwrap_or_default().to_string_lossy();
    let plain = format!("{}_{name}", stem.split_whitespace().collect::<Vec<_>>().join("_"));
    let numbered = (2_u64..).map(|number| format!("{plain}_{number}"));
    let mut candidates = std::iter::once(plain.clone()).chain(numbered);
    candidates.find(|candidate| names.insert(candidate.clone())).unwrap_or(plain)
}

/// A set's name as a corpus takes it.
fn set_name(name: &str, query: &Query) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_control() || "[]".contains(letter) { '_' } else { letter })
        .collect();
    let plain = plain.trim();
    match plain.is_empty() || query.parameters.iter().any(|parameter| parameter.name == plain) {
        true => format!("set_{plain}"),
        false => plain.to_owned(),
    }
}

fn is_empty(sets: &Value) -> bool {
    sets.as_object().is_none_or(serde_json::Map::is_empty)
}

/// Whether a parameter has no value in some set, or there is no set.
fn lacks_values(query: &Query, sets: &Value) -> bool {
    let Some(own) = sets.as_object() else { return true };
    let named: Vec<&serde_json::Map<String, Value>> = own.values().filter_map(Value::as_object).collect();
    query.parameters.iter().any(|parameter| {
        !own.contains_key(&parameter.name)
            && (named.is_empty() || named.iter().any(|set| !set.contains_key(&parameter.name)))
    })
}

fn json_of(value: &Yaml) -> Value {
    match value {
        Yaml::Null => Value::Null,
        Yaml::Scalar(text) => Value::String(text.clone()),
        Yaml::List(values) => values.iter().map(json_of).collect(),
        Yaml::Map(fields) => fields.iter().map(|(key, value)| (key.clone(), json_of(value))).collect(),
    }
}

/// As TOML, where the empty table is NULL.
fn table_of(fields: &serde_json::Map<String, Value>) -> Table {
    let value = |value: &Value| match value {
        Value::Object(fields) => toml::Value::Table(table_of(fields)),
        Value::String(text) => toml::Value::String(text.clone()),
        _ => toml::Value::Table(Table::new()),
    };
    fields.iter().map(|(key, field)| (key.clone(), value(field))).collect()
}
