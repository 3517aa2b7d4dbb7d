//! The layouts of migration tools: which files are migrations, in which order, which part of a
//! file is forward, and what the tool does around it.
//!
//! One static table, [`LAYOUTS`], is all that detection, config and help read.

mod form;
mod order;
mod section;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::SourceFile;

use crate::migration::{Migration, TransactionHabit};
use crate::placeholder::Values;
use form::{Form, Sections, TurnedOff, TurnedOffBy, Version};
pub use form::{PlacedFile, Wrapping};
use order::{Ordering, natural_key};

/// A file below the migrations folder.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Path below the migrations folder.
    pub path: PathBuf,
    /// Path that reports print.
    pub shown: PathBuf,
    /// Its text, byte order mark stripped.
    pub text: Arc<str>,
}

/// A migration tool's layout of SQL files.
pub struct Layout {
    /// The word that config uses.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// How the tool runs a file that has no marker.
    pub habit: TransactionHabit,
    /// Whether the folder looks like this tool's.
    detect: fn(&Folder) -> bool,
    /// Whether a file is a forward migration.
    is_migration: fn(&Path) -> bool,
    /// The order in which the tool runs them.
    ordering: Ordering,
    /// The forward part of a file, and what a marker in it says about transactions.
    section: fn(&str) -> section::Section,
    /// A file beside the migration that may turn its transaction off, and the text that does.
    side_file: Option<SideFile>,
    /// How the tool wants a migration written.
    form: Form,
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Settings beside a migration.
struct SideFile {
    /// The side file's path for a migration's path.
    path: fn(&Path) -> PathBuf,
    /// The key that, when `false`, turns the transaction off.
    key: &'static str,
    /// What the tool does then.
    habit: TransactionHabit,
}

/// What detection looks at.
struct Folder<'a> {
    files: &'a [InputFile],
    /// The folder's path, as config spells it.
    path: &'a Path,
    /// Whether the project depends on the Rust crate sqlx.
    uses_sqlx: bool,
}

/// Every layout. Detection takes the first that recognises the folder; the last always does.
pub static LAYOUTS: &[Layout] = &[
    Layout {
        name: "flyway",
        title: "Flyway",
        habit: TransactionHabit::File,
        detect: |folder| folder.any_name(is_flyway),
        is_migration: |path| is_flyway(&file_name(path)),
        ordering: Ordering::Flyway,
        section: section::whole,
        side_file: Some(SideFile {
            path: |path| PathBuf::from(format!("{}.conf", path.display())),
            key: "executeInTransaction",
            habit: TransactionHabit::Statement,
        }),
        form: Form {
            version: Version::Dotted,
            sections: Sections::Whole,
            turned_off: Some(TurnedOff { by: TurnedOffBy::SideFile, habit: TransactionHabit::Statement }),
        },
    },
    Layout {
        name: "prisma",
        title: "Prisma",
        habit: TransactionHabit::Batch,
        detect: |folder| folder.any_name(|name| name == "migration.sql" || name == "migration_lock.toml"),
        is_migration: |path| file_name(path) == "migration.sql",
        ordering: Ordering::Lexical,
        section: section::whole,
        side_file: None,
        form: Form { version: Version::FolderName, sections: Sections::Whole, turned_off: None },
    },
    Layout {
        name: "diesel",
        title: "Diesel",
        habit: TransactionHabit::File,
        detect: |folder| folder.any_name(|name| name == "up.sql"),
        is_migration: |path| file_name(path) == "up.sql",
        ordering: Ordering::Lexical,
        section: section::whole,
        side_file: Some(SideFile {
            path: |path| path.with_file_name("metadata.toml"),
            key: "run_in_transaction",
            habit: TransactionHabit::Batch,
        }),
        form: Form {
            version: Version::FolderName,
            sections: Sections::Whole,
            turned_off: Some(TurnedOff { by: TurnedOffBy::SideFile, habit: TransactionHabit::Batch }),
        },
    },
    Layout {
        name: "dbmate",
        title: "dbmate",
        habit: TransactionHabit::File,
        detect: |folder| folder.any_text(section::has_dbmate_marker),
        is_migration: is_sql,
        ordering: Ordering::Lexical,
        section: section::dbmate,
        side_file: None,
        form: Form {
            version: Version::FileName,
            sections: Sections::Marked { up: "-- migrate:up", down: "-- migrate:down" },
            turned_off: Some(TurnedOff {
                by: TurnedOffBy::UpMarker("transaction:false"),
                habit: TransactionHabit::Batch,
            }),
        },
    },
    Layout {
        name: "goose",
        title: "goose",
        habit: TransactionHabit::File,
        detect: |folder| folder.any_text(section::has_goose_marker),
        is_migration: is_sql,
        ordering: Ordering::Natural,
        section: section::goose,
        side_file: None,
        form: Form {
            version: Version::FileName,
            sections: Sections::Marked { up: "-- +goose Up", down: "-- +goose Down" },
            turned_off: Some(TurnedOff {
                by: TurnedOffBy::FirstLine("-- +goose NO TRANSACTION"),
                habit: TransactionHabit::Statement,
            }),
        },
    },
    Layout {
        name: "sqlx",
        title: "sqlx",
        habit: TransactionHabit::File,
        detect: |folder| folder.uses_sqlx,
        is_migration: |path| is_sql(path) && !file_name(path).ends_with(".down.sql"),
        ordering: Ordering::Natural,
        section: section::sqlx,
        side_file: None,
        form: Form {
            version: Version::FileName,
            sections: Sections::Whole,
            turned_off: Some(TurnedOff {
                by: TurnedOffBy::FirstLine("-- no-transaction"),
                habit: TransactionHabit::Batch,
            }),
        },
    },
    Layout {
        name: "golang-migrate",
        title: "golang-migrate",
        habit: TransactionHabit::Batch,
        detect: |folder| folder.any_name(|name| name.ends_with(".up.sql")),
        is_migration: |path| file_name(path).ends_with(".up.sql"),
        ordering: Ordering::Natural,
        section: section::whole,
        side_file: None,
        form: Form { version: Version::FileName, sections: Sections::Whole, turned_off: None },
    },
    Layout {
        name: "supabase",
        title: "Supabase",
        habit: TransactionHabit::Batch,
        detect: |folder| folder.path.ends_with("supabase/migrations"),
        is_migration: is_sql,
        ordering: Ordering::Lexical,
        section: section::whole,
        side_file: None,
        form: Form { version: Version::FileName, sections: Sections::Whole, turned_off: None },
    },
    Layout {
        name: "plain",
        title: "numbered SQL files",
        habit: TransactionHabit::Statement,
        detect: |_| true,
        is_migration: |path| is_sql(path) && !file_name(path).ends_with(".down.sql"),
        ordering: Ordering::Natural,
        section: section::whole,
        side_file: None,
        form: Form { version: Version::None, sections: Sections::Whole, turned_off: None },
    },
];

