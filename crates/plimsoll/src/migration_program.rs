//! Migrations that are programs: which command runs them, and which brings a database to the state before them.
//!
//! What was typed or configured wins. Django and Alembic are recognised by their files in the project's folder: the new
//! migrations are those that git says, and the state before is what their tool makes without them.

mod alembic;
mod django;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use plimsoll_pg::server::WatchedFolder;

use crate::args::CheckArguments;
use crate::exit::Failure;
use crate::git::changed_files;
use crate::inputs::walk;
use crate::program;
use crate::settings::Settings;
use crate::tapped::{Login, TapEnvironment};

/// The files by which Django and Alembic are known.
const FRAMEWORKS: [&str; 2] = ["manage.py", "alembic.ini"];

/// How a project's migrations are run.
pub(crate) struct MigrationProgram {
    /// What reports call the script that its statements make.
    pub(crate) name: String,
    /// Brings an empty database to the state before the change; several run one after another.
    pub(crate) before: Vec<Command>,
    /// Runs the change.
    pub(crate) change: Command,
    /// What a reader must know.
    pub(crate) notes: Vec<String>,
    /// Files of ours that the commands read; removed with this.
    helper: Option<Helper>,
}

/// A program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command(pub(crate) Vec<OsString>);

impl Command {
    fn of<Word: Into<OsString>>(words: impl IntoIterator<Item = Word>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// A line for the shell.
    fn line(line: &str) -> Self {
        Self::of(["/bin/sh", "-c", line])
    }

    /// As a person would type it.
    pub(crate) fn shown(&self) -> String {
        match self.0.as_slice() {
            [shell, flag, line] if shell == "/bin/sh" && flag == "-c" => line.to_string_lossy().into_owned(),
            words => program::shown(words),
        }
    }
}

/// What makes a framework connect to the tap whatever its settings say.
enum Helper {
    Django { folder: WatchedFolder, settings: String },
    Alembic { folder: WatchedFolder, ini: String, scheme: String },
}

impl MigrationProgram {
    /// The program that a run is about; none where the migrations are SQL files.
    pub(crate) fn find(arguments: &CheckArguments, settings: &Settings) -> Result<Option<Self>, Failure> {
        let before = settings.command_before.as_deref().map(Command::line);
        if !arguments.command.is_empty() {
            let change = Command(arguments.command.clone());
            return Ok(Some(Self::plain(change, before)));
        }
        if let Some(line) = &settings.command {
            return Ok(Some(Self::plain(Command::line(line), before)));
        }
        let is_told = settings.migrations.is_some() || !arguments.report.files.is_empty();
        if is_told || arguments.report.staged {
            return Ok(None);
        }
        let [django, alembic] = FRAMEWORKS.map(|file| settings.root.join(file).is_file());
        if django {
            return django::find(arguments, settings).map(Some);
        }
        if alembic {
            return alembic::find(arguments, settings).map(Some);
        }
        Ok(None)
    }

    /// Whether the project's migrations are programs as far as its settings and files tell.
    pub(crate) fn is_used(settings: &Settings) -> bool {
        let framework = || FRAMEWORKS.iter().any(|file| settings.root.join(file).is_file());
        settings.migrations.is_none() && (settings.command.is_some() || framework())
    }

    fn plain(change: Command, before: Option<Command>) -> Self {
        Self {
            name: change.shown(),
            before: before.into_iter().collect(),
            change,
            notes: Vec::new(),
            helper: None,
        }
    }

    /// What else the commands' environment needs, given the variables that lead to the tap.
    pub(crate) fn environment(
        &self,
        tapped: &TapEnvironment,
        login: &Login,
    ) -> Result<Vec<(String, OsString)>, Failure> {
        match &self.helper {
            None => Ok(Vec::new()),
            Some(Helper::Django { folder, settings }) => Ok(django::environment(folder.path(), settings)),
            Some(Helper::Alembic { folder, ini, scheme }) => {
                alembic::write_ini(folder.path(), ini, &tapped.url(scheme, login))?;
                Ok(Vec::new())
            }
        }
    }
}

/// Python files below the project that git says are new, and what they were compared with; all of them with `--all`.
fn new_files(
    arguments: &CheckArguments,
    settings: &Settings,
    is_migration: impl Fn(&Path) -> bool,
) -> Result<(Vec<PathBuf>, Vec<String>), Failure> {
    if arguments.report.all {
        let files = walk(&settings.root)?.into_iter().filter(|path| is_migration(path));
        return Ok((files.collect(), Vec::new()));
    }
    let changed = changed_files(&settings.root, arguments.report.base.as_deref())?;
    let files: Vec<PathBuf> = changed.paths.into_iter().filter(|path| is_migration(path)).collect();
    let mut notes = Vec::new();
    if files.is_empty() {
        notes.push(format!("No migration is new since {}: --base names another commit.", changed.base));
    }
    for path in files.iter().filter(|path| changed.released.contains(*path)) {
        let name = path.strip_prefix(&settings.root).unwrap_or(path).display();
        notes.push(format!(
            "{name} was released before and is edited: databases that ran it won't run it again."
        ));
    }
    Ok((files, notes))
}

/// The project's own Python: that of the active virtual environment, of one in the project's folder, or PATH's.
fn python(settings: &Settings) -> PathBuf {
    let active = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let own = [".venv", "venv", "env"].map(|name| settings.root.join(name));
    let inside = active.into_iter().chain(own).map(|folder| folder.join("bin/python"));
    let found = inside.into_iter().find(|python| python.is_file());
    found.unwrap_or_else(|| {
        let on_path = |name: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
        };
        if on_path("python") { "python".into() } else { "python3".into() }
    })
}

fn helper_folder() -> Result<WatchedFolder, Failure> {
    WatchedFolder::create().map_err(|why| {
        Failure::environment(format!("make a temporary folder: {why}; set TMPDIR to another one"))
    })
}
