//! Tokens of a statement, as far as its normal form tells them apart, in one pass over its bytes.
//!
//! Source: PostgreSQL's `src/backend/parser/scan.l`; `standard_conforming_strings` is taken to be on, its default.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an unquoted identifier.
    Word,
    /// An identifier in double quotes.
    Quoted,
    /// A string of any kind: `'…'`, `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`, `$$…$$`.
    String,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// An operator, `::` and `:=` included.
    Operator,
    /// One byte: a parenthesis, a bracket, a comma, a semicolon, a dot, a colon, or what is none of all these.
    Sign,
}

/// A token's place in the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Reads tokens from left to right; comments and blanks are passed over.
#[derive(Clone, Copy)]
pub struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

const OPERATOR: &[u8] = b"+-*/<>=~!@#%^&|`?";

/// Classes of bytes, to be combined.
const STARTS_WORD: u8 = 1;
const CONTINUES_WORD: u8 = 2;
const OF_OPERATOR: u8 = 4;
const BLANK: u8 = 8;

/// The classes of each byte: a statement is read byte by byte, so asking must be quick.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        if letter.is_ascii_alphabetic() || letter == b'_' || letter >= 0x80 {
            classes[byte] |= STARTS_WORD | CONTINUES_WORD;
        }
        if letter.is_ascii_digit() || letter == b'$' {
            classes[byte] |= CONTINUES_WORD;
        }
        if matches!(letter, b' ' | b'\t'..=b'\r') {
            classes[byte] |= BLANK;
        }
        byte += 1;
    }
    let mut at = 0;
    while at < OPERATOR.len() {
        classes[OPERATOR[at] as usize] |= OF_OPERATOR;
        at += 1;
    }
    classes
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}
/// An operator that holds none of these doesn't end in `+` or `-`: `=-1` is `=` and `-1`.
const LETS_END_IN_SIGN: &[u8] = b"~!@#%^&|`?";

impl<'a> Lexer<'a> {
    /// Reads a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0 }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Where the last token that was taken ends.
    pub(super) fn reached(&self) -> usize {
        self.at
    }

    /// The next token without taking it.
    pub(super) fn look(&self) -> Option<Token> {
        let mut ahead = *self;
        ahead.next()
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.peek(0) {
                byte if is(byte, BLANK) => self.at += 1,
                b'-' if self.peek(1) == b'-' => {
                    self.at = find(self.bytes, self.at, b'\n');
                }
                b'/' if self.peek(1) == b'*' => self.at = after_comment(self.bytes, self.at),
                _ => break,
            }
        }
    }

    #[inline]
    fn kind_and_end(&self, byte: u8) -> (Kind, usize) {
        let (bytes, at) = (self.bytes, self.at);
        // Most tokens are words, and few of them begin a string.
        if is(byte, STARTS_WORD) && !matches!(self.peek(1), b'\'' | b'&') {
            return (Kind::Word, end_of_word(bytes, at + 1));
        }
        match byte {
            b'\'' => (Kind::String, after_quote(bytes, at + 1, b'\'')),
            b'"' => (Kind::Quoted, after_quote(bytes, at + 1, b'"')),
            b'e' | b'E' if self.peek(1) == b'\'' => (Kind::String, after_escaped(bytes, at + 2)),
            b'b' | b'B' | b'x' | b'X' | b'n' | b'N' if self.peek(1) == b'\'' => {
                (Kind::String, after_quote(bytes, at + 2, b'\''))
            }
            b'u' | b'U' if self.peek(1) == b'&' && matches!(self.peek(2), b'\'' | b'"') => {
                let kind = if self.peek(2) == b'\'' { Kind::String } else { Kind::Quoted };
                (kind, after_quote(bytes, at + 3, self.peek(2)))
            }
            _ if is(byte, STARTS_WORD) => (Kind::Word, end_of_word(bytes, at + 1)),
            b'0'..=b'9' => (Kind::Number, after_number(bytes, at)),
            b'.' if self.peek(1).is_ascii_digit() => (Kind::Number, after_number(bytes, at)),
            b'$' if self.peek(1).is_ascii_digit() => {
                (Kind::Parameter, end_of(bytes, at + 1, |byte| byte.is_ascii_digit()))
            }
            b'$' => match after_dollar_quoted(bytes, at) {
                Some(end) => (Kind::String, end),
                None => (Kind::Sign, at + 1),
            },
            b':' if matches!(self.peek(1), b':' | b'=') => (Kind::Operator, at + 2),
            _ if is(byte, OF_OPERATOR) => (Kind::Operator, after_operator(bytes, at)),
            _ => (Kind::Sign, at + 1),
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let byte = *self.bytes.get(self.at)?;
        let (kind, end) = self.kind_and_end(byte);
        let token = Token { kind, start: self.at, end };
        self.at = end;
        Some(token)
    }
}

