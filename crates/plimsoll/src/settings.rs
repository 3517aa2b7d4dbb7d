//! What was typed and configured, resolved: after this no argument and no key is looked at again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::SourceFile;
use plimsoll_core::units::{milliseconds, parse_bytes};
use plimsoll_lint::OLDEST_JUDGED_MAJOR;
use plimsoll_lint::names::nearest;
use plimsoll_pg::queries::MeasureSettings;
use plimsoll_pg::server::{OLDEST_SUPPORTED_MAJOR, Wanted};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::placeholder::Values;
use plimsoll_sql::{Layout, TransactionHabit, layout::LAYOUTS};
use serde_spanned::Spanned;

use crate::config::{self, Config, complaint};
use crate::exit::Failure;
use crate::inputs::read_text;

mod alarms;
mod masking;
mod policy;
mod regress;
mod workload;

pub(crate) use masking::MaskingSettings;
use plimsoll_core::paths::{normal, seen_from};
pub(crate) use regress::RegressSettings;
pub(crate) use workload::{QueryRate, WorkloadSettings};

/// The settings of a run.
pub(crate) struct Settings {
    /// The current folder, absolute: reports name files as seen from it.
    pub(crate) current: PathBuf,
    /// The project's folder: that of `plimsoll.toml`, else the current one.
    pub(crate) root: PathBuf,
    /// The migrations folder, if it is set; absolute.
    pub(crate) migrations: Option<PathBuf>,
    /// The layout, if it is set.
    pub(crate) layout: Option<&'static Layout>,
    /// What the tool does around a file, if it is set.
    pub(crate) habit: Option<TransactionHabit>,
    /// A shell command that runs the change.
    pub(crate) command: Option<String>,
    /// A shell command that brings an empty database to the state before the change.
    pub(crate) command_before: Option<String>,
    /// Variables of those commands by name, with places to fill in.
    pub(crate) variables: Vec<(String, String)>,
    /// A dump of the schema before the change.
    pub(crate) schema: Option<PathBuf>,
    /// A snapshot of a server, which lint takes for the state before the change.
    pub(crate) snapshot: Option<PathBuf>,
    /// A snapshot with production's sizes.
    pub(crate) sizes: Option<PathBuf>,
    /// Whether the configuration names the TimeZone of migrations.
    pub(crate) time_zone_is_set: bool,
    /// SQL files that load rows.
    pub(crate) seeds: Vec<PathBuf>,
    /// A command that loads rows.
    pub(crate) seed_command: Option<String>,
    /// The queries folder, if there is one.
    pub(crate) queries: Option<PathBuf>,
    /// How queries are measured.
    pub(crate) measure: MeasureSettings,
    /// From where on queries count as worse.
    pub(crate) regress: RegressSettings,
    /// The file of the history by which Plimsoll judges itself, if one is kept.
    pub(crate) history: Option<PathBuf>,
    /// The share of alarms that are to be right, if that is set: above 0, at most 1.
    pub(crate) alarm_precision: Option<f64>,
    /// What a service sends, and how a load of it is run.
    pub(crate) workload: WorkloadSettings,
    /// What becomes of personal values in trunks.
    pub(crate) masking: MaskingSettings,
    /// Which server is asked for.
    pub(crate) server: Wanted,
    /// The server's programs, if they are set.
    pub(crate) binaries: Option<PathBuf>,
    /// The database's name.
    pub(crate) database: String,
    /// TimeZone of the sessions that run migrations.
    pub(crate) time_zone: String,
    /// Settings of the rules.
    pub(crate) lint: plimsoll_lint::Settings,
    /// The file of findings that are left out, if there is one.
    pub(crate) baseline: Option<PathBuf>,
    /// Values of placeholders in migrations.
    pub(crate) placeholders: Values,
}

/// Database that private servers get when none is named.
pub(crate) const DEFAULT_DATABASE: &str = "plimsoll";
/// `lock_timeout` above which it is as good as none.
const LONGEST_LOCK_TIMEOUT_MS: u64 = 60_000;
/// Size up to which a relation's hazards are notes.
const SMALL_BYTES: u64 = 8 << 20;
const DEFAULT_RUNS: usize = 5;
const MOST_RUNS: usize = 1000;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

