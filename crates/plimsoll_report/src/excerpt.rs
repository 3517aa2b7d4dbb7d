//! The lines of a source file that a finding marks, cut to what a reader needs.

use std::ops::Range;

use plimsoll_core::{Location, SourceFile};

use crate::neutral::neutral;

/// Columns of a marked line that are kept on each side of where the mark begins and ends.
const MOST_CHARACTERS: usize = 400;

/// Whole lines around a marked range, made harmless to show.
pub(crate) struct Excerpt {
    /// The lines.
    pub(crate) text: String,
    /// The marked bytes of [`Excerpt::text`].
    pub(crate) marked: Range<usize>,
    /// The first line's number, from 1.
    pub(crate) first_line: usize,
    /// Lines of the range that aren't shown.
    pub(crate) lines_left_out: usize,
}

impl Excerpt {
    /// Cuts the excerpt; none where the place isn't in the text. A range of more than
    /// `most_lines` lines shows its first one only.
    pub(crate) fn new(source: &SourceFile, location: &Location, most_lines: usize) -> Option<Self> {
        let text = source.text();
        let range = source.range(location);
        let lines = location.end_line.saturating_sub(location.line) + 1;
        let shown_lines = if lines > most_lines { 1 } else { lines };
        let end = if lines > shown_lines { line_end(text, range.start) } else { range.end };
        let line_start = text.get(..range.start)?.rfind('\n').map_or(0, |at| at + 1);
        let head = last_characters(&text[line_start..range.start], MOST_CHARACTERS);
        let inside = first_characters(text.get(range.start..end)?, MOST_CHARACTERS * shown_lines);
        let tail = first_characters(&text[end..line_end(text, end)], MOST_CHARACTERS);
        if inside.trim().is_empty() {
            return None;
        }
        let (head, inside, tail) = (neutral(head), neutral(inside.trim_end()), neutral(tail));
        Some(Self {
            marked: head.len()..head.len() + inside.len(),
            text: format!("{head}{inside}{tail}"),
            first_line: location.line,
            lines_left_out: lines - shown_lines,
        })
    }
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at)
}

fn first_characters(text: &str, number: usize) -> &str {
    text.char_indices().nth(number).map_or(text, |(at, _)| &text[..at])
}

fn last_characters(text: &str, number: usize) -> &str {
    text.char_indices().rev().nth(number.saturating_sub(1)).map_or(text, |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, marked: &str, shown: &str, left_out: usize) {
        let source = SourceFile::new("a.sql", text);
        let start = text.find(marked).unwrap();
        let excerpt = Excerpt::new(&source, &source.location(start..start + marked.len()), 5).unwrap();
        assert_eq!((excerpt.text.as_str(), excerpt.lines_left_out), (shown, left_out));
    }

    #[test]
    fn whole_lines_are_shown() {
        check("a;\n  b c; d\ne", "b c", "  b c; d", 0);
        check("a\nb\nc\n", "a\nb", "a\nb", 0);
    }

    #[test]
    fn a_long_range_shows_its_first_line() {
        check("x\na\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\ne\nf", "a", 5);
    }

    #[test]
    fn the_mark_follows_replaced_characters() {
        let source = SourceFile::new("a.sql", "\x1b\x1b drop");
        let excerpt = Excerpt::new(&source, &source.location(3..7), 5).unwrap();
        assert_eq!(&excerpt.text[excerpt.marked], "drop");
    }

    #[test]
    fn a_place_outside_the_text_has_no_excerpt() {
        let source = SourceFile::new("a.sql", "drop");
        let outside = Location { file: "a.sql".into(), line: 9, column: 1, end_line: 9, end_column: 5 };
        assert!(Excerpt::new(&source, &outside, 5).is_none());
    }
}