fn end_of_word(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while bytes.get(at).is_some_and(|byte| is(*byte, CONTINUES_WORD)) {
        at += 1;
    }
    at
}

fn end_of(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Where a byte stands from `from` on; the text's end if nowhere.
fn find(bytes: &[u8], from: usize, byte: u8) -> usize {
    memchr::memchr(byte, &bytes[from.min(bytes.len())..]).map_or(bytes.len(), |length| from + length)
}

/// Comments nest.
fn after_comment(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start + 2, 1);
    while depth > 0 {
        match memchr::memchr2(b'*', b'/', &bytes[at.min(bytes.len())..]) {
            None => return bytes.len(),
            Some(length) => at += length,
        }
        match bytes[at..] {
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

/// A doubled quote stands for one within.
fn after_quote(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = find(bytes, from, quote);
    while bytes.get(at + 1) == Some(&quote) {
        at = find(bytes, at + 2, quote);
    }
    (at + 1).min(bytes.len())
}

/// As [`after_quote`], for a string in which a backslash takes the next byte's meaning.
fn after_escaped(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(length) = memchr::memchr2(b'\'', b'\\', &bytes[at.min(bytes.len())..]) {
        at += length;
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', _) | (_, Some(b'\'')) => at += 2,
            _ => return at + 1,
        }
    }
    bytes.len()
}

/// Hexadecimal, octal and binary numbers, underscores and exponents included.
fn after_number(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    while let Some(byte) = bytes.get(at) {
        let sign_of_exponent = matches!(byte, b'+' | b'-')
            && at > start
            && matches!(bytes[at - 1], b'e' | b'E')
            && !bytes[start..at].starts_with(b"0x");
        let second_dot = *byte == b'.' && bytes.get(at + 1) == Some(&b'.');
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || sign_of_exponent) || second_dot {
            break;
        }
        at += 1;
    }
    at.max(start + 1)
}

fn after_dollar_quoted(bytes: &[u8], start: usize) -> Option<usize> {
    let tag_end = end_of(bytes, start + 1, |byte| is(byte, CONTINUES_WORD) && byte != b'$');
    if bytes.get(tag_end) != Some(&b'$') {
        return None;
    }
    let tag = &bytes[start..=tag_end];
    let body = tag_end + 1;
    Some(memchr::memmem::find(&bytes[body..], tag).map_or(bytes.len(), |length| body + length + tag.len()))
}

fn after_operator(bytes: &[u8], start: usize) -> usize {
    if bytes.get(start + 1).is_none_or(|next| !is(*next, OF_OPERATOR)) {
        return start + 1;
    }
    let mut end = start;
    while let Some(byte) = bytes.get(end) {
        let comment = matches!(&bytes[end..], [b'-', b'-', ..] | [b'/', b'*', ..]);
        if !is(*byte, OF_OPERATOR) || comment {
            break;
        }
        end += 1;
    }
    if !bytes[start..end].iter().any(|byte| LETS_END_IN_SIGN.contains(byte)) {
        while end > start + 1 && matches!(bytes[end - 1], b'+' | b'-') {
            end -= 1;
        }
    }
    end.max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let shown: Vec<&str> = Lexer::new(text).map(|token| &text[token.start..token.end]).collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn tokens_end_where_postgresql_ends_them() {
        check("a=-1", &["a", "=", "-", "1"]);
        check("a@-1", &["a", "@-", "1"]);
        check("a--b\n+/*c/*d*/*/2", &["a", "+", "2"]);
        check("'it''s'\"a\"\"b\"e'\\'x'", &["'it''s'", "\"a\"\"b\"", "e'\\'x'"]);
        check("$$a$b$$ $x$ $$ $x$ $1$", &["$$a$b$$", "$x$ $$ $x$", "$1", "$"]);
        check(
            "1.5e-3+0x1f 1_000 .5 a.b[1]::int",
            &["1.5e-3", "+", "0x1f", "1_000", ".5", "a", ".", "b", "[", "1", "]", "::", "int"],
        );
        check("u&'\\00e9' U&\"x\" nb", &["u&'\\00e9'", "U&\"x\"", "nb"]);
    }

    #[test]
    fn what_is_not_closed_reaches_to_the_end() {
        check("'abc", &["'abc"]);
        check("e'abc\\", &["e'abc\\"]);
        check("$$abc", &["$$abc"]);
        check("1 /* abc", &["1"]);
        check("é", &["é"]);
    }
}
