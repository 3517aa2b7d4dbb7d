//! What a text looks like once a fix is applied.

use std::ops::Range;

use plimsoll_core::{Fix, SourceFile};

/// A fix as one replacement.
pub(crate) struct Fixed {
    /// The bytes that are replaced: from the first edit to the last.
    pub(crate) range: Range<usize>,
    /// What takes their place.
    pub(crate) text: String,
}

impl Fixed {
    /// Puts a fix's edits together; none if they overlap or lie outside the text.
    pub(crate) fn new(source: &SourceFile, fix: &Fix) -> Option<Self> {
        let mut edits: Vec<(Range<usize>, &str)> =
            fix.edits.iter().map(|edit| (source.range(&edit.location), edit.text.as_str())).collect();
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let range = edits.first()?.0.start..edits.last()?.0.end;
        let mut text = String::new();
        let mut at = range.start;
        for (edit, new) in edits {
            text.push_str(source.text().get(at..edit.start)?);
            text.push_str(new);
            at = edit.end;
        }
        Some(Self { range, text })
    }

    /// The whole lines that change, as they are then.
    pub(crate) fn lines(&self, source: &SourceFile) -> String {
        let text = source.text();
        let start = text[..self.range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[self.range.end..].find('\n').map_or(text.len(), |newline| self.range.end + newline);
        let lines = [&text[start..self.range.start], &self.text, &text[self.range.end..end]].concat();
        lines.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::Edit;

    use super::*;

    fn fix(source: &SourceFile, edits: &[(&str, &str)]) -> Fix {
        let edit = |(old, new): &(&str, &str)| {
            let start = source.text().find(old).unwrap();
            Edit { location: source.location(start..start + old.len()), text: (*new).to_owned() }
        };
        Fix { title: String::new(), edits: edits.iter().map(edit).collect() }
    }

    #[test]
    fn edits_become_one_replacement() {
        let source = SourceFile::new("a.sql", "select 1;\ncréate index i\n  on t (a);\n");
        let fixed = Fixed::new(&source, &fix(&source, &[("(a)", "(b)"), ("index", "INDEX")])).unwrap();
        assert_eq!(fixed.text, "INDEX i\n  on t (b)");
        assert_eq!(fixed.lines(&source), "créate INDEX i\n  on t (b);");
    }

    #[test]
    fn edits_that_overlap_are_none() {
        let source = SourceFile::new("a.sql", "abcdef");
        assert!(Fixed::new(&source, &fix(&source, &[("abc", "x"), ("cd", "y")])).is_none());
        assert!(Fixed::new(&source, &Fix { title: String::new(), edits: Vec::new() }).is_none());
    }
}