impl Settings {
    /// Reads `plimsoll.toml` and resolves it. `major` is the version typed on the command line.
    pub(crate) fn load(config: Option<&Path>, major: Option<u32>) -> Result<Self, Failure> {
        let current = current_folder()?;
        let path = match config {
            Some(path) => Some(current.join(path)),
            None => config::find_upward(&current),
        };
        Self::load_in(current, path.as_deref(), major)
    }

    /// Settings of a folder, by a `plimsoll.toml` if there is one.
    pub(crate) fn load_in(
        current: PathBuf,
        path: Option<&Path>,
        major: Option<u32>,
    ) -> Result<Self, Failure> {
        let (source, config) = match path {
            Some(path) => {
                let source = SourceFile::new(seen_from(path, &current), read_text(path, &current)?);
                let config = config::parse(&source)?;
                (source, config)
            }
            None => (SourceFile::new(config::FILE_NAME, ""), Config::default()),
        };
        Self::resolve(current, path, source, config, major)
    }

    /// Settings of the current folder as if there were no `plimsoll.toml`.
    pub(crate) fn bare() -> Result<Self, Failure> {
        Self::load_in(current_folder()?, None, None)
    }

    /// Fails where no private server can be of the version that the change is for.
    pub(crate) fn require_rehearsable(&self) -> Result<(), Failure> {
        match self.server {
            Wanted::Major(major) if major < OLDEST_SUPPORTED_MAJOR => Err(Failure::input(format!(
                "rehearse for PostgreSQL {major}: private servers are {OLDEST_SUPPORTED_MAJOR} or newer; let `plimsoll lint` judge the \
                 change, or rehearse it on a newer one by --postgres {OLDEST_SUPPORTED_MAJOR}"
            ))),
            Wanted::Major(_) | Wanted::Newest => Ok(()),
        }
    }

    fn resolve(
        current: PathBuf,
        path: Option<&Path>,
        source: SourceFile,
        config: Config,
        major: Option<u32>,
    ) -> Result<Self, Failure> {
        let root = path.and_then(Path::parent).map_or_else(|| current.clone(), normal);
        Resolver { current, root, source }.resolve(config, major)
    }
}

/// The current folder, absolute.
pub(crate) fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|why| Failure::environment(format!("find the current folder: {why}")))
}

struct Resolver {
    current: PathBuf,
    root: PathBuf,
    source: SourceFile,
}

