//! The project as an editor sees it: every open document judged in its place, what stands before it
//! read and replayed once.
//!
//! A document belongs to the project of the `plimsoll.toml` found upward from it, else to that of
//! the open folder around it; one that has neither is judged alone. What is open stands for the file
//! on disk, for the documents that build on it too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::Finding;
use plimsoll_core::paths::normal;
use plimsoll_lint::Judgement;
use plimsoll_lint::draft::Draft;
use plimsoll_lsp::{Judge, Judged};
use plimsoll_sql::parse::remember_statements;
use plimsoll_sql::{InputFile, Layout, Migration, Schema};

use crate::baseline;
use crate::config;
use crate::exit::Failure;
use crate::inputs::{Inputs, has_extension};
use crate::project::{Project, is_down};
use crate::settings::Settings;

/// The name of a document that is no file.
const UNNAMED: &str = "untitled.sql";

/// Judges open documents.
pub(crate) struct Editor {
    /// The configuration that was named, if one was.
    config: Option<PathBuf>,
    /// The client's folders.
    folders: Vec<PathBuf>,
    /// The texts of open files.
    texts: BTreeMap<PathBuf, Arc<[u8]>>,
    /// What stands around each open file, until something of that changes.
    surroundings: BTreeMap<PathBuf, Surroundings>,
}

/// All about a file but its own text.
struct Surroundings {
    settings: Settings,
    lint: Arc<plimsoll_lint::Settings>,
    project: Project,
    /// The state before the file.
    before: Schema,
    /// The layout that the file shows by itself: another one may be that of the whole folder.
    own_layout: &'static Layout,
    /// The file as it was judged last.
    draft: Draft,
}

impl Editor {
    pub(crate) fn new(config: Option<PathBuf>) -> Self {
        // The same statements are read at every keystroke.
        remember_statements();
        Self { config, folders: Vec::new(), texts: BTreeMap::new(), surroundings: BTreeMap::new() }
    }

    /// The folder of the project that a file belongs to, and its configuration.
    fn home(&self, path: &Path) -> Option<(PathBuf, Option<PathBuf>)> {
        let folder = || self.folders.iter().filter(|folder| path.starts_with(folder));
        let around = || folder().max_by_key(|folder| folder.as_os_str().len()).cloned();
        match &self.config {
            Some(config) => Some((config.parent()?.to_owned(), Some(config.clone()))),
            None => match config::find_upward(path.parent()?) {
                Some(config) => Some((config.parent()?.to_owned(), Some(config))),
                None => Some((around()?, None)),
            },
        }
    }

    /// What stands around a file, read anew. None if the file is no part of a change.
    fn look_around(&self, path: &Path, text: &str) -> Result<Option<Surroundings>, Failure> {
        let Some((home, config)) = self.home(path) else { return Ok(Some(Surroundings::alone(path, text)?)) };
        let settings = Settings::load_in(home, config.as_deref(), None)?;
        if is_no_change(path, &settings) {
            return Ok(None);
        }
        let mut texts = self.texts.clone();
        texts.insert(path.to_owned(), text.as_bytes().into());
        let inputs = Inputs::with_texts(&settings.current, texts);
        let project = Project::of_file(&settings, &inputs, path)?;
        Ok(Some(Surroundings::new(settings, project, path, text)))
    }

    fn judge_file(&mut self, path: &Path, text: &str) -> Result<Option<Judged>, Failure> {
        if !has_extension(path, "sql") {
            return Ok(Some(Surroundings::alone(path, text)?.judge(path, text)?));
        }
        if is_down(path) {
            return Ok(None);
        }
        let known = self.surroundings.get(path);
        if known.is_none_or(|known| known.own_layout != own_layout(path, text)) {
            let Some(around) = self.look_around(path, text)? else { return Ok(None) };
            self.surroundings.insert(path.to_owned(), around);
        }
        match self.surroundings.get_mut(path) {
            Some(around) => around.judge(path, text).map(Some),
            None => Ok(None),
        }
    }
}

impl Judge for Editor {
    fn set_folders(&mut self, folders: Vec<PathBuf>) {
        self.folders = folders.iter().map(|folder| normal(folder)).collect();
    }

