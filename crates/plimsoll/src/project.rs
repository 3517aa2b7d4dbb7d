//! The project's files: migrations, which of them are new, and the state before the change.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::ChangeScope;
use plimsoll_core::units::plural;
use plimsoll_core::{Location, SourceFile};
use plimsoll_lint::{Judgement, judge, judge_each_and_release};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::placeholder::{Kind, Placeholder};
use plimsoll_sql::{InputFile, Layout, Migration, Schema, Snapshot};

use crate::args::ReportArguments;
use crate::baseline::Judged;
use crate::exit::Failure;
use crate::git::{ChangedFiles, changed_files, staged_files};
use crate::inputs::{FolderTexts, Inputs, Unreadable, has_extension, read_source, walk};
use crate::settings::Settings;
use plimsoll_core::paths::{normal, seen_from};

/// Folders in which migrations are looked for when none is configured.
pub(crate) const USUAL_FOLDERS: [&str; 6] = [
    "migrations",
    "db/migrations",
    "supabase/migrations",
    "prisma/migrations",
    "src/main/resources/db/migration",
    "database/migrations",
];

/// Names of placeholders that a note lists.
const NAMES_SHOWN: usize = 8;
/// Characters of a placeholder that a message shows.
const LONGEST_NAME: usize = 40;

/// A change and the state that it meets.
pub(crate) struct Project {
    /// A dump of the schema before the change, if one is configured.
    pub(crate) schema: Option<SourceFile>,
    /// What a server's catalogue said, if that is configured: lint takes it for the state before the change.
    pub(crate) snapshot: Option<Snapshot>,
    /// Migrations that the change builds on. Empty where a schema dump stands for them.
    pub(crate) earlier: Vec<Migration>,
    /// The change.
    pub(crate) new: Vec<Migration>,
    /// Files of the change that can't be read.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Files that the change builds on and that can't be read.
    pub(crate) unreadable_before: Vec<Unreadable>,
    /// Whether the new files are deployed together.
    pub(crate) scope: ChangeScope,
    /// What a reader must know, such as that nothing is new.
    pub(crate) notes: Vec<String>,
    /// How the migrations lie in their folder, and which that is.
    folder: Option<PathBuf>,
    layout: &'static Layout,
    /// What lies beside them and says how they run.
    beside: Vec<InputFile>,
}

/// Which files are new.
struct Newness {
    /// Absolute paths.
    paths: BTreeSet<PathBuf>,
    /// Those of them that were released before.
    released: BTreeSet<PathBuf>,
    scope: ChangeScope,
}

impl Project {
    pub(crate) fn load(settings: &Settings, arguments: &ReportArguments) -> Result<Self, Failure> {
        let inputs = Inputs::open(&settings.current, arguments)?;
        let named = inputs.named_files(&arguments.files)?;
        Self::of(settings, &inputs, named, Some(arguments))
    }

    /// The change that one file is, by its absolute path.
    pub(crate) fn of_file(settings: &Settings, inputs: &Inputs, path: &Path) -> Result<Self, Failure> {
        Self::of(settings, inputs, vec![path.to_owned()], None)
    }

    /// No files, in no folder.
    pub(crate) fn empty() -> Self {
        Self {
            schema: None,
            snapshot: None,
            earlier: Vec::new(),
            new: Vec::new(),
            unreadable: Vec::new(),
            unreadable_before: Vec::new(),
            scope: ChangeScope::Together,
            notes: Vec::new(),
            folder: None,
            layout: Layout::detect(&[], Path::new(""), false),
            beside: Vec::new(),
        }
    }

    /// The state before a program runs, as far as a dump makes it.
    pub(crate) fn before_program(settings: &Settings) -> Result<Self, Failure> {
        let schema = settings.schema.as_ref().map(|path| read_dump(path, settings)).transpose()?;
        Ok(Self { schema, ..Self::empty() })
    }

    /// What a program has run, as scripts, with what was known of the database before.
    pub(crate) fn of_scripts(
        snapshot: Snapshot,
        scripts: Vec<Migration>,
        scope: ChangeScope,
        notes: Vec<String>,
    ) -> Self {
        Self { snapshot: Some(snapshot), new: scripts, scope, notes, ..Self::empty() }
    }

