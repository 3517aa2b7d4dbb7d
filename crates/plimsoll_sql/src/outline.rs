//! A statement's outline: its words, and what stands in parentheses, in order.
//!
//! Enough to find a clause that [`Command`](crate::Command) doesn't keep, such as where an UPDATE's WHERE begins. Nothing
//! within parentheses, quotes or comments is looked at.

use std::ops::Range;

use squawk_lexer::{TokenKind, tokenize};

/// A part of a statement outside all parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Bytes in the statement.
    pub range: Range<usize>,
    /// What it is.
    pub kind: PartKind,
}

/// What a part of a statement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// A word without quotes, in lower case.
    Word(String),
    /// Everything between two parentheses, both included.
    Parenthesized,
    /// A quoted name, a constant or a sign.
    Other,
}

/// A statement's parts in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    parts: Vec<Part>,
}

impl Outline {
    /// Reads a statement, or a part of one.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let (mut at, mut depth, mut opened) = (0, 0_usize, 0);
        for token in tokenize(sql) {
            let range = at..at + token.len as usize;
            at = range.end;
            let kind = match token.kind {
                TokenKind::Eof => break,
                TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => continue,
                TokenKind::OpenParen => {
                    if depth == 0 {
                        opened = range.start;
                    }
                    depth += 1;
                    continue;
                }
                TokenKind::CloseParen => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        parts.push(Part { range: opened..range.end, kind: PartKind::Parenthesized });
                    }
                    continue;
                }
                _ if depth > 0 => continue,
                TokenKind::Ident => PartKind::Word(sql[range.clone()].to_ascii_lowercase()),
                _ => PartKind::Other,
            };
            parts.push(Part { range, kind });
        }
        Self { parts }
    }

    /// The parts in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Bytes of the first run of these words, in lower case.
    #[must_use]
    pub fn find(&self, words: &[&str]) -> Option<Range<usize>> {
        self.find_behind(0, words)
    }

    /// As [`Self::find`], of those that begin at a byte or behind it.
    #[must_use]
    pub fn find_behind(&self, byte: usize, words: &[&str]) -> Option<Range<usize>> {
        let is = |part: &Part, word: &str| matches!(&part.kind, PartKind::Word(own) if own == word);
        let found = self.parts.windows(words.len().max(1)).find(|run| {
            run[0].range.start >= byte && run.iter().zip(words).all(|(part, word)| is(part, word))
        })?;
        Some(found[0].range.start..found[found.len() - 1].range.end)
    }

    /// Whether it has a word, in lower case.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.find(&[word]).is_some()
    }

    /// The first part in parentheses that begins at a byte or behind it.
    #[must_use]
    pub fn parenthesized_behind(&self, byte: usize) -> Option<Range<usize>> {
        let found =
            self.parts.iter().find(|part| part.kind == PartKind::Parenthesized && part.range.start >= byte);
        found.map(|part| part.range.clone())
    }

    /// Bytes of the name that begins behind a byte: `ships`, `"a b"."c"`.
    #[must_use]
    pub fn name_behind(&self, sql: &str, byte: usize) -> Option<Range<usize>> {
        let mut parts = self.parts.iter().filter(|part| part.range.start >= byte).peekable();
        let first = parts.next()?;
        let mut range = first.range.clone();
        while parts.next_if(|dot| &sql[dot.range.clone()] == ".").is_some() {
            range.end = parts.next()?.range.end;
        }
        Some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_parentheses_quotes_and_comments_are_none() {
        let sql = "UPDATE ships SET a = (SELECT 1 WHERE x), b = 'where' -- where\n /* where */ WHERE (c)";
        let outline = Outline::of(sql);
        let found = outline.find(&["where"]).unwrap();
        assert_eq!(&sql[found.start..], "WHERE (c)");
        assert!(!outline.has("select"));
        assert_eq!(&sql[outline.parenthesized_behind(found.end).unwrap()], "(c)");
    }

    #[test]
    fn runs_of_words_and_names_are_found() {
        let sql = "create index on only \"A b\".\"c\" using btree (x) nulls not distinct";
        let outline = Outline::of(sql);
        let on = outline.find(&["on", "only"]).unwrap();
        assert_eq!(&sql[outline.name_behind(sql, on.end).unwrap()], "\"A b\".\"c\"");
        assert!(outline.find(&["nulls", "not", "distinct"]).is_some());
        assert_eq!(outline.find(&["nulls", "distinct"]), None);
        assert_eq!(Outline::of("f(").parts().len(), 1);
    }
}
