//! Globs of paths below a project's folder, as config writes them.
//!
//! A glob is matched with the path as seen from the project's folder; `*` stays within a folder,
//! `**` doesn't, and one that names a folder means all below it.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use plimsoll_core::paths::{normal, seen_from};

/// A set of globs.
#[derive(Clone, Debug)]
pub struct PathSet {
    /// The folder from which paths are seen that are asked for.
    current: PathBuf,
    /// The folder from which the globs are seen.
    root: PathBuf,
    globs: GlobSet,
}

/// A text that is no glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongGlob {
    /// Which of the texts it is.
    pub index: usize,
    /// Why.
    pub why: String,
}

impl PathSet {
    /// Globs as seen from `root`, to be asked about paths as seen from `current`; both absolute.
    ///
    /// # Errors
    /// When a text is no glob.
    pub fn new<'a>(
        globs: impl IntoIterator<Item = &'a str>,
        root: &Path,
        current: &Path,
    ) -> Result<Self, WrongGlob> {
        let mut set = GlobSetBuilder::new();
        for (index, text) in globs.into_iter().enumerate() {
            let text = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
            for pattern in [text.to_owned(), format!("{text}/**")] {
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
                set.add(glob.map_err(|error| WrongGlob { index, why: error.kind().to_string() })?);
            }
        }
        let globs = set.build().map_err(|error| WrongGlob { index: 0, why: error.kind().to_string() })?;
        Ok(Self { current: current.to_owned(), root: root.to_owned(), globs })
    }

    /// Whether a path, as seen from the current folder, is meant.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        !self.globs.is_empty()
            && self.globs.is_match(seen_from(&normal(&self.current.join(path)), &self.root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(glob: &str, path: &str, expected: bool) {
        let set = PathSet::new([glob], Path::new("/p"), Path::new("/p/db")).unwrap();
        assert_eq!(set.contains(Path::new(path)), expected, "{glob} {path}");
    }

    #[test]
    fn globs_are_seen_from_the_projects_folder() {
        check("db/*.sql", "1.sql", true);
        check("db/*.sql", "old/1.sql", false);
        check("db/**/*.sql", "old/1.sql", true);
        check("vendor/**", "../vendor/a/b.sql", true);
        check("*.sql", "1.sql", false);
        check("**/*_old.sql", "x/1_old.sql", true);
    }

    #[test]
    fn a_folder_means_all_below_it() {
        check("db/vendor", "vendor/a/b.sql", true);
        check("./db/vendor/", "vendor/b.sql", true);
        check("db/vend", "vendor/b.sql", false);
    }

    #[test]
    fn a_wrong_glob_is_told_by_its_place() {
        let error = PathSet::new(["a", "{b"], Path::new("/"), Path::new("/")).unwrap_err();
        assert_eq!((error.index, error.why.is_empty()), (1, false));
    }
}