    /// The change that the named files are, or else what the arguments say.
    fn of(
        settings: &Settings,
        inputs: &Inputs,
        named: Vec<PathBuf>,
        arguments: Option<&ReportArguments>,
    ) -> Result<Self, Failure> {
        let folder = migrations_folder(settings, &named, inputs)?;
        let asked = arguments.filter(|_| named.is_empty()).zip(folder.as_deref());
        // Git is as slow as reading all migrations is: both at once.
        let (read, changed) = std::thread::scope(|scope| {
            let changed = asked.filter(|(arguments, _)| !arguments.all).map(|(arguments, folder)| {
                scope.spawn(move || match arguments.staged {
                    true => staged_files(folder),
                    false => changed_files(folder, arguments.base.as_deref()),
                })
            });
            let read = read_migrations(settings, inputs, folder.as_deref());
            let changed = changed.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            (read, changed)
        });
        let (FolderTexts { files, unreadable }, layout, migrations) = read?;
        if let Some(folder) = folder.as_ref().filter(|_| named.is_empty())
            && migrations.is_empty()
            && unreadable.is_empty()
        {
            return Err(no_migrations(folder, settings));
        }
        let mut notes = Vec::new();
        let known: BTreeSet<PathBuf> = migrations.iter().map(|m| absolute(m, settings)).collect();
        let newness = match (asked, changed) {
            (Some((arguments, _)), Some(changed)) => changes(changed?, &known, arguments, &mut notes),
            // What can't be read is as new as the rest.
            (Some((_, folder)), None) => Newness {
                paths: walk(folder)?.into_iter().collect(),
                released: BTreeSet::new(),
                scope: ChangeScope::EachFile,
            },
            (None, _) => Newness {
                paths: named.iter().cloned().collect(),
                released: BTreeSet::new(),
                scope: ChangeScope::Together,
            },
        };
        let is_at = |unreadable: &Unreadable, path: &Path| {
            normal(&settings.current.join(&unreadable.location.file)) == path
        };
        let (mut unreadable, unreadable_before): (Vec<_>, Vec<_>) =
            unreadable.into_iter().partition(|one| newness.paths.iter().any(|path| is_at(one, path)));
        let mut strangers = Vec::new();
        for path in named.iter().filter(|path| !known.contains(*path)) {
            if unreadable.iter().any(|one| is_at(one, path)) {
                continue;
            }
            match stranger(path, inputs, layout, settings)? {
                Ok(migrations) => strangers.extend(migrations),
                Err(one) => unreadable.push(one),
            }
        }
        let is_new = |migration: &Migration| newness.paths.contains(&absolute(migration, settings));
        let mut earlier = Vec::new();
        let mut new = Vec::new();
        let last_new = migrations.iter().rposition(is_new);
        for (at, migration) in migrations.into_iter().enumerate() {
            if is_new(&migration) {
                new.push(migration);
            } else if named.is_empty() || !strangers.is_empty() || last_new.is_none_or(|last| at < last) {
                earlier.push(migration);
            }
        }
        new.extend(strangers);
        let edited = new.iter().filter(|migration| newness.released.contains(&absolute(migration, settings)));
        let edited: Vec<String> = edited.map(|migration| migration.source.name()).collect();
        notes.extend(edited.iter().map(|file| {
            format!("{file} was released before and is edited: databases that ran it won't run it again.")
        }));
        // Then what one file makes isn't private to the next: it has been in use for long.
        let snapshot = arguments
            .and_then(|arguments| arguments.snapshot.as_ref())
            .map(|path| settings.current.join(path));
        let snapshot = snapshot.as_ref().or(settings.snapshot.as_ref());
        let snapshot = snapshot.map(|path| read_snapshot(path, settings)).transpose()?;
        let has_state = settings.schema.is_some() || snapshot.is_some();
        let whole_history = !named.is_empty() && earlier.is_empty() && !has_state;
        let scope = if new.len() > 1 && (whole_history || !edited.is_empty()) {
            notes
                .push("Each file was judged as a change of its own, since older ones are among them.".into());
            ChangeScope::EachFile
        } else {
            newness.scope
        };
        let schema = settings.schema.as_ref().map(|path| read_dump(path, settings)).transpose()?;
        if schema.is_some() {
            earlier.clear();
        }
        if snapshot.is_some() && arguments.is_some_and(|arguments| arguments.all) {
            notes.push("The snapshot stands for the state before each migration, old ones included.".into());
        }
        let beside = files.into_iter().filter(|file| !has_extension(&file.path, "sql")).collect();
        Ok(Self {
            schema,
            snapshot,
            earlier,
            new,
            unreadable,
            unreadable_before,
            scope,
            notes,
            folder,
            layout,
            beside,
        })
    }

