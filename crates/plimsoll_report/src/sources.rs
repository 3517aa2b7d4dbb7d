//! The texts that findings point into, found by their names.

use std::collections::HashMap;

use plimsoll_core::SourceFile;

/// Source files and their names. A format looks one up for every finding, so that a search through thousands of files
/// would take longer than all else.
#[derive(Clone, Debug)]
pub struct Sources<'a> {
    files: &'a [SourceFile],
    by_name: HashMap<String, &'a SourceFile>,
}

impl<'a> Sources<'a> {
    /// Takes the files; of those of one name, the first is found.
    #[must_use]
    pub fn new(files: &'a [SourceFile]) -> Self {
        let mut by_name = HashMap::with_capacity(files.len());
        for file in files {
            by_name.entry(file.name()).or_insert(file);
        }
        Self { files, by_name }
    }

    /// The file of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&'a SourceFile> {
        self.by_name.get(name).copied()
    }

    /// The names, in the order of the files.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(SourceFile::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_name_is_found() {
        let files =
            [SourceFile::new("a.sql", "1"), SourceFile::new("b.sql", "2"), SourceFile::new("a.sql", "3")];
        let sources = Sources::new(&files);
        assert_eq!(sources.named("a.sql").map(SourceFile::text), Some("1"));
        assert_eq!(sources.named("b.sql").map(SourceFile::text), Some("2"));
        assert!(sources.named("c.sql").is_none());
        assert_eq!(sources.names().collect::<Vec<_>>(), ["a.sql", "b.sql", "a.sql"]);
    }
}
