//! The file: made, opened, and told from others.
//!
//! It is in SQLite's rollback journal mode and not WAL: between runs it is one file, which may be copied and kept like any other,
//! and a program that is killed leaves a journal from which the next one restores it.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::error::HistoryError;

/// What makes each format of the one before; the first, of an empty file. A script here is never changed: files of its format
/// are there.
const FORMATS: &[&str] = &[include_str!("format_1.sql")];

/// Version of the file's format, SQLite's `user_version`.
pub const FORMAT: u32 = FORMATS.len() as u32;

/// SQLite's `application_id`: "Plim".
const APPLICATION: u32 = 0x506c_696d;

/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open history.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    connection: Connection,
}

impl History {
    /// Opens the history at a path, and begins it where there is no file or an empty one. Its folder must be there. A file of
    /// an older format becomes one of this.
    ///
    /// # Errors
    /// When the file can't be opened or made, is none of ours, or is a newer program's.
    pub fn create(path: &Path) -> Result<Self, HistoryError> {
        make(path)?;
        let mut history = Self::connect(path)?;
        if history.format()? != Some(FORMAT) {
            history.bring_up(FORMATS)?;
        }
        Ok(history)
    }

    /// Opens a history that is there.
    ///
    /// # Errors
    /// As [`Self::create`], and where there is none.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        match std::fs::metadata(path) {
            Err(why) if why.kind() == ErrorKind::NotFound => {
                return Err(HistoryError::Missing { path: path.to_owned() });
            }
            Err(why) => return Err(HistoryError::Open { path: path.to_owned(), why }),
            Ok(_) => {}
        }
        let mut history = Self::connect(path)?;
        match history.format()? {
            Some(FORMAT) => Ok(history),
            Some(_) => history.bring_up(FORMATS).map(|()| history),
            None => Err(HistoryError::Missing { path: path.to_owned() }),
        }
    }

    fn connect(path: &Path) -> Result<Self, HistoryError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sqlite = |why| HistoryError::Sqlite { path: path.to_owned(), why };
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        connection.busy_timeout(PATIENCE).map_err(sqlite)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(sqlite)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// The file's format; none of a file that nothing is in yet.
    fn format(&self) -> Result<Option<u32>, HistoryError> {
        let found = self.connection.query_row(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
             FROM pragma_application_id, pragma_user_version",
            [],
            |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?, row.get::<_, u32>(2)?)),
        );
        match found.map_err(|why| self.sqlite(why))? {
            (0, 0, 0) => Ok(None),
            (APPLICATION, found, _) if found > FORMAT => {
                Err(HistoryError::Newer { path: self.path.clone(), found, known: FORMAT })
            }
            (APPLICATION, found, _) => Ok(Some(found)),
            _ => Err(HistoryError::Foreign {
                path: self.path.clone(),
                what: "it is a SQLite database of another program",
            }),
        }
    }

    /// Runs the scripts that the file lacks, unless another program has done so meanwhile.
    fn bring_up(&mut self, formats: &[&str]) -> Result<(), HistoryError> {
        self.write(|transaction| {
            let has: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for script in formats.iter().skip(has as usize) {
                transaction.execute_batch(script)?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            Ok(transaction.pragma_update(None, "user_version", (formats.len() as u32).max(has))?)
        })?;
        self.format().map(drop)
    }

    /// Does something that is written whole or not at all.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction) -> Result<T, WriteError>,
    ) -> Result<T, HistoryError> {
        let path = self.path.clone();
        let failed = |why| of_sqlite(&path, why);
        // IMMEDIATE: whoever reads before it writes would else find that another one has written meanwhile.
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let done = work(&transaction).map_err(|error| match error {
            WriteError::Sqlite(why) => failed(why),
            WriteError::Refused(error) => error,
        })?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// Reads something.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, HistoryError> {
        work(&self.connection).map_err(|why| self.sqlite(why))
    }

    fn sqlite(&self, why: rusqlite::Error) -> HistoryError {
        of_sqlite(&self.path, why)
    }
}

/// Why something wasn't written.
pub(crate) enum WriteError {
    Sqlite(rusqlite::Error),
    Refused(HistoryError),
}

impl From<rusqlite::Error> for WriteError {
    fn from(why: rusqlite::Error) -> Self {
        Self::Sqlite(why)
    }
}

fn of_sqlite(path: &Path, why: rusqlite::Error) -> HistoryError {
    let path = path.to_owned();
    match why.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => HistoryError::Foreign { path, what: "it is no SQLite file" },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            HistoryError::Busy { path, seconds: PATIENCE.as_secs() }
        }
        _ => HistoryError::Sqlite { path, why },
    }
}

/// Makes an empty file for this user alone, where there is none: SQLite would let others read it.
fn make(path: &Path) -> Result<(), HistoryError> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match made {
        Ok(_) => Ok(()),
        Err(why) if why.kind() == ErrorKind::NotFound => Err(HistoryError::NoFolder {
            path: path.to_owned(),
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
        }),
        Err(why) => Err(HistoryError::Open { path: path.to_owned(), why }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_history_is_its_owners_alone_and_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h");
        let missing = History::open(&path).unwrap_err().to_string();
        assert!(missing.contains("there is no such file"), "{missing}");
        drop(History::create(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        History::open(&path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "one file between runs");
    }

    /// Neither way of opening takes the file, and both leave it as it is.
    fn check_refused(bytes: &[u8], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h");
        std::fs::write(&path, bytes).unwrap();
        for opened in [History::create(&path), History::open(&path)] {
            let error = opened.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    fn database(sql: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        std::fs::read(&path).unwrap()
    }

    #[test]
    fn what_is_none_of_ours_is_refused_and_untouched() {
        check_refused(b"[regress]\n", "it is no SQLite file");
        check_refused(&[0; 4096], "it is no SQLite file");
        check_refused(&database("CREATE TABLE t (a)"), "of another program");
        check_refused(&database("PRAGMA application_id = 7; CREATE TABLE t (a)"), "of another program");
        let newer =
            format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 9; CREATE TABLE t (a)");
        check_refused(&database(&newer), "its format is 9, and this program knows 1; update the program");
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = History::create(&folder.path().join("no/h")).unwrap_err();
        assert!(matches!(&error, HistoryError::NoFolder { .. }) && error.is_input(), "{error}");
        assert!(matches!(History::create(folder.path()).unwrap_err(), HistoryError::Open { .. }));
    }

    #[test]
    fn a_file_of_an_older_format_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h");
        let mut history = History::create(&path).unwrap();
        history
            .write(|transaction| {
                Ok(transaction.execute("INSERT INTO runs VALUES (7, 0, 'check', '1.0', '18')", [])?)
            })
            .unwrap();
        let next = [FORMATS, &["ALTER TABLE runs ADD COLUMN branch TEXT; UPDATE runs SET branch = 'main'"]];
        // The newer format isn't known to `format`, which refuses the file afterwards: as it should.
        let refused = history.bring_up(&next.concat()).unwrap_err();
        assert!(matches!(refused, HistoryError::Newer { found, known: FORMAT, .. } if found == FORMAT + 1));
        let row = |row: &rusqlite::Row| Ok((row.get(0)?, row.get(1)?));
        let kept: (i64, String) =
            history.connection.query_row("SELECT id, branch FROM runs", [], row).unwrap();
        assert_eq!(kept, (7, "main".to_owned()));
    }

    #[test]
    fn an_empty_file_is_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        History::create(file.path()).unwrap();
        History::open(file.path()).unwrap();
    }
}
