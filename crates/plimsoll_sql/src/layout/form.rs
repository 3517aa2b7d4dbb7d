//! How a tool wants a migration written: the name of one that runs right after another, the markers around its statements,
//! and how it is told to open no transaction.
//!
//! Names and texts alone; nothing is written here.

use std::path::{Path, PathBuf};

use super::section::{is_dbmate_up, is_goose};
use super::{InputFile, Layout, SideFile, file_name};
use crate::migration::TransactionHabit;

/// How a tool wants a migration written.
pub(super) struct Form {
    /// Where the number stands by which the tool orders and knows migrations.
    pub(super) version: Version,
    /// What stands around a file's forward part.
    pub(super) sections: Sections,
    /// How a file's transaction is turned off, if a file can do that.
    pub(super) turned_off: Option<TurnedOff>,
}

/// Where a migration's version stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Leading digits of the file's name: `0042_add_total.sql`.
    FileName,
    /// Digits of the folder's name before its first underscore: `2024-01-01-120000_add_total/up.sql`.
    FolderName,
    /// Between `V` and `__`, to which a part can be added: `V42.1__add_total.sql`.
    Dotted,
    /// There is none: the names' order is all.
    None,
}

/// What stands around a file's forward part.
#[derive(Clone, Copy)]
pub(super) enum Sections {
    /// Nothing.
    Whole,
    /// A line before it and one behind it.
    Marked {
        /// `-- migrate:up`.
        up: &'static str,
        /// `-- migrate:down`.
        down: &'static str,
    },
}

/// How a file's transaction is turned off.
#[derive(Clone, Copy)]
pub(super) struct TurnedOff {
    /// By what.
    pub(super) by: TurnedOffBy,
    /// What the tool does then.
    pub(super) habit: TransactionHabit,
}

/// What turns a file's transaction off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnedOffBy {
    /// A first line.
    FirstLine(&'static str),
    /// Words behind the marker of the forward part.
    UpMarker(&'static str),
    /// The file beside it.
    SideFile,
}

/// Whether a file's statements run in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// As the tool does without being told.
    Usual,
    /// The transaction is turned off.
    TurnedOff,
}

