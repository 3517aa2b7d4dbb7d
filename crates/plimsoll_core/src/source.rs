//! Source files and places in them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

/// A text that findings point into, with the path that reports print.
#[derive(Clone, Debug)]
pub struct SourceFile {
    path: PathBuf,
    text: Arc<str>,
    /// Byte offset at which each line starts; the first is 0.
    line_starts: Vec<usize>,
}

/// A place in a source file, as a person and an editor count: lines and columns from 1,
/// columns in Unicode scalar values, the end just behind the last character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// Path with forward slashes, relative to the current folder.
    pub file: String,
    /// First line, from 1.
    pub line: usize,
    /// First column, from 1.
    pub column: usize,
    /// Last line, from 1.
    pub end_line: usize,
    /// Column just behind the last character, from 1.
    pub end_column: usize,
}

impl SourceFile {
    /// Takes a text and the path that reports print for it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), text, line_starts }
    }

    /// The path that reports print.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path with forward slashes, as [`Location::file`] has it.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.to_string_lossy().replace('\\', "/")
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column, both from 1, of a byte offset. Offsets past the end mean the end; one
    /// inside a character means its start.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        (line, self.text[start..offset].chars().count() + 1)
    }

    /// The byte range of a location in this file; clamped to the text.
    #[must_use]
    pub fn range(&self, location: &Location) -> Range<usize> {
        let start = self.offset(location.line, location.column);
        start..self.offset(location.end_line, location.end_column).max(start)
    }

    /// The location of a byte range.
    #[must_use]
    pub fn location(&self, range: Range<usize>) -> Location {
        let (line, column) = self.line_column(range.start);
        let (end_line, end_column) = self.line_column(range.end.max(range.start));
        Location { file: self.name(), line, column, end_line, end_column }
    }

    fn offset(&self, line: usize, column: usize) -> usize {
        let Some(start) = self.line_starts.get(line.saturating_sub(1)) else { return self.text.len() };
        let rest = &self.text[*start..];
        rest.char_indices().nth(column.saturating_sub(1)).map_or(self.text.len(), |(at, _)| start + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let file = SourceFile::new("a.sql", "é x\nβγ y");
        assert_eq!(file.line_column(0), (1, 1));
        assert_eq!(file.line_column("é x\nβγ ".len()), (2, 4));
        assert_eq!(file.line_column(999), (2, 5));
    }

    #[test]
    fn an_offset_inside_a_character_is_its_start() {
        assert_eq!(SourceFile::new("a.sql", "aé").line_column(2), (1, 2));
    }

    #[test]
    fn locations_and_ranges_are_inverse() {
        let file = SourceFile::new("a.sql", "select 1;\n  délete\nfrom t");
        let range = 12.."select 1;\n  délete\nfrom".len();
        assert_eq!(file.range(&file.location(range.clone())), range);
    }
}