    fn set_text(&mut self, path: &Path, text: Option<&str>) {
        let path = normal(path);
        match text {
            Some(text) => self.texts.insert(path.clone(), text.as_bytes().into()),
            None => self.texts.remove(&path),
        };
        // Its own surroundings stay what they were.
        self.surroundings.retain(|known, _| text.is_some() && *known == path);
    }

    fn forget(&mut self) {
        self.surroundings.clear();
    }

    fn glance(&mut self, path: Option<&Path>, text: &str) -> Option<Judged> {
        let path = normal(path?);
        self.surroundings.get_mut(&path)?.glance(&path, text)
    }

    fn judge(&mut self, path: Option<&Path>, text: &str) -> Result<Option<Judged>, String> {
        let judged = match path {
            Some(path) => self.judge_file(&normal(path), text),
            None => {
                let path = Path::new("/").join(UNNAMED);
                Surroundings::alone(&path, text).and_then(|mut alone| alone.judge(&path, text)).map(Some)
            }
        };
        judged.map_err(|failure| match failure {
            Failure::Input(why) | Failure::Environment(why) => why,
            Failure::Stopped(_) => "go on: it was stopped".to_owned(),
        })
    }
}

impl Surroundings {
    fn new(settings: Settings, project: Project, path: &Path, text: &str) -> Self {
        let before = project.schema_before();
        let lint = Arc::new(project.lint_settings(&settings));
        Self { settings, lint, project, before, own_layout: own_layout(path, text), draft: Draft::default() }
    }

    /// Nothing is around a file that belongs to no project.
    fn alone(path: &Path, text: &str) -> Result<Self, Failure> {
        let folder = path.parent().unwrap_or(path).to_owned();
        let settings = Settings::load_in(folder, None, None)?;
        let project = Project::empty();
        Ok(Self::new(settings, project, path, text))
    }

    /// Judges the file as it is now, and leaves out what the baseline has.
    fn judge(&mut self, path: &Path, text: &str) -> Result<Judged, Failure> {
        let Some(migration) = self.project.reread(path, text.into(), &self.settings) else {
            return Err(Failure::input(format!("judge {}: it is no migration", path.display())));
        };
        let Judgement { findings, suppressions, .. } = self.draft.judge(&self.before, &migration, &self.lint);
        let (migration, mut findings) = self.without_known(migration, findings)?;
        findings.extend(suppressions.remarks(&self.lint.policy));
        self.draft.reported(migration.clone(), findings.clone());
        Ok(self.judged(migration, findings))
    }

    /// What is to be seen at a glance since the file was judged.
    fn glance(&mut self, path: &Path, text: &str) -> Option<Judged> {
        if self.own_layout != own_layout(path, text) {
            return None;
        }
        let migration = self.project.reread(path, text.into(), &self.settings)?;
        let findings = self.draft.glance(&migration, &self.lint)?;
        let (migration, findings) = self.without_known(migration, findings).ok()?;
        Some(self.judged(migration, findings))
    }

    /// The findings that the baseline doesn't have.
    fn without_known(
        &mut self,
        migration: Migration,
        findings: Vec<Finding>,
    ) -> Result<(Migration, Vec<Finding>), Failure> {
        let Some(path) = &self.settings.baseline else { return Ok((migration, findings)) };
        self.project.new = vec![migration.clone()];
        let met = baseline::leave_out(findings, path, &self.project.judged(), &self.settings);
        Ok((migration, met?.new))
    }

    fn judged(&self, migration: Migration, findings: Vec<Finding>) -> Judged {
        Judged { migration, findings, before: self.before.clone(), settings: Arc::clone(&self.lint) }
    }
}

/// Whether a file is something else than a change: a dump of the schema, rows to load, a query.
fn is_no_change(path: &Path, settings: &Settings) -> bool {
    settings.schema.as_deref() == Some(path)
        || settings.seeds.iter().any(|seed| seed == path)
        || settings.queries.as_ref().is_some_and(|queries| path.starts_with(queries))
}

/// The layout that a file shows by itself.
fn own_layout(path: &Path, text: &str) -> &'static Layout {
    let file = InputFile { path: path.to_owned(), shown: path.to_owned(), text: text.into() };
    Layout::detect(&[file], Path::new(""), false)
}