    /// A file with another text, read as it was when the project was loaded: the migration that it
    /// is then, unless its text shows another layout.
    pub(crate) fn reread(&self, path: &Path, text: Arc<str>, settings: &Settings) -> Option<Migration> {
        let shown = seen_from(path, &settings.current);
        let below = self.folder.as_ref().and_then(|folder| path.strip_prefix(folder).ok());
        let migrations = match below.filter(|below| self.layout.is_migration(below)) {
            Some(below) => {
                let file = InputFile { path: below.to_owned(), shown, text };
                let files: Vec<InputFile> =
                    std::iter::once(file).chain(self.beside.iter().cloned()).collect();
                self.layout.migrations_with(&files, settings.habit, &settings.placeholders)
            }
            None => stray(path, shown, text, self.layout, settings),
        };
        migrations.into_iter().next()
    }

    /// The migrations folder, if there is one; absolute.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// How the migrations lie in their folder.
    pub(crate) fn layout(&self) -> &'static Layout {
        self.layout
    }

    /// Refuses where a file of the change can't be read.
    pub(crate) fn require_readable(&self) -> Result<(), Failure> {
        match self.unreadable.first() {
            Some(unreadable) => Err(unreadable.failure()),
            None => Ok(()),
        }
    }

    /// Refuses where something is missing that a rehearsal needs.
    pub(crate) fn require_runnable(&self) -> Result<(), Failure> {
        let missing =
            self.unreadable.iter().chain(self.unreadable_before.iter().filter(|_| self.schema.is_none()));
        if let Some(unreadable) = missing.map(Unreadable::failure).next() {
            return Err(unreadable);
        }
        for migration in self.earlier.iter().chain(&self.new) {
            if let Some(placeholder) = migration.placeholders().find(|placeholder| !placeholder.filled) {
                return Err(without_value(migration, &placeholder));
            }
        }
        Ok(())
    }

    /// What is to be said of the change's placeholders, if it has any.
    pub(crate) fn placeholder_note(&self) -> Option<String> {
        let all: Vec<Placeholder> = self.new.iter().flat_map(Migration::placeholders).collect();
        let open: Vec<&Placeholder> = all.iter().filter(|placeholder| !placeholder.filled).collect();
        if all.is_empty() {
            return None;
        }
        let (count, filled) = (plural(all.len(), "placeholder"), all.len() - open.len());
        if open.is_empty() {
            return Some(format!("{count} got a value from [lint.placeholders]."));
        }
        let names: BTreeSet<&str> =
            open.iter().filter(|one| one.kind != Kind::Block).map(|one| one.name.as_str()).collect();
        let mut shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|name| one_line(name)).collect();
        if names.len() > NAMES_SHOWN {
            shown.push(format!("{} more", names.len() - NAMES_SHOWN));
        }
        let filled =
            if filled == 0 { String::new() } else { format!(", {filled} filled from [lint.placeholders]") };
        let names = match shown.is_empty() {
            true => String::new(),
            false => format!(" [lint.placeholders] gives values to {}.", shown.join(", ")),
        };
        Some(format!(
            "{count} in templates{filled}: {} without a value stood for something unknown.{names}",
            open.len()
        ))
    }

    /// The schema in memory before the change.
    pub(crate) fn schema_before(&self) -> Schema {
        let mut schema = Schema::default();
        if let Some(snapshot) = &self.snapshot {
            // Whether it was taken before or after the earlier migrations ran, it is what there is.
            snapshot.replay_into(&mut schema);
            return schema;
        }
        if let Some(dump) = &self.schema {
            schema.apply_script(&plimsoll_sql::parse::parse_script(dump.text()).0);
        }
        for migration in &self.earlier {
            schema.begin_session();
            schema.apply_script(&migration.statements);
        }
        schema
    }

    /// The rules' settings, with what the snapshot knows where the configuration says nothing.
    pub(crate) fn lint_settings(&self, settings: &Settings) -> plimsoll_lint::Settings {
        Self::settings_with(self.snapshot.as_ref(), settings)
    }

    /// Judges the change.
    pub(crate) fn judge(&self, settings: &Settings) -> Judgement {
        let new: Vec<_> = self.new.iter().collect();
        match new.is_empty() {
            true => Judgement::default(),
            false => judge(&mut self.schema_before(), &new, self.scope, &self.lint_settings(settings)),
        }
    }

    /// Judges the change for a caller who asks no more of its commands, and lets go of them on the way.
    pub(crate) fn judge_and_release(&mut self, settings: &Settings) -> Judgement {
        if self.scope == ChangeScope::Together || self.new.is_empty() {
            return self.judge(settings);
        }
        let (mut schema, settings) = (self.schema_before(), self.lint_settings(settings));
        judge_each_and_release(&mut schema, &mut self.new, &settings)
    }

    /// The rules' settings, with what a snapshot knows where the configuration says nothing.
    pub(crate) fn settings_with(snapshot: Option<&Snapshot>, settings: &Settings) -> plimsoll_lint::Settings {
        let mut lint = settings.lint.clone();
        if let Some(server) = snapshot.and_then(|snapshot| snapshot.facts.server.as_ref()) {
            lint.server_major = lint.server_major.or(Some(server.version / 10_000));
            if let Some(zone) = server.settings.get("TimeZone").filter(|_| !settings.time_zone_is_set) {
                lint.time_zone = TimeZone::named(zone);
            }
        }
        lint
    }

    /// Whether nothing is known of the state before the change.
    pub(crate) fn knows_nothing(&self) -> bool {
        self.begins_empty() && self.snapshot.is_none()
    }

    /// Whether nothing exists before the change, so that no rows can be loaded.
    pub(crate) fn begins_empty(&self) -> bool {
        self.schema.is_none() && self.earlier.is_empty()
    }

    /// What a baseline has to know of a run that judges the change.
    pub(crate) fn judged(&self) -> Judged {
        Judged {
            sources: self.sources(),
            unreadable: self.unreadable.iter().map(|one| PathBuf::from(&one.location.file)).collect(),
            finds: |rule| plimsoll_lint::schema_rule(rule).is_none(),
        }
    }

    /// The project when all its migrations have run.
    pub(crate) fn with_all_earlier(mut self) -> Self {
        self.earlier.append(&mut self.new);
        self
    }

    /// The texts that findings point into.
    pub(crate) fn sources(&self) -> Vec<SourceFile> {
        self.new.iter().map(|migration| migration.source.clone()).collect()
    }
}

