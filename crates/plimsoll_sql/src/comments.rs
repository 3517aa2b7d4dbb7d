//! The comments of a script: what psql takes for one, never text in a literal, in a
//! dollar-quoted body, in the rows of a `COPY` or behind a backslash command.

use std::ops::Range;

use squawk_lexer::{TokenKind, tokenize};

use crate::split::{Piece, split};

/// Byte ranges of the comments, delimiters included, in order. Each costs a pass over the text:
/// ask only where a comment is likely to matter.
#[must_use]
pub fn comments(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for piece in split(text) {
        match piece {
            Piece::Statement { range, copy_data, .. } => {
                collect(text, at..range.end, &mut found);
                at = range.end;
                if let Some(data) = copy_data {
                    collect(text, at..data.start, &mut found);
                    // The line that ends the rows is no SQL.
                    at = text[data.end..].find('\n').map_or(text.len(), |newline| data.end + newline + 1);
                }
            }
            Piece::MetaCommand { range } => {
                collect(text, at..range.start, &mut found);
                at = range.end;
            }
        }
    }
    collect(text, at..text.len(), &mut found);
    found
}

/// The words of a comment, without its delimiters, with its own byte range.
#[must_use]
pub fn body(text: &str, comment: Range<usize>) -> Range<usize> {
    let whole = &text[comment.clone()];
    let (start, end) = match whole.strip_prefix("--") {
        Some(_) => (2, whole.len()),
        None => (2, if whole.len() >= 4 && whole.ends_with("*/") { whole.len() - 2 } else { whole.len() }),
    };
    let inner = &whole[start..end];
    let head = inner.len() - inner.trim_start().len();
    let length = inner.trim().len();
    comment.start + start + head..comment.start + start + head + length
}

fn collect(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut at = range.start;
    for token in tokenize(&text[range]) {
        let end = at + token.len as usize;
        match token.kind {
            TokenKind::Eof => break,
            TokenKind::LineComment | TokenKind::BlockComment { .. } => found.push(at..end),
            _ => {}
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let bodies: Vec<&str> =
            comments(text).into_iter().map(|comment| &text[body(text, comment)]).collect();
        assert_eq!(bodies, expected);
    }

    #[test]
    fn line_and_block_comments_are_found() {
        check("-- a\nselect /* b */ 1; --c\n/* d\n/* e */ */", &["a", "b", "c", "d\n/* e */"]);
        check("/*", &[""]);
        check("--", &[""]);
        check("select 1 -- x\r\n;", &["x"]);
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        check("select '-- a', \"-- b\", $$-- c$$, $x$/* d */$x$, 1 - -1", &[]);
        check("copy t from stdin; -- e\n-- row\n\\.\n-- f", &["e", "f"]);
        check("\\echo -- g\nselect 1 -- h", &["h"]);
    }

    proptest! {
        #[test]
        fn comments_lie_in_order_within_the_text(text in "[ -~\nβ$';*/-]{0,200}") {
            let mut end = 0;
            for comment in comments(&text) {
                prop_assert!(comment.start >= end && comment.end <= text.len());
                let start = &text[comment.clone()];
                prop_assert!(start.starts_with("--") || start.starts_with("/*"));
                let body = body(&text, comment.clone());
                prop_assert!(comment.start <= body.start && body.end <= comment.end);
                prop_assert_eq!(text[body.clone()].trim(), &text[body]);
                end = comment.end;
            }
        }
    }
}
