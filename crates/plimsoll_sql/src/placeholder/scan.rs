//! Finds placeholders, with the lexer's eyes: it is started anew behind each.

use std::collections::BTreeMap;
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

/// What begins and ends a placeholder.
struct Delimiters {
    opener: &'static str,
    closer: &'static str,
    kind: Kind,
}

const DOLLAR: Delimiters = Delimiters { opener: "${", closer: "}", kind: Kind::Dollar };
const BRACES: Delimiters = Delimiters { opener: "{{", closer: "}}", kind: Kind::Braces };
const BLOCK: Delimiters = Delimiters { opener: "{%", closer: "%}", kind: Kind::Block };
const COMMENT: Delimiters = Delimiters { opener: "{#", closer: "#}", kind: Kind::Block };

/// Bytes of the longest name between `${` and `}`.
const LONGEST_DOLLAR: usize = 200;

/// A placeholder's bytes, its kind, and its name's bytes.
type Opened = (Range<usize>, Kind, Range<usize>);

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
        next_closers: BTreeMap::new(),
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
    /// Where each closer stands next, as far as it was looked for; past the text's end if nowhere.
    next_closers: BTreeMap<&'static str, usize>,
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
    fn placeholder(&mut self, kind: TokenKind, range: &Range<usize>) -> Option<Opened> {
        let text = self.text;
        let (rest, word) = (&text[range.end..], &text[range.clone()]);
        match kind {
            TokenKind::Ident | TokenKind::PositionalParam { .. }
                if word.ends_with('$') && rest.starts_with('{') =>
            {
                self.delimited(range.end - 1, &DOLLAR)
            }
            TokenKind::OpenCurly => {
                let delimiters = [&BRACES, &BLOCK, &COMMENT]
                    .into_iter()
                    .find(|delimiters| rest.starts_with(&delimiters.opener[1..]))?;
                self.delimited(range.start, delimiters)
            }
            TokenKind::Colon => self.variable(range.start),
            TokenKind::Percent if rest.starts_with('(') && !self.follows_operand() => {
                self.parameter(range.start)
            }
            _ => None,
        }
    }

    fn delimited(&mut self, start: usize, delimiters: &Delimiters) -> Option<Opened> {
        let inner = start + delimiters.opener.len();
        let end = self.next_closer(inner, delimiters)?;
        let name = &self.text[inner..end];
        let is_one = match delimiters.kind {
            Kind::Dollar => name.len() <= LONGEST_DOLLAR && !name.contains(['\n', ';', '{']),
            // Another one within it: this one was never closed.
            _ => !name.contains("{{") && !name.contains("{%"),
        };
        (is_one && !name.trim().is_empty())
            .then(|| (start..end + delimiters.closer.len(), delimiters.kind, inner..end))
    }

    /// Where the next closer stands. Looked for once for all openers before it, so that a text of
    /// openers takes no time with the square of its length.
    fn next_closer(&mut self, from: usize, delimiters: &Delimiters) -> Option<usize> {
        let next = self.next_closers.entry(delimiters.closer).or_default();
        if *next < from {
            let found = self.text[from..].find(delimiters.closer).map(|at| from + at);
            *next = found.unwrap_or(usize::MAX);
        }
        Some(*next).filter(|next| *next < self.text.len())
    }

    /// `:name`, `:'name'` or `:"name"`, where psql and no cast, slice or key of JSON can be meant.
    fn variable(&self, start: usize) -> Option<Opened> {
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
    fn parameter(&self, start: usize) -> Option<Opened> {
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
    fn take(&mut self, (range, kind, name): Opened) -> usize {
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