/// Reads a snapshot.
pub(crate) fn read_snapshot(path: &Path, settings: &Settings) -> Result<Snapshot, Failure> {
    snapshot_of(read_source(path, &settings.current)?)
}

/// A snapshot from its text.
pub(crate) fn snapshot_of(source: SourceFile) -> Result<Snapshot, Failure> {
    Snapshot::read(source).map_err(|error| {
        let Location { file, line, column, .. } = &error.location;
        Failure::input(format!("read {file}:{line}:{column}: {}", error.why))
    })
}

/// Reads a dump. A snapshot is none: no server could take its statements in their order.
fn read_dump(path: &Path, settings: &Settings) -> Result<SourceFile, Failure> {
    let source = read_source(path, &settings.current)?;
    match Snapshot::is_one(source.text()) {
        true => Err(Failure::input(format!(
            "use {} as [database] schema: it is a snapshot, from which no private server can be made; name it by [lint] snapshot, \
             and keep the earlier migrations or a dump (pg_dump --schema-only) for rehearsals",
            source.name()
        ))),
        false => Ok(source),
    }
}

/// The migrations in a folder, in their order, and what else is there.
fn read_migrations(
    settings: &Settings,
    inputs: &Inputs,
    folder: Option<&Path>,
) -> Result<(FolderTexts, &'static Layout, Vec<Migration>), Failure> {
    let texts = folder.map(|folder| inputs.folder(folder)).transpose()?.unwrap_or_default();
    let detect = |folder: &Path| Layout::detect(&texts.files, folder, uses_sqlx(&settings.root));
    let layout = settings.layout.unwrap_or_else(|| detect(folder.unwrap_or(&settings.root)));
    let migrations = layout.migrations_with(&texts.files, settings.habit, &settings.placeholders);
    Ok((texts, layout, migrations))
}

/// Which of the migrations are new, as git has it.
fn changes(
    changed: ChangedFiles,
    known: &BTreeSet<PathBuf>,
    arguments: &ReportArguments,
    notes: &mut Vec<String>,
) -> Newness {
    if changed.paths.is_disjoint(known) {
        let base = &changed.base;
        notes.push(match arguments.staged {
            true => format!("No migration is staged that {base} doesn't have."),
            false => format!(
                "No migration was added or changed since {base}: name files, or compare with another commit by --base."
            ),
        });
    }
    Newness { paths: changed.paths, released: changed.released, scope: ChangeScope::Together }
}

