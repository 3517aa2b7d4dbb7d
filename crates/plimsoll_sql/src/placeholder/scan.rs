//! Finds placeholders, with the lexer's eyes: it is started anew behind each.

use std::ops::Range;

use squawk_lexer::{TokenKind, tokenize};

use super::{Found, Kind};

/// What stood before a token, white space and comments left out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Before {
    /// A statement's end, or the text's start.
    Nothing,
    /// A word, with its end.
    Word(String, usize),
    /// What ends an operand: a literal, a quoted name, a closing bracket.
    Operand,
    /// An operator, a comma, a dot, an opening bracket.
    Other,
}

/// What encloses a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Enclosure {
    Parentheses,
    /// `array[…]`
    Array,
    /// `a[…]`, where a colon makes a slice
    Subscript,
}

/// Words that an operand follows, besides the reserved ones that can't be a column.
const BEFORE_AN_OPERAND: &[&str] = &[
    "values", "like", "ilike", "between", "set", "by", "interval", "exists", "schema", "is", "role", "update",
];

pub(super) fn scan(text: &str) -> Vec<Found> {
    let mut scanner = Scanner {
        text,
        found: Vec::new(),
        before: Before::Nothing,
        enclosures: Vec::new(),
        first_word: String::new(),
        from_stdin: false,
    };
    let mut at = 0;
    while at < text.len() {
        at = scanner.run(at);
    }
    scanner.found
}

struct Scanner<'a> {
    text: &'a str,
    found: Vec<Found>,
    before: Before,
    enclosures: Vec<Enclosure>,
    /// The statement's first word, in lower case.
    first_word: String,
    /// Whether the statement has `FROM STDIN`.
    from_stdin: bool,
}