impl Resolver {
    fn resolve(self, config: Config, major: Option<u32>) -> Result<Settings, Failure> {
        let Config { migrations, database, lint, queries, regress, history, alarms, workload, masking } =
            config;
        let server = self.server(major, database.version.as_ref())?;
        let time_zone =
            database.timezone.as_ref().map_or_else(|| "UTC".to_owned(), |zone| zone.get_ref().clone());
        let seeds = match &database.seed {
            Some(seeds) => self.files(seeds)?,
            None => Vec::new(),
        };
        let settings = Settings {
            migrations: migrations.path.as_ref().map(|path| self.folder(path)).transpose()?,
            layout: migrations.layout.as_ref().map(|name| self.layout(name)).transpose()?.flatten(),
            habit: migrations.transaction.as_ref().map(|word| self.habit(word)).transpose()?,
            command: migrations.command.as_ref().map(|line| self.line(line)).transpose()?,
            command_before: migrations.before.as_ref().map(|line| self.line(line)).transpose()?,
            variables: self.variables(&migrations.env)?,
            schema: database.schema.as_ref().map(|path| self.file(path)).transpose()?,
            snapshot: lint.snapshot.as_ref().map(|path| self.file(path)).transpose()?,
            sizes: database.sizes.as_ref().map(|path| self.file(path)).transpose()?,
            time_zone_is_set: database.timezone.is_some(),
            seeds,
            seed_command: database.seed_command.map(Spanned::into_inner),
            queries: self.queries(queries.path.as_ref())?,
            measure: MeasureSettings {
                runs: queries.runs.as_ref().map_or(Ok(DEFAULT_RUNS), |runs| self.runs(runs))?,
                timeout: queries.timeout.as_ref().map_or(Ok(DEFAULT_TIMEOUT), |text| self.duration(text))?,
            },
            history: self.history(&history, &regress)?,
            alarm_precision: self.alarm_precision(&alarms)?,
            regress: self.regress(&regress)?,
            workload: self.workload(&workload)?,
            masking: self.masking(&masking)?,
            server,
            binaries: database.binaries.as_ref().map(|path| self.folder(path)).transpose()?,
            database: database
                .name
                .as_ref()
                .map_or_else(|| Ok(DEFAULT_DATABASE.into()), |name| self.database(name))?,
            lint: plimsoll_lint::Settings {
                longest_lock_timeout_ms: match &lint.longest_lock_timeout {
                    Some(text) => u64::try_from(self.duration(text)?.as_millis()).unwrap_or(u64::MAX),
                    None => LONGEST_LOCK_TIMEOUT_MS,
                },
                small_bytes: lint.small.as_ref().map_or(Ok(SMALL_BYTES), |text| self.bytes(text))?,
                server_major: match server {
                    Wanted::Major(major) => Some(major),
                    Wanted::Newest => None,
                },
                time_zone: TimeZone::named(&time_zone),
                lock_timeout_ms: match &lint.lock_timeout {
                    Some(text) => u64::try_from(self.duration(text)?.as_millis()).unwrap_or(u64::MAX),
                    None => 0,
                },
                forbidden_types: plimsoll_lint::Settings::default().forbidden_types,
                policy: self.policy(&lint)?,
            },
            baseline: lint.baseline.as_ref().map(|path| self.path(path)),
            placeholders: self.placeholders(&lint)?,
            time_zone,
            current: self.current,
            root: self.root,
        };
        Ok(settings)
    }

    fn server(&self, typed: Option<u32>, configured: Option<&Spanned<u32>>) -> Result<Wanted, Failure> {
        let too_old = |major: u32| {
            format!(
                "PostgreSQL {major} is too old: Plimsoll judges changes for {OLDEST_JUDGED_MAJOR} and newer"
            )
        };
        match (typed, configured) {
            (Some(major), _) if major < OLDEST_JUDGED_MAJOR => {
                Err(Failure::input(format!("use --postgres {major}: {}", too_old(major))))
            }
            (None, Some(major)) if *major.get_ref() < OLDEST_JUDGED_MAJOR => {
                Err(complaint(&self.source, major, &too_old(*major.get_ref())))
            }
            (Some(major), _) => Ok(Wanted::Major(major)),
            (None, Some(major)) => Ok(Wanted::Major(*major.get_ref())),
            (None, None) => Ok(Wanted::Newest),
        }
    }

    fn path(&self, path: &Spanned<PathBuf>) -> PathBuf {
        normal(&self.root.join(path.get_ref()))
    }

    fn folder(&self, path: &Spanned<PathBuf>) -> Result<PathBuf, Failure> {
        let resolved = self.path(path);
        if resolved.is_dir() {
            return Ok(resolved);
        }
        let what = if resolved.exists() { "isn't a folder" } else { "doesn't exist" };
        let message = format!("folder {} {what}", path.get_ref().display());
        Err(complaint(&self.source, path, &message))
    }

    fn file(&self, path: &Spanned<PathBuf>) -> Result<PathBuf, Failure> {
        let resolved = self.path(path);
        if resolved.is_file() {
            return Ok(resolved);
        }
        let what = if resolved.exists() { "isn't a file" } else { "doesn't exist" };
        let message = format!("file {} {what}", path.get_ref().display());
        Err(complaint(&self.source, path, &message))
    }

    /// The files that a path or a list of paths names.
    fn files(&self, value: &Spanned<toml::Value>) -> Result<Vec<PathBuf>, Failure> {
        let wrong = || complaint(&self.source, value, "expected a path or a list of paths");
        let texts: Vec<&toml::Value> = match value.get_ref() {
            toml::Value::Array(values) => values.iter().collect(),
            one => vec![one],
        };
        let file = |text: &toml::Value| {
            let path = PathBuf::from(text.as_str().ok_or_else(wrong)?);
            self.file(&Spanned::new(value.span(), path))
        };
        texts.into_iter().map(file).collect()
    }