/// A file as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedFile {
    /// Path below the migrations folder.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Layout {
    /// What the tool does with a file whose transaction is turned off, or of one that holds a lone statement; none where
    /// nothing gets a statement out of its transaction. `habit` is what the configuration says of files without a marker.
    #[must_use]
    pub fn habit_turned_off(&self, habit: Option<TransactionHabit>) -> Option<TransactionHabit> {
        let usual = || Some(habit.unwrap_or(self.habit)).filter(|habit| *habit != TransactionHabit::File);
        self.form.turned_off.map(|off| off.habit).or_else(usual)
    }

    /// The paths of `count` migrations that the tool runs right after one, and before the next of those in `files`; none
    /// where there is no room between the two.
    #[must_use]
    pub fn paths_after(&self, path: &Path, count: usize, files: &[InputFile]) -> Option<Vec<PathBuf>> {
        let others: Vec<&Path> =
            files.iter().map(|file| file.path.as_path()).filter(|other| self.is_migration(other)).collect();
        let key = |path: &Path| (self.ordering.key(path), super::natural_key(&path.to_string_lossy()));
        let next = others.iter().map(|other| key(other)).filter(|other| *other > key(path)).min();
        let paths: Vec<PathBuf> =
            (1..=count).map(|step| self.path_after(path, step)).collect::<Option<_>>()?;
        let mut last = key(path);
        for path in &paths {
            let own = key(path);
            let version = self.version(path);
            let taken = version.is_some() && others.iter().any(|other| self.version(other) == version);
            if own <= last || taken || next.as_ref().is_some_and(|next| own >= *next) {
                return None;
            }
            last = own;
        }
        Some(paths)
    }

    /// A new migration's file, and the one beside it if that turns its transaction off.
    #[must_use]
    pub fn new_files(&self, path: &Path, section: &str, wrapping: Wrapping, after: &Path) -> Vec<PlacedFile> {
        let undone = format!("-- undone by {}\n", file_name_or_folder(after, self.form.version));
        let mut text = match self.form.sections {
            Sections::Whole => section.to_owned(),
            Sections::Marked { up, down } => format!("{up}\n{section}\n{down}\n{undone}"),
        };
        let mut files = Vec::new();
        if wrapping == Wrapping::TurnedOff {
            files.extend(self.turn_off(&mut text, path, None));
        }
        files.insert(0, PlacedFile { path: path.to_owned(), text });
        files
    }

    /// Turns a file's transaction off: changes its text, or gives the text of the file beside it, of which `beside` is
    /// the text so far.
    pub fn turn_off(&self, text: &mut String, path: &Path, beside: Option<&str>) -> Option<PlacedFile> {
        match self.form.turned_off?.by {
            TurnedOffBy::FirstLine(line) => *text = format!("{line}\n{text}"),
            TurnedOffBy::UpMarker(words) => {
                let mut at = 0;
                for line in text.clone().split_inclusive('\n') {
                    if is_dbmate_up(line) {
                        text.insert_str(at + line.trim_end().len(), &format!(" {words}"));
                        break;
                    }
                    at += line.len();
                }
            }
            TurnedOffBy::SideFile => {
                let SideFile { path: beside_of, key, .. } = self.side_file.as_ref()?;
                let separator =
                    if beside_of(path).extension().is_some_and(|end| end == "toml") { " = " } else { "=" };
                let mut side = beside.unwrap_or_default().to_owned();
                if !side.is_empty() && !side.ends_with('\n') {
                    side.push('\n');
                }
                side.push_str(&format!("{key}{separator}false\n"));
                return Some(PlacedFile { path: beside_of(path), text: side });
            }
        }
        None
    }

    /// The path of the file that may turn a migration's transaction off.
    #[must_use]
    pub fn side_path(&self, path: &Path) -> Option<PathBuf> {
        self.side_file.as_ref().map(|side| (side.path)(path))
    }

    /// The files that undo a migration, empty but for a comment, where the one before it has such a file too.
    #[must_use]
    pub fn down_file(&self, path: &Path, after: &Path, files: &[InputFile]) -> Option<PlacedFile> {
        let down = |path: &Path| {
            let name = file_name(path);
            match name.strip_suffix(".up.sql") {
                Some(stem) => Some(path.with_file_name(format!("{stem}.down.sql"))),
                None => (name == "up.sql").then(|| path.with_file_name("down.sql")),
            }
        };
        let known = down(after)?;
        files.iter().any(|file| file.path == known).then_some(())?;
        let text = format!("-- undone by {}\nSELECT 1;\n", file_name_or_folder(&known, self.form.version));
        Some(PlacedFile { path: down(path)?, text })
    }

    /// A statement as the tool's own splitter needs it written: goose would end a DO block at its first semicolon.
    #[must_use]
    pub fn written(&self, sql: &str) -> String {
        let is_goose = matches!(self.form.sections, Sections::Marked { up, .. } if is_goose(up, "up"));
        match is_goose && sql.trim_end_matches(';').contains(';') {
            true => format!("-- +goose StatementBegin\n{sql}\n-- +goose StatementEnd"),
            false => sql.to_owned(),
        }
    }

    /// The path of the `step`th migration behind one, from 1.
    fn path_after(&self, path: &Path, step: usize) -> Option<PathBuf> {
        match self.form.version {
            Version::FileName => Some(path.with_file_name(numbered(&file_name(path), step)?)),
            Version::FolderName => {
                let folder = path.parent()?;
                let name = numbered_folder(&file_name(folder), step)?;
                Some(folder.with_file_name(name).join(path.file_name()?))
            }
            Version::Dotted => {
                let name = file_name(path);
                let (version, description) = name.split_once("__")?;
                version.strip_prefix('V')?;
                let separator = if version.contains('_') { '_' } else { '.' };
                Some(
                    path.with_file_name(format!(
                        "{version}{separator}{step}__{}",
                        suffixed(description, step)
                    )),
                )
            }
            Version::None => Some(path.with_file_name(suffixed(&file_name(path), step))),
        }
    }

    /// The number by which the tool knows a migration, if it has one.
    fn version(&self, path: &Path) -> Option<String> {
        let digits = |text: &str| {
            let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
            Some(digits.replace('-', "").trim_start_matches('0').to_owned()).filter(|_| !digits.is_empty())
        };
        match self.form.version {
            Version::FileName => digits(&file_name(path)),
            Version::FolderName => digits(&file_name(path.parent()?)),
            Version::Dotted => file_name(path).split_once("__").map(|(version, _)| version.replace('_', ".")),
            Version::None => None,
        }
    }
}

fn file_name_or_folder(path: &Path, version: Version) -> String {
    match version {
        Version::FolderName => file_name(path.parent().unwrap_or(path)),
        _ => file_name(path),
    }
}

/// `0042_add_total.up.sql` to `0043_add_total_2.up.sql`.
fn numbered(name: &str, step: usize) -> Option<String> {
    let digits = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    Some(format!("{}{}", raised(&name[..digits], step)?, suffixed(&name[digits..], step)))
}

