//! Text to statements, the way psql splits: at semicolons outside quotes, comments, parentheses
//! and `BEGIN ATOMIC` bodies; backslash commands and `COPY … FROM STDIN` data are told apart.
//!
//! Splitting comes before parsing so that one bad statement spoils one statement. Source of the
//! rules: PostgreSQL's `src/fe_utils/psqlscan.l`.

use std::ops::Range;

use squawk_lexer::{Token, TokenKind, tokenize};

/// A part of a script, with its byte range in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A statement from its first to its last token, without the semicolon.
    Statement {
        /// Bytes of the statement.
        range: Range<usize>,
        /// How many tokens it has, a bound on how deep it nests.
        tokens: usize,
        /// How deep its parentheses and brackets nest.
        depth: usize,
        /// The lines that follow a `COPY … FROM STDIN`, without the closing `\.`.
        copy_data: Option<Range<usize>>,
    },
    /// A psql command such as `\connect`, to the end of its line.
    MetaCommand {
        /// Bytes of the command, backslash included.
        range: Range<usize>,
    },
}

/// Splits a script into its statements and psql commands, in order. Never fails: an unterminated
/// quote reaches to the end of the text.
#[must_use]
pub fn split(text: &str) -> Vec<Piece> {
    let mut splitter = Splitter { text, pieces: Vec::new(), pending: Pending::default() };
    let mut at = 0;
    while at < text.len() {
        at = splitter.run(at);
    }
    splitter.finish_statement();
    splitter.pieces
}

struct Splitter<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    pending: Pending,
}

/// The statement being read.
#[derive(Default)]
struct Pending {
    range: Option<Range<usize>>,
    /// Open parentheses.
    depth: usize,
    /// Open brackets, between which a semicolon ends the statement all the same.
    brackets: usize,
    deepest: usize,
    tokens: usize,
    /// Its first words, in lower case: enough to know COPY and CREATE FUNCTION.
    words: Vec<String>,
    /// Open `BEGIN ATOMIC` and `CASE` in a routine's body.
    begin_depth: usize,
    /// Whether FROM STDIN has been seen, for COPY.
    from_stdin: bool,
    /// Whether the last word was FROM.
    after_from: bool,
}

impl Splitter<'_> {
    /// Reads tokens from `start` until the lexer has to be restarted elsewhere; returns where.
    fn run(&mut self, start: usize) -> usize {
        let mut at = start;
        for token in tokenize(&self.text[start..]) {
            let range = at..at + token.len as usize;
            at = range.end;
            match token.kind {
                TokenKind::Eof => break,
                TokenKind::Semi if self.pending.ends_at_semicolon() => {
                    if self.pending.is_copy_from_stdin() {
                        return self.take_copy_data(at);
                    }
                    self.finish_statement();
                }
                // A server refuses a comment without its end: it is told, not passed over.
                TokenKind::Whitespace
                | TokenKind::LineComment
                | TokenKind::BlockComment { terminated: true } => {}
                _ if self.text.as_bytes()[range.start] == b'\\' => {
                    return self.take_meta_command(range.start);
                }
                _ => self.pending.take(self.text, token, range),
            }
        }
        self.text.len()
    }

    fn finish_statement(&mut self) {
        self.finish_statement_with(None);
    }

    fn finish_statement_with(&mut self, copy_data: Option<Range<usize>>) {
        let pending = std::mem::take(&mut self.pending);
        if let Some(range) = pending.range {
            self.pieces.push(Piece::Statement {
                range,
                tokens: pending.tokens,
                depth: pending.deepest,
                copy_data,
            });
        }
    }

    /// Takes the data lines behind a `COPY … FROM STDIN;` and returns where SQL goes on.
    fn take_copy_data(&mut self, after_semicolon: usize) -> usize {
        let start = self.line_end(after_semicolon);
        let mut at = start;
        while at < self.text.len() {
            let end = self.line_end(at);
            if self.text[at..end].trim_ascii_end() == "\\." {
                self.finish_statement_with(Some(start..at));
                return end;
            }
            at = end;
        }
        self.finish_statement_with(Some(start..self.text.len()));
        self.text.len()
    }

    /// Takes a backslash command to its line's end. It ends the statement before it: `\g` and its
    /// kin send it, and the others stand between statements in every script that means well.
    fn take_meta_command(&mut self, start: usize) -> usize {
        self.finish_statement();
        let end = self.line_end(start);
        let line = self.text[start..end].trim_ascii_end();
        self.pieces.push(Piece::MetaCommand { range: start..start + line.len() });
        end
    }

    /// Just behind the newline that ends the line at `from`.
    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |newline| from + newline + 1)
    }
}