    /// A command for the shell.
    fn line(&self, line: &Spanned<String>) -> Result<String, Failure> {
        match line.get_ref().trim() {
            "" => Err(complaint(&self.source, line, "the command is empty")),
            line => Ok(line.to_owned()),
        }
    }

    fn variables(
        &self,
        templates: &std::collections::BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Result<Vec<(String, String)>, Failure> {
        let checked = templates.iter().map(|(name, template)| {
            crate::tapped::check_template(template.get_ref())
                .map_err(|why| complaint(&self.source, template, &why))?;
            Ok((name.get_ref().clone(), template.get_ref().clone()))
        });
        checked.collect()
    }

    /// The layout of that name; none for `auto`.
    fn layout(&self, name: &Spanned<String>) -> Result<Option<&'static Layout>, Failure> {
        if name.get_ref() == "auto" {
            return Ok(None);
        }
        let known = || std::iter::once("auto").chain(LAYOUTS.iter().map(|layout| layout.name));
        Layout::by_name(name.get_ref()).map(Some).ok_or_else(|| self.unknown("layout", name, known()))
    }

    fn habit(&self, word: &Spanned<String>) -> Result<TransactionHabit, Failure> {
        let found = TransactionHabit::NAMES.iter().find(|(name, _)| name == word.get_ref());
        let known = || TransactionHabit::NAMES.iter().map(|(name, _)| *name);
        found.map(|(_, habit)| *habit).ok_or_else(|| self.unknown("transaction habit", word, known()))
    }

    fn unknown<'a>(
        &self,
        kind: &str,
        word: &Spanned<String>,
        known: impl Iterator<Item = &'a str>,
    ) -> Failure {
        let known: Vec<&str> = known.collect();
        let near = nearest(word.get_ref(), known.iter().copied());
        let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let message = format!("unknown {kind} `{}`; {hint}(known: {})", word.get_ref(), known.join(", "));
        complaint(&self.source, word, &message)
    }

    fn queries(&self, path: Option<&Spanned<PathBuf>>) -> Result<Option<PathBuf>, Failure> {
        path.map(|path| self.folder(path)).transpose()
    }

    fn runs(&self, runs: &Spanned<usize>) -> Result<usize, Failure> {
        match *runs.get_ref() {
            count @ 1..=MOST_RUNS => Ok(count),
            count => Err(complaint(
                &self.source,
                runs,
                &format!("runs = {count} is not between 1 and {MOST_RUNS}"),
            )),
        }
    }

    fn duration(&self, text: &Spanned<String>) -> Result<Duration, Failure> {
        milliseconds(text.get_ref()).filter(|ms| *ms > 0).map(Duration::from_millis).ok_or_else(|| {
            let message = format!(
                "`{}` is no duration: write one as PostgreSQL does, such as \"2s\" or \"500ms\"",
                text.get_ref()
            );
            complaint(&self.source, text, &message)
        })
    }

    fn bytes(&self, text: &Spanned<String>) -> Result<u64, Failure> {
        parse_bytes(text.get_ref()).ok_or_else(|| {
            let message = format!(
                "`{}` is no size: write one as PostgreSQL does, such as \"8 MB\" or \"500 kB\"",
                text.get_ref()
            );
            complaint(&self.source, text, &message)
        })
    }

    fn database(&self, name: &Spanned<String>) -> Result<String, Failure> {
        let taken = ["postgres", "template0", "template1"];
        let name_ref = name.get_ref();
        if name_ref.is_empty()
            || name_ref.len() > 63
            || name_ref.contains('\0')
            || taken.contains(&name_ref.as_str())
        {
            let message = format!(
                "`{name_ref}` can't be a database's name here: take 1 to 63 bytes, and none of {}",
                taken.join(", ")
            );
            return Err(complaint(&self.source, name, &message));
        }
        Ok(name_ref.clone())
    }
}