/// The folder of the migrations; none if only standard input is to be judged, which lies nowhere.
fn migrations_folder(
    settings: &Settings,
    named: &[PathBuf],
    inputs: &Inputs,
) -> Result<Option<PathBuf>, Failure> {
    if let Some(folder) = &settings.migrations {
        return Ok(Some(folder.clone()));
    }
    let usual = USUAL_FOLDERS.iter().map(|folder| settings.root.join(folder)).find(|folder| folder.is_dir());
    let first = named.iter().find(|path| inputs.lies_somewhere(path));
    match (usual, first) {
        (Some(usual), Some(first)) if first.starts_with(&usual) => Ok(Some(usual)),
        (_, Some(first)) => {
            let folder = first.parent().unwrap_or(&settings.root);
            // Prisma and Diesel keep each migration in a folder of its own.
            let own_folder =
                first.file_name().is_some_and(|name| name == "up.sql" || name == "migration.sql");
            Ok(Some(folder.parent().filter(|_| own_folder).unwrap_or(folder).to_owned()))
        }
        (Some(usual), None) => Ok(Some(usual)),
        (None, None) if !named.is_empty() => Ok(None),
        (None, None) => Err(Failure::input(format!(
            "find migrations in {}: there is no plimsoll.toml and none of the usual folders ({}); run `plimsoll init`, or name \
             the files",
            settings.root.display(),
            USUAL_FOLDERS.join(", ")
        ))),
    }
}

/// A server can't be sent a placeholder.
fn without_value(migration: &Migration, placeholder: &Placeholder) -> Failure {
    let (line, column) = migration.source.line_column(placeholder.range.start);
    let spelled = one_line(&migration.source.text()[placeholder.range.clone()]);
    let place = format!("{}:{line}:{column}", migration.source.name());
    Failure::input(match placeholder.kind {
        Kind::Block => {
            format!("rehearse {place}: {spelled} is a template's; render the file first and name the result")
        }
        _ => {
            let key = toml::Value::String(placeholder.name.clone());
            format!(
                "rehearse {place}: {spelled} has no value; set {key} = \"…\" in [lint.placeholders] of plimsoll.toml"
            )
        }
    })
}

/// A text of a template on one line, cut where it is long.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_NAME) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn no_migrations(folder: &Path, settings: &Settings) -> Failure {
    let shown = seen_from(folder, &settings.current);
    let python = walk(folder).unwrap_or_default().iter().any(|path| has_extension(path, "py"));
    let hint = if python {
        "it holds Python files: name the command that runs them, as in `plimsoll check -- python manage.py migrate`"
    } else {
        "set [migrations] path and layout in plimsoll.toml, or name the files"
    };
    Failure::input(format!("find migrations in {}: there is none; {hint}", shown.display()))
}

/// A file outside the migrations folder, or one that its layout wouldn't run.
fn stranger(
    path: &Path,
    inputs: &Inputs,
    layout: &Layout,
    settings: &Settings,
) -> Result<Result<Vec<Migration>, Unreadable>, Failure> {
    let shown = seen_from(path, &settings.current);
    if !has_extension(path, "sql") {
        return Err(Failure::input(format!("check {}: it is no SQL file", shown.display())));
    }
    if is_down(path) {
        return Err(Failure::input(format!(
            "check {}: it is a down migration, which no deploy runs",
            shown.display()
        )));
    }
    let text = match inputs.file(path) {
        Ok(text) => text,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    Ok(Ok(stray(path, shown, text.into(), layout, settings)))
}

/// A file that lies nowhere, as a migration.
fn stray(
    path: &Path,
    shown: PathBuf,
    text: Arc<str>,
    layout: &Layout,
    settings: &Settings,
) -> Vec<Migration> {
    let files = [InputFile { path: PathBuf::from(path.file_name().unwrap_or_default()), shown, text }];
    let layout = if layout.is_migration(&files[0].path) {
        layout
    } else {
        Layout::detect(&files, Path::new(""), false)
    };
    layout.migrations_with(&files, settings.habit, &settings.placeholders)
}

/// Whether a file's name says that it undoes a migration.
pub(crate) fn is_down(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".down.sql") || name == "down.sql"
}

fn absolute(migration: &Migration, settings: &Settings) -> PathBuf {
    normal(&settings.current.join(migration.source.path()))
}

/// Whether the project's Cargo.toml depends on sqlx.
pub(crate) fn uses_sqlx(root: &Path) -> bool {
    std::fs::read_to_string(root.join("Cargo.toml"))
        .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("sqlx")))
}