/// `2024-01-01-120000_add_total` to `2024-01-01-120001_add_total_2`.
fn numbered_folder(name: &str, step: usize) -> Option<String> {
    let end = name.find('_').unwrap_or(name.len());
    let start = name[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    Some(format!("{}{}{}_{}", &name[..start], raised(&name[start..end], step)?, &name[end..], step + 1))
}

/// A number of the same width, higher by `step`.
fn raised(digits: &str, step: usize) -> Option<String> {
    let number = digits.parse::<u128>().ok()?.checked_add(step as u128)?;
    Some(format!("{number:0width$}", width = digits.len()))
}

/// `_add_total.up.sql` to `_add_total_2.up.sql`.
fn suffixed(name: &str, step: usize) -> String {
    let stem = name.split('.').next().unwrap_or_default();
    format!("{stem}_{}{}", step + 1, &name[stem.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(layout: &str, path: &str, others: &[&str]) -> Option<Vec<String>> {
        let layout = Layout::by_name(layout).unwrap();
        let files: Vec<InputFile> = [path]
            .iter()
            .chain(others)
            .map(|path| InputFile { path: path.into(), shown: path.into(), text: "".into() })
            .collect();
        let paths = layout.paths_after(Path::new(path), 2, &files)?;
        Some(paths.into_iter().map(|path| path.display().to_string()).collect())
    }

    #[test]
    fn new_migrations_stand_right_behind_theirs() {
        let two = |layout, path, others: &[&str]| after(layout, path, others).unwrap().join(" ");
        assert_eq!(two("goose", "0009_a.sql", &["0008_z.sql", "0012_b.sql"]), "0010_a_2.sql 0011_a_3.sql");
        assert_eq!(two("golang-migrate", "9_a.up.sql", &[]), "10_a_2.up.sql 11_a_3.up.sql");
        assert_eq!(two("flyway", "V1_2__a.sql", &["V1_3__b.sql"]), "V1_2_1__a_2.sql V1_2_2__a_3.sql");
        assert_eq!(two("flyway", "V7__a.sql", &["V8__b.sql", "R__v.sql"]), "V7.1__a_2.sql V7.2__a_3.sql");
        assert_eq!(
            two("diesel", "2024-01-01-120059_a/up.sql", &["2024-01-02-000000_b/up.sql"]),
            "2024-01-01-120060_a_2/up.sql 2024-01-01-120061_a_3/up.sql"
        );
        assert_eq!(
            two("prisma", "20240101120000_a/migration.sql", &[]),
            "20240101120001_a_2/migration.sql 20240101120002_a_3/migration.sql"
        );
        assert_eq!(two("plain", "5.sql", &["6.sql"]), "5_2.sql 5_3.sql");
    }

    #[test]
    fn there_is_no_room_between_neighbours() {
        assert_eq!(after("dbmate", "0009_a.sql", &["0010_b.sql"]), None);
        // The same version would be refused, though it sorts before.
        assert_eq!(after("sqlx", "0009_a.sql", &["0011_z.sql"]), None);
        assert_eq!(after("flyway", "R__v.sql", &[]), None);
        assert_eq!(after("goose", "init.sql", &[]), None);
    }

    #[test]
    fn transactions_are_turned_off_as_each_tool_has_it() {
        let of = |layout: &str, path: &str| {
            let layout = Layout::by_name(layout).unwrap();
            let files =
                layout.new_files(Path::new(path), "select 1;\n", Wrapping::TurnedOff, Path::new("1_a.sql"));
            let inputs: Vec<InputFile> = files
                .iter()
                .map(|file| InputFile {
                    path: file.path.clone(),
                    shown: file.path.clone(),
                    text: file.text.as_str().into(),
                })
                .collect();
            let migrations = layout.migrations(&inputs, None);
            assert_eq!(migrations.len(), 1);
            assert_eq!(migrations[0].statements.len(), 1, "{files:?}");
            assert_eq!(Some(migrations[0].habit), layout.habit_turned_off(None), "{files:?}");
            migrations[0].habit
        };
        assert_eq!(of("goose", "2_a.sql"), TransactionHabit::Statement);
        assert_eq!(of("flyway", "V2__a.sql"), TransactionHabit::Statement);
        assert_eq!(of("dbmate", "2_a.sql"), TransactionHabit::Batch);
        assert_eq!(of("sqlx", "2_a.sql"), TransactionHabit::Batch);
        assert_eq!(of("diesel", "2_a/up.sql"), TransactionHabit::Batch);
        assert_eq!(of("prisma", "2_a/migration.sql"), TransactionHabit::Batch);
        assert_eq!(Layout::by_name("plain").unwrap().habit_turned_off(Some(TransactionHabit::File)), None);
    }

    #[test]
    fn an_existing_file_is_told_too() {
        let mut text = "-- migrate:up\nselect 1;\n-- migrate:down\n".to_owned();
        let dbmate = Layout::by_name("dbmate").unwrap();
        assert_eq!(dbmate.turn_off(&mut text, Path::new("1.sql"), None), None);
        assert_eq!(text, "-- migrate:up transaction:false\nselect 1;\n-- migrate:down\n");
        let side =
            Layout::by_name("diesel").unwrap().turn_off(&mut text, Path::new("a/up.sql"), Some("x = 1"));
        assert_eq!(side.unwrap().text, "x = 1\nrun_in_transaction = false\n");
    }
}
