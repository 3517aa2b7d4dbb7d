//! The files on disk: changed all or none, and only where git can bring the old ones back.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Subject;
use super::candidate::Workshop;
use super::proven::RewrittenFile;
use crate::exit::Failure;
use crate::git::require_clean_file;
use crate::output::permissions;
use plimsoll_core::paths::seen_from;

/// Refuses where git doesn't have a file that may be changed as it is.
pub(super) fn require_clean(workshop: &Workshop, subjects: &[Subject]) -> Result<(), Failure> {
    let files = subjects.iter().filter(|subject| subject.is_rewritten());
    files
        .map(|subject| workshop.settings.current.join(subject.migration.source.path()))
        .try_for_each(|path| require_clean_file(&path, &workshop.settings.current))
}

/// Writes all files or none.
pub(super) fn write(workshop: &Workshop, files: &[&RewrittenFile]) -> Result<(), Failure> {
    let current = &workshop.settings.current;
    let mut prepared = Prepared::default();
    for file in files {
        let path = workshop.absolute(&file.path);
        // What a link leads to is replaced, not the link.
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        match &file.before {
            Some(before) => {
                require_clean_file(&path, current)?;
                let on_disk = std::fs::read_to_string(&path).map_err(|why| failed(&path, current, &why))?;
                // A byte order mark isn't part of a file's text, and stays.
                let mark = if on_disk.starts_with('\u{feff}') { "\u{feff}" } else { "" };
                if on_disk.strip_prefix('\u{feff}').unwrap_or(&on_disk) != before {
                    let shown = seen_from(&path, current);
                    return Err(Failure::input(format!(
                        "write {}: it has changed meanwhile",
                        shown.display()
                    )));
                }
                prepared.stage(path, &format!("{mark}{}", file.after), current)?;
            }
            None if path.exists() => {
                let shown = seen_from(&path, current);
                return Err(Failure::input(format!(
                    "write {}: there is such a file already",
                    shown.display()
                )));
            }
            None => prepared.stage(path, &file.after, current)?,
        }
    }
    prepared.commit(current)
}

fn failed(path: &Path, current: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::environment(format!("write {}: {why}; no file was changed", seen_from(path, current).display()))
}

/// Texts that lie beside the files whose places they will take.
#[derive(Default)]
struct Prepared {
    staged: Vec<(PathBuf, NamedTempFile)>,
    /// Folders that were made, outermost first.
    folders: Vec<PathBuf>,
}

/// What a file was before it was replaced.
enum Undo {
    Restore(PathBuf, Vec<u8>),
    Remove(PathBuf),
}

impl Prepared {
    fn stage(&mut self, path: PathBuf, text: &str, current: &Path) -> Result<(), Failure> {
        let staged = self.staged_file(&path, text);
        match staged {
            Ok(file) => {
                self.staged.push((path, file));
                Ok(())
            }
            Err(why) => {
                self.remove_folders();
                Err(failed(&path, current, &why))
            }
        }
    }

    fn staged_file(&mut self, path: &Path, text: &str) -> std::io::Result<NamedTempFile> {
        let folder = path.parent().unwrap_or(Path::new("."));
        if !folder.exists() {
            std::fs::create_dir_all(folder)?;
            self.folders.push(folder.to_owned());
        }
        let mut file = tempfile::Builder::new().prefix(".plimsoll-").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(permissions(path))?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Puts all texts into their places; where one can't be, those before it are taken back.
    fn commit(mut self, current: &Path) -> Result<(), Failure> {
        let mut undo = Vec::new();
        for (path, file) in std::mem::take(&mut self.staged) {
            let before = std::fs::read(&path).ok();
            if let Err(error) = file.persist(&path) {
                take_back(undo);
                self.remove_folders();
                return Err(failed(&path, current, &error.error));
            }
            undo.push(match before {
                Some(bytes) => Undo::Restore(path, bytes),
                None => Undo::Remove(path),
            });
        }
        Ok(())
    }

    fn remove_folders(&mut self) {
        self.staged.clear();
        for folder in self.folders.drain(..).rev() {
            // It is empty, or somebody else has put something into it.
            std::fs::remove_dir(folder).unwrap_or_default();
        }
    }
}

fn take_back(undo: Vec<Undo>) {
    for one in undo.into_iter().rev() {
        // The disk refuses already: what can't be taken back, git has.
        match one {
            Undo::Restore(path, bytes) => std::fs::write(path, bytes).unwrap_or_default(),
            Undo::Remove(path) => std::fs::remove_file(path).unwrap_or_default(),
        }
    }
}
