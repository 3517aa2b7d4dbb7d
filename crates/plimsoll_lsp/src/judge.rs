//! What the server asks of the program that knows the project.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::Finding;
use plimsoll_lint::{Settings, StatementEffects, effects_by_statement};
use plimsoll_sql::{Migration, Schema};

/// Knows the project's files, and judges a text in the place of one of them.
pub trait Judge {
    /// Takes the folders that the client has open.
    fn set_folders(&mut self, folders: Vec<PathBuf>);

    /// Takes the text of an open file, which stands for the file on disk from now on; or none when
    /// it is closed.
    fn set_text(&mut self, path: &Path, text: Option<&str>);

    /// Forgets what was read from the disk.
    fn forget(&mut self);

    /// Judges a text in the place of a file, or alone where it has no place. Nothing comes of a file
    /// that no deploy runs.
    ///
    /// # Errors
    ///
    /// What is wrong with the project, for a person.
    fn judge(&mut self, path: Option<&Path>, text: &str) -> Result<Option<Judged>, String>;

    /// Judges what was typed since a file was judged, and leaves the rest as it was found then; none
    /// where that is no quicker than judging it all.
    fn glance(&mut self, path: Option<&Path>, text: &str) -> Option<Judged>;
}

/// A document, judged.
pub struct Judged {
    /// The document as a migration.
    pub migration: Migration,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// The state before it.
    pub before: Schema,
    /// What it was judged by.
    pub settings: Arc<Settings>,
}

impl Judged {
    /// What each of its statements does.
    pub(crate) fn effects(&self) -> Vec<StatementEffects> {
        let mut schema = self.before.clone();
        schema.begin_change();
        effects_by_statement(&mut schema, &self.migration, &self.settings)
    }
}