impl Layout {
    /// The layout that config calls `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        LAYOUTS.iter().find(|layout| layout.name == name)
    }

    /// The layout that a folder shows.
    #[must_use]
    pub fn detect(files: &[InputFile], path: &Path, uses_sqlx: bool) -> &'static Self {
        let folder = Folder { files, path, uses_sqlx };
        LAYOUTS.iter().find(|layout| (layout.detect)(&folder)).unwrap_or(&LAYOUTS[LAYOUTS.len() - 1])
    }

    /// The forward migrations among a folder's files, in the order in which the tool runs them.
    ///
    /// `habit` overrides what the tool does around a file that has no marker.
    #[must_use]
    pub fn migrations(&self, files: &[InputFile], habit: Option<TransactionHabit>) -> Vec<Migration> {
        self.migrations_with(files, habit, &Values::default())
    }

    /// As [`Self::migrations`], with values for placeholders.
    #[must_use]
    pub fn migrations_with(
        &self,
        files: &[InputFile],
        habit: Option<TransactionHabit>,
        values: &Values,
    ) -> Vec<Migration> {
        let mut found: Vec<&InputFile> =
            files.iter().filter(|file| (self.is_migration)(&file.path)).collect();
        found.sort_by_cached_key(|file| {
            (self.ordering.key(&file.path), natural_key(&file.path.to_string_lossy()))
        });
        found.into_iter().map(|file| self.migration(file, files, habit, values)).collect()
    }

    /// Whether the tool would run this file.
    #[must_use]
    pub fn is_migration(&self, path: &Path) -> bool {
        (self.is_migration)(path)
    }

    fn migration(
        &self,
        file: &InputFile,
        files: &[InputFile],
        habit: Option<TransactionHabit>,
        values: &Values,
    ) -> Migration {
        let section = (self.section)(&file.text);
        let habit = section
            .habit
            .or_else(|| self.side_file.as_ref().and_then(|side| side.habit(file, files)))
            .or(habit)
            .unwrap_or(self.habit);
        Migration::with_values(
            SourceFile::new(&file.shown, Arc::clone(&file.text)),
            section.range,
            habit,
            values,
        )
    }
}

impl SideFile {
    fn habit(&self, file: &InputFile, files: &[InputFile]) -> Option<TransactionHabit> {
        let path = (self.path)(&file.path);
        let text = &files.iter().find(|other| other.path == path)?.text;
        let turned_off = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .any(|(key, value)| key.trim() == self.key && value.trim().eq_ignore_ascii_case("false"));
        turned_off.then_some(self.habit)
    }
}

impl Folder<'_> {
    fn any_name(&self, test: impl Fn(&str) -> bool) -> bool {
        self.files.iter().any(|file| test(&file_name(&file.path)))
    }

    fn any_text(&self, test: impl Fn(&str) -> bool) -> bool {
        self.files.iter().any(|file| is_sql(&file.path) && test(&file.text))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

/// `V1_2__name.sql`, `R__name.sql`; `U…` files undo.
fn is_flyway(name: &str) -> bool {
    let Some((version, _)) = name.split_once("__") else { return false };
    let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    name.ends_with(".sql") && (version == "R" || version.strip_prefix('V').is_some_and(digits))
}

#[cfg(test)]
mod tests;
