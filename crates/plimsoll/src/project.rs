//! The project's files: migrations, which of them are new, and the state before the change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use plimsoll_core::ChangeScope;
use plimsoll_core::SourceFile;
use plimsoll_sql::{InputFile, Layout, Migration, Schema};

use crate::args::ReportArguments;
use crate::exit::Failure;
use crate::git::changed_files;
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

/// A change and the state that it meets.
pub(crate) struct Project {
    /// A dump of the schema before the change, if one is configured.
    pub(crate) schema: Option<SourceFile>,
    /// Migrations that the change builds on. Empty where a schema dump stands for them.
    pub(crate) earlier: Vec<Migration>,
    /// The change.
    pub(crate) new: Vec<Migration>,
    /// Whether the new files are deployed together.
    pub(crate) scope: ChangeScope,
    /// What a reader must know, such as that nothing is new.
    pub(crate) notes: Vec<String>,
}

/// Deepest folder below the migrations folder that is looked into.
const DEEPEST: usize = 8;

impl Project {
    pub(crate) fn load(settings: &Settings, arguments: &ReportArguments) -> Result<Self, Failure> {
        let named = named_files(settings, &arguments.files)?;
        let folder = migrations_folder(settings, &named)?;
        let files = read_folder(&folder, settings)?;
        let layout =
            settings.layout.unwrap_or_else(|| Layout::detect(&files, &folder, uses_sqlx(&settings.root)));
        let migrations = layout.migrations(&files, settings.habit);
        if migrations.is_empty() && named.is_empty() {
            return Err(no_migrations(&folder, settings));
        }
        let mut notes = Vec::new();
        let mut strangers = Vec::new();
        let mut released = BTreeSet::new();
        let (new_paths, scope) = if arguments.all {
            (migrations.iter().map(|m| absolute(m, settings)).collect(), ChangeScope::EachFile)
        } else if named.is_empty() {
            let changed = changed_files(&folder, arguments.base.as_deref())?;
            if !migrations.iter().any(|m| changed.paths.contains(&absolute(m, settings))) {
                notes.push(format!(
                    "No migration was added or changed since {}: name files, or compare with another commit by --base.",
                    changed.base
                ));
            }
            released = changed.released;
            (changed.paths, ChangeScope::Together)
        } else {
            let known: BTreeSet<PathBuf> = migrations.iter().map(|m| absolute(m, settings)).collect();
            for path in named.iter().filter(|path| !known.contains(*path)) {
                strangers.extend(stranger(path, layout, settings)?);
            }
            (named.iter().cloned().collect(), ChangeScope::Together)
        };
        let is_new = |migration: &Migration| new_paths.contains(&absolute(migration, settings));
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
        let edited = new.iter().filter(|migration| released.contains(&absolute(migration, settings)));
        let edited: Vec<String> = edited.map(|migration| migration.source.name()).collect();
        notes.extend(edited.iter().map(|file| {
            format!("{file} was released before and is edited: databases that ran it won't run it again.")
        }));
        // Then what one file makes isn't private to the next: it has been in use for long.
        let whole_history = !named.is_empty() && earlier.is_empty() && settings.schema.is_none();
        let scope = if new.len() > 1 && (whole_history || !edited.is_empty()) {
            notes
                .push("Each file was judged as a change of its own, since older ones are among them.".into());
            ChangeScope::EachFile
        } else {
            scope
        };
        let schema = settings.schema.as_ref().map(|path| read_source(path, &settings.current)).transpose()?;
        if schema.is_some() {
            earlier.clear();
        }
        Ok(Self { schema, earlier, new, scope, notes })
    }

    /// The schema in memory before the change.
    pub(crate) fn schema_before(&self) -> Schema {
        let mut schema = Schema::default();
        if let Some(dump) = &self.schema {
            schema.apply_script(&plimsoll_sql::parse::parse_script(dump.text()).0);
        }
        for migration in &self.earlier {
            schema.reset_search_path();
            schema.apply_script(&migration.statements);
        }
        schema
    }

    /// Whether nothing exists before the change, so that no rows can be loaded.
    pub(crate) fn begins_empty(&self) -> bool {
        self.schema.is_none() && self.earlier.is_empty()
    }

    /// The texts that findings point into.
    pub(crate) fn sources(&self) -> Vec<SourceFile> {
        self.new.iter().map(|migration| migration.source.clone()).collect()
    }
}

/// The files named as arguments, absolute; folders stand for the files in them.
fn named_files(settings: &Settings, arguments: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for argument in arguments {
        let path = normal(&settings.current.join(argument));
        if path.is_dir() {
            let below: Vec<PathBuf> =
                walk(&path)?.into_iter().filter(|path| has_extension(path, "sql")).collect();
            if below.is_empty() {
                return Err(Failure::input(format!(
                    "check {}: there is no SQL file in this folder",
                    argument.display()
                )));
            }
            files.extend(below);
        } else if path.is_file() {
            files.push(path);
        } else {
            return Err(Failure::input(format!("check {}: there is no such file", argument.display())));
        }
    }
    Ok(files)
}