impl Pending {
    fn take(&mut self, text: &str, token: Token, range: Range<usize>) {
        match token.kind {
            TokenKind::OpenParen => self.depth += 1,
            TokenKind::OpenBracket => self.brackets += 1,
            TokenKind::CloseParen => self.depth = self.depth.saturating_sub(1),
            TokenKind::CloseBracket => self.brackets = self.brackets.saturating_sub(1),
            TokenKind::Ident => self.take_word(&text[range.clone()]),
            _ => {}
        }
        self.deepest = self.deepest.max(self.depth + self.brackets);
        self.tokens += 1;
        let start = self.range.as_ref().map_or(range.start, |pending| pending.start);
        self.range = Some(start..range.end);
    }

    fn take_word(&mut self, word: &str) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if self.depth == 0 && self.is_create_routine() {
            if is("begin") || (is("case") && self.begin_depth > 0) {
                self.begin_depth += 1;
            } else if is("end") {
                self.begin_depth = self.begin_depth.saturating_sub(1);
            }
        }
        self.from_stdin |= self.after_from && is("stdin");
        self.after_from = is("from");
        if self.words.len() < 4 {
            self.words.push(word.to_ascii_lowercase());
        }
    }

    fn is_create_routine(&self) -> bool {
        let mut words =
            self.words.iter().map(String::as_str).filter(|word| !["or", "replace"].contains(word));
        words.next() == Some("create") && matches!(words.next(), Some("function" | "procedure"))
    }

    fn is_copy_from_stdin(&self) -> bool {
        self.from_stdin && self.words.first().is_some_and(|word| word == "copy")
    }

    fn ends_at_semicolon(&self) -> bool {
        self.depth == 0 && self.begin_depth == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let shown: Vec<&str> = split(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Statement { range, .. } | Piece::MetaCommand { range } => &text[range],
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn semicolons_in_quotes_and_comments_dont_split() {
        check(
            "select ';', \";\", $$;$$, $a$;$$;$a$ -- ;\n /* ; /* ; */ ; */ ; select 2;",
            &["select ';', \";\", $$;$$, $a$;$$;$a$", "select 2"],
        );
    }

    #[test]
    fn rules_with_several_actions_stay_whole() {
        check(
            "create rule r as on insert to t do (select 1; select 2); select 3",
            &["create rule r as on insert to t do (select 1; select 2)", "select 3"],
        );
    }

    #[test]
    fn atomic_bodies_stay_whole() {
        let function = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; \
                        SELECT 2; END";
        check(&format!("{function}; begin; select 1; end;"), &[function, "begin", "select 1", "end"]);
    }

    #[test]
    fn copy_data_and_meta_commands_are_told_apart() {
        let text = "\\connect harbour\nCOPY t (a) FROM stdin;\n1;'\n\\N\n\\.\nselect 1 \\gset\n\\echo it's\nselect 2";
        check(
            text,
            &["\\connect harbour", "COPY t (a) FROM stdin", "select 1", "\\gset", "\\echo it's", "select 2"],
        );
        let Piece::Statement { copy_data: Some(data), .. } = &split(text)[1] else { panic!("no data") };
        assert_eq!(&text[data.clone()], "1;'\n\\N\n");
    }

    #[test]
    fn only_ascii_space_is_space() {
        check("\\echo a\u{2028} \nselect 1;", &["\\echo a\u{2028}", "select 1"]);
        let text = "copy t from stdin;\n\\.\u{2028}\n";
        let [Piece::Statement { copy_data: Some(data), .. }] = &split(text)[..] else { panic!("no data") };
        assert_eq!(&text[data.clone()], "\\.\u{2028}\n");
    }

    #[test]
    fn empty_statements_and_unterminated_quotes_are_survived() {
        check(";;  ; -- nothing\n", &[]);
        check("select 1; select 'abc; select 2", &["select 1", "select 'abc; select 2"]);
        check("select 1; /* abc; select 2", &["select 1", "/* abc; select 2"]);
        check("select a[1; select 2", &["select a[1", "select 2"]);
    }

    proptest! {
        #[test]
        fn pieces_lie_in_order_within_the_text(text in "[ -~\nβ$';]{0,200}") {
            let mut end = 0;
            for piece in split(&text) {
                let (Piece::Statement { range, .. } | Piece::MetaCommand { range }) = piece;
                prop_assert!(range.start >= end && range.end <= text.len());
                prop_assert!(!text[range.clone()].trim().is_empty());
                end = range.end;
            }
        }
    }
}