impl Scanner<'_> {
    /// Reads tokens from `start` until the lexer has to be started elsewhere; returns where.
    fn run(&mut self, start: usize) -> usize {
        let mut at = start;
        for token in tokenize(&self.text[start..]) {
            let range = at..at + token.len as usize;
            at = range.end;
            match token.kind {
                TokenKind::Eof => break,
                TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => continue,
                TokenKind::Semi => {
                    let copies = self.first_word == "copy" && self.from_stdin;
                    self.end_statement();
                    if copies {
                        return self.behind_rows(at);
                    }
                    continue;
                }
                _ if self.text.as_bytes()[range.start] == b'\\' => {
                    self.end_statement();
                    return self.line_end(range.start);
                }
                _ => {}
            }
            if let Some(opened) = self.placeholder(token.kind, &range) {
                return self.take(opened);
            }
            self.note(token.kind, range);
        }
        self.text.len()
    }

    /// The placeholder that a token opens.
    fn placeholder(
        &self,
        kind: TokenKind,
        range: &Range<usize>,
    ) -> Option<(Range<usize>, Kind, Range<usize>)> {
        let rest = &self.text[range.end..];
        let word = &self.text[range.clone()];
        match kind {
            TokenKind::Ident | TokenKind::PositionalParam { .. }
                if word.ends_with('$') && rest.starts_with('{') =>
            {
                self.delimited(range.end - 1, "${", "}", Kind::Dollar)
            }
            TokenKind::OpenCurly if rest.starts_with('{') => {
                self.delimited(range.start, "{{", "}}", Kind::Braces)
            }
            TokenKind::OpenCurly if rest.starts_with('%') => {
                self.delimited(range.start, "{%", "%}", Kind::Block)
            }
            TokenKind::OpenCurly if rest.starts_with('#') => {
                self.delimited(range.start, "{#", "#}", Kind::Block)
            }
            TokenKind::Colon => self.variable(range.start),
            TokenKind::Percent if rest.starts_with('(') && !self.follows_operand() => {
                self.parameter(range.start)
            }
            _ => None,
        }
    }

    fn delimited(
        &self,
        start: usize,
        opener: &str,
        closer: &str,
        kind: Kind,
    ) -> Option<(Range<usize>, Kind, Range<usize>)> {
        let inner = start + opener.len();
        let length = self.text[inner..].find(closer)?;
        let name = inner..inner + length;
        let spelled = &self.text[name.clone()];
        let one_line = kind != Kind::Dollar || !spelled.contains(['\n', ';']);
        (one_line && !spelled.trim().is_empty()).then(|| (start..name.end + closer.len(), kind, name))
    }

    /// `:name`, `:'name'` or `:"name"`, where psql and no cast, slice or key of JSON can be meant.
    fn variable(&self, start: usize) -> Option<(Range<usize>, Kind, Range<usize>)> {
        if self.text[..start].ends_with(':') || self.enclosures.last() == Some(&Enclosure::Subscript) {
            return None;
        }
        match &self.before {
            Before::Operand => return None,
            Before::Word(_, end) if *end == start => return None,
            _ => {}
        }
        let rest = &self.text[start + 1..];
        let (kind, quote) = match rest.chars().next()? {
            '\'' => (Kind::VariableLiteral, 1),
            '"' => (Kind::VariableName, 1),
            first if first.is_alphabetic() || first == '_' => (Kind::Variable, 0),
            _ => return None,
        };
        let name = &rest[quote..];
        let length = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        let name = start + 1 + quote..start + 1 + quote + length;
        let closes = quote == 0 || self.text[name.end..].starts_with(&rest[..quote]);
        (closes && !name.is_empty()).then(|| (start..name.end + quote, kind, name))
    }

    /// `%(name)s`, where no remainder can be meant.
    fn parameter(&self, start: usize) -> Option<(Range<usize>, Kind, Range<usize>)> {
        let inner = start + 2;
        let length = self.text[inner..].find(|c: char| !c.is_alphanumeric() && c != '_')?;
        let name = inner..inner + length;
        let rest = self.text[name.end..].strip_prefix(")s")?;
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (ends && length > 0).then(|| (start..name.end + 2, Kind::Parameter, name))
    }

    fn follows_operand(&self) -> bool {
        match &self.before {
            Before::Operand => true,
            Before::Word(word, _) => {
                !BEFORE_AN_OPERAND.contains(&word.as_str()) && !crate::name::is_reserved(word)
            }
            Before::Nothing | Before::Other => false,
        }
    }

    /// Takes a placeholder and returns where it ends.
    fn take(&mut self, (range, kind, name): (Range<usize>, Kind, Range<usize>)) -> usize {
        let end = range.end;
        let starts_statement = self.before == Before::Nothing
            && !self.text[..range.start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        self.found.push(Found {
            range,
            kind,
            name: self.text[name].trim().trim_matches('-').trim().to_owned(),
            starts_statement,
        });
        if kind != Kind::Block && !starts_statement {
            // What follows it follows a name or a value.
            self.before = Before::Operand;
        }
        end
    }

    /// Takes note of a token that is none.
    fn note(&mut self, kind: TokenKind, range: Range<usize>) {
        let before = std::mem::replace(&mut self.before, Before::Other);
        match kind {
            TokenKind::Ident => {
                let word = self.text[range.clone()].to_ascii_lowercase();
                if before == Before::Nothing {
                    self.first_word.clone_from(&word);
                }
                self.from_stdin |=
                    word == "stdin" && matches!(&before, Before::Word(word, _) if word == "from");
                self.before = Before::Word(word, range.end);
            }
            TokenKind::OpenParen => self.enclosures.push(Enclosure::Parentheses),
            TokenKind::OpenBracket => {
                let array = matches!(&before, Before::Word(word, _) if word == "array")
                    || self.enclosures.last() == Some(&Enclosure::Array);
                let subscript = before == Before::Operand || !array;
                self.enclosures.push(if subscript { Enclosure::Subscript } else { Enclosure::Array });
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => {
                self.enclosures.pop();
                self.before = Before::Operand;
            }
            TokenKind::Literal { .. } | TokenKind::QuotedIdent { .. } | TokenKind::PositionalParam { .. } => {
                self.before = Before::Operand;
            }
            _ => {}
        }
    }

    fn end_statement(&mut self) {
        self.before = Before::Nothing;
        self.first_word.clear();
        self.from_stdin = false;
        self.enclosures.clear();
    }

    /// Behind the rows that follow a `COPY … FROM STDIN;`.
    fn behind_rows(&self, after_semicolon: usize) -> usize {
        let mut at = self.line_end(after_semicolon);
        while at < self.text.len() {
            let end = self.line_end(at);
            if self.text[at..end].trim_ascii_end() == "\\." {
                return end;
            }
            at = end;
        }
        self.text.len()
    }

    /// Just behind the newline that ends the line at `from`.
    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |newline| from + newline + 1)
    }
}