fn migrations_folder(settings: &Settings, named: &[PathBuf]) -> Result<PathBuf, Failure> {
    if let Some(folder) = &settings.migrations {
        return Ok(folder.clone());
    }
    let usual = USUAL_FOLDERS.iter().map(|folder| settings.root.join(folder)).find(|folder| folder.is_dir());
    match (usual, named.first()) {
        (Some(usual), Some(first)) if first.starts_with(&usual) => Ok(usual),
        (_, Some(first)) => {
            let folder = first.parent().unwrap_or(&settings.root);
            // Prisma and Diesel keep each migration in a folder of its own.
            let own_folder =
                first.file_name().is_some_and(|name| name == "up.sql" || name == "migration.sql");
            Ok(folder.parent().filter(|_| own_folder).unwrap_or(folder).to_owned())
        }
        (Some(usual), None) => Ok(usual),
        (None, None) => Err(Failure::input(format!(
            "find migrations in {}: there is no plimsoll.toml and none of the usual folders ({}); run `plimsoll init`, or name \
             the files",
            settings.root.display(),
            USUAL_FOLDERS.join(", ")
        ))),
    }
}

fn no_migrations(folder: &Path, settings: &Settings) -> Failure {
    let shown = seen_from(folder, &settings.current);
    let python = walk(folder).unwrap_or_default().iter().any(|path| has_extension(path, "py"));
    let hint = if python {
        "it holds Python files: export SQL from Django by `sqlmigrate` or from Alembic by `upgrade --sql` and check that"
    } else {
        "set [migrations] path and layout in plimsoll.toml, or name the files"
    };
    Failure::input(format!("find migrations in {}: there is none; {hint}", shown.display()))
}

/// A file outside the migrations folder, or one that its layout wouldn't run.
fn stranger(path: &Path, layout: &Layout, settings: &Settings) -> Result<Vec<Migration>, Failure> {
    let shown = seen_from(path, &settings.current);
    if !has_extension(path, "sql") {
        return Err(Failure::input(format!("check {}: it is no SQL file", shown.display())));
    }
    let name = PathBuf::from(path.file_name().unwrap_or_default());
    if name.to_string_lossy().ends_with(".down.sql") || name == Path::new("down.sql") {
        return Err(Failure::input(format!(
            "check {}: it is a down migration, which no deploy runs",
            shown.display()
        )));
    }
    let text = read_text(path, &settings.current)?;
    let file = InputFile { path: name, shown, text };
    let files = [file];
    let layout = if layout.is_migration(&files[0].path) {
        layout
    } else {
        Layout::detect(&files, Path::new(""), false)
    };
    Ok(layout.migrations(&files, settings.habit))
}

fn absolute(migration: &Migration, settings: &Settings) -> PathBuf {
    normal(&settings.current.join(migration.source.path()))
}

/// Whether the project's Cargo.toml depends on sqlx.
pub(crate) fn uses_sqlx(root: &Path) -> bool {
    std::fs::read_to_string(root.join("Cargo.toml"))
        .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("sqlx")))
}

/// Every file that a layout looks at.
pub(crate) fn read_folder(folder: &Path, settings: &Settings) -> Result<Vec<InputFile>, Failure> {
    let mut files = Vec::new();
    for path in walk(folder)? {
        if ["sql", "conf", "toml"].iter().any(|extension| has_extension(&path, extension)) {
            let text = read_text(&path, &settings.current)?;
            let below = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            files.push(InputFile { path: below, shown: seen_from(&path, &settings.current), text });
        }
    }
    Ok(files)
}

/// Files below a folder in the order of their paths, hidden ones left out.
pub(crate) fn walk(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files)
        .map_err(|why| Failure::input(format!("list the files in {}: {why}", folder.display())))?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let path = entry.path();
        if hidden {
            continue;
        }
        let link = entry.file_type()?.is_symlink();
        if !path.is_dir() {
            files.push(path);
        } else if !link && depth < DEEPEST {
            // A link to a folder could lead round in a circle.
            collect(&path, depth + 1, files)?;
        }
    }
    Ok(())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Reads a file as a source whose path is shown as seen from the current folder.
pub(crate) fn read_source(path: &Path, current: &Path) -> Result<SourceFile, Failure> {
    Ok(SourceFile::new(seen_from(path, current), read_text(path, current)?))
}

/// Reads a UTF-8 file without its byte order mark.
pub(crate) fn read_text(path: &Path, current: &Path) -> Result<String, Failure> {
    let shown = seen_from(path, current);
    let bytes =
        std::fs::read(path).map_err(|why| Failure::input(format!("read {}: {why}", shown.display())))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let before = String::from_utf8_lossy(&bytes[..valid]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Failure::input(format!(
            "read {}:{line}:{column}: byte 0x{:02x} is not UTF-8; save the file as UTF-8",
            shown.display(),
            bytes[valid]
        ))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}
