//! A statement's normal form: its text without what differs from call to call. Statements of one normal form are one
//! query, and its 64-bit hash is the query's fingerprint.
//!
//! Literals and parameters become `$1`, `$2`, …; comments and blanks go; unquoted names are in lower case. A list of
//! values after `IN` or `ARRAY` becomes one value, and further rows of `VALUES` that look like the first go. Names that
//! drivers make up (of savepoints, cursors and prepared statements) become values.
//!
//! The idea is that of PostgreSQL's `pg_stat_statements` (documentation, appendix F); unlike it, a literal and a
//! parameter are the same here, and a list's length never counts. No parse tree is made: one pass over the bytes.

pub mod lexer;
mod prepared;
mod template;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use lexer::{Kind, Lexer, Token};
pub use prepared::{executed, prepared};
pub use template::{Template, before_literals};

/// The hash of a statement's normal form (XXH3, 64 bits): the same in every version of this program that doesn't say
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// Where a value stands in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuePlace {
    /// Bytes of the statement.
    pub range: Range<usize>,
    /// The n of the `$n` that stands for it in the normal form; 0 where it was folded away.
    pub number: usize,
}

/// A statement's normal form, and where its values stand. To be reused: [`NormalForm::of`] keeps its room.
#[derive(Debug, Default)]
pub struct NormalForm {
    text: String,
    values: Vec<ValuePlace>,
    /// Whether a list or rows were folded, so that there are more values than `$n`.
    folded: bool,
}

impl Clone for NormalForm {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), values: self.values.clone(), folded: self.folded }
    }

    fn clone_from(&mut self, source: &Self) {
        self.text.clone_from(&source.text);
        self.values.clone_from(&source.values);
        self.folded = source.folded;
    }
}

impl NormalForm {
    /// Makes this the normal form of a statement.
    pub fn of(&mut self, statement: &str) -> Fingerprint {
        self.text.clear();
        self.values.clear();
        self.folded = false;
        let mut writer = Writer { source: statement, form: self, numbered: 0, before: Before::default() };
        writer.write_statement();
        Fingerprint(twox_hash::XxHash3_64::oneshot(self.text.as_bytes()))
    }

    /// The normal form.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The literals and parameters in the statement, in order; those of folded lists and rows too.
    #[must_use]
    pub fn values(&self) -> &[ValuePlace] {
        &self.values
    }

    /// Whether lists or rows of any length have this form.
    #[must_use]
    pub fn is_folded(&self) -> bool {
        self.folded
    }
}

/// The normal form of a statement, as text.
#[must_use]
pub fn normal_form(statement: &str) -> String {
    let mut form = NormalForm::default();
    form.of(statement);
    form.text
}

/// What was written last, as far as the next token's meaning hangs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Nothing,
    /// A keyword, behind which a sign belongs to its number, and a parenthesis opens no call.
    Keyword,
    /// `IS`, or the `NOT` behind it: NULL, TRUE and FALSE are no values there.
    Is,
    /// `NOT`, behind which NULL is no value.
    Not,
    /// A name, or what closes an expression.
    Operand,
    /// A string, which another one continues.
    String,
    /// An operator.
    Operator,
    /// `(` or `[`.
    Open,
    /// `.` or `::`, which stand close to what follows.
    Tie,
    /// `,`, `;` and the like.
    Sign,
}

/// Whether a word in lower case stands before an expression or a list, so that no call or subscript begins behind it.
fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "all"
            | "and"
            | "any"
            | "as"
            | "between"
            | "by"
            | "case"
            | "check"
            | "conflict"
            | "cross"
            | "default"
            | "distinct"
            | "do"
            | "else"
            | "except"
            | "exists"
            | "filter"
            | "for"
            | "from"
            | "full"
            | "group"
            | "having"
            | "ilike"
            | "in"
            | "inner"
            | "intersect"
            | "into"
            | "is"
            | "join"
            | "lateral"
            | "left"
            | "like"
            | "limit"
            | "not"
            | "offset"
            | "on"
            | "or"
            | "order"
            | "over"
            | "returning"
            | "select"
            | "set"
            | "some"
            | "then"
            | "union"
            | "using"
            | "when"
            | "where"
    )
}

struct Writer<'a> {
    source: &'a str,
    form: &'a mut NormalForm,
    numbered: usize,
    before: Before,
}

impl Writer<'_> {
    fn write_statement(&mut self) {
        let mut lexer = Lexer::new(self.source);
        if self.write_made_up_names(&mut lexer) {
            return;
        }
        while let Some(token) = lexer.next() {
            self.write(token, &mut lexer);
        }
        while self.form.text.ends_with(';') {
            self.form.text.pop();
        }
    }

    /// Writes a statement whose names a driver makes up anew each time; otherwise writes nothing. What follows the name
    /// is left to the lexer.
    fn write_made_up_names(&mut self, lexer: &mut Lexer<'_>) -> bool {
        let mut ahead = *lexer;
        let first = ahead.next().map_or("", |token| self.lower(token));
        let verb = match first {
            "savepoint" | "close" | "declare" | "deallocate" => first,
            "release" => "release savepoint",
            "end" | "commit" => "commit",
            "rollback" | "abort" => "rollback",
            "fetch" => return self.write_fetch(lexer),
            _ => return false,
        };
        let mut next = ahead.next();
        while next.is_some_and(|token| matches!(self.lower(token), "work" | "transaction" | "savepoint")) {
            next = ahead.next();
        }
        match next {
            None => self.form.text.push_str(verb),
            Some(token) if self.lower(token) == ";" => self.form.text.push_str(verb),
            Some(token) if verb == "rollback" && self.lower(token) == "to" => {
                self.form.text.push_str("rollback to savepoint $1");
            }
            Some(token) if matches!(token.kind, Kind::Word | Kind::Quoted) => match verb {
                "commit" | "rollback" => return false,
                "close" | "deallocate" if self.lower(token) == "all" => return false,
                "declare" => {
                    self.form.text.push_str("declare $1");
                    (self.numbered, self.before) = (1, Before::Keyword);
                    *lexer = ahead;
                    for token in lexer.by_ref() {
                        // A query follows.
                        if self.lower(token) == "for" {
                            self.write_word(token);
                            break;
                        }
                        self.write_word(token);
                    }
                    while let Some(token) = lexer.next() {
                        self.write(token, lexer);
                    }
                }
                _ => {
                    self.form.text.push_str(verb);
                    self.form.text.push_str(" $1");
                }
            },
            Some(_) => return false,
        }
        true
    }

    /// `FETCH 100 FROM "made up"`.
    fn write_fetch(&mut self, lexer: &mut Lexer<'_>) -> bool {
        let mut last = None;
        for token in *lexer {
            if matches!(token.kind, Kind::Word | Kind::Quoted) {
                last = Some(token.start);
            }
        }
        while let Some(token) = lexer.next() {
            if Some(token.start) == last {
                self.write_value(token.start..token.end);
            } else if self.lower(token) != ";" {
                self.write(token, lexer);
            }
        }
        true
    }

    fn write(&mut self, token: Token, lexer: &mut Lexer<'_>) {
        match token.kind {
            Kind::Word => self.write_word(token),
            Kind::Quoted => self.write_quoted(token),
            Kind::String if self.before == Before::String => {
                self.form.values.push(ValuePlace { range: token.start..token.end, number: 0 })
            }
            Kind::String => {
                self.write_value(token.start..token.end);
                self.before = Before::String;
            }
            Kind::Number | Kind::Parameter => self.write_value(token.start..token.end),
            Kind::Operator => self.write_operator(token, lexer),
            Kind::Sign => self.write_sign(token, lexer),
        }
    }

    /// The token's text; words that a keyword is looked for in are compared in lower case, others come as they are.
    fn lower(&self, token: Token) -> &'static str {
        let text = &self.source[token.start..token.end];
        const LOOKED_FOR: [&str; 18] = [
            "savepoint",
            "close",
            "declare",
            "deallocate",
            "release",
            "end",
            "commit",
            "rollback",
            "abort",
            "fetch",
            "work",
            "transaction",
            "to",
            "all",
            "for",
            ";",
            "values",
            "array",
        ];
        LOOKED_FOR.into_iter().find(|word| text.eq_ignore_ascii_case(word)).unwrap_or("?")
    }

    fn write_word(&mut self, token: Token) {
        let word = &self.source[token.start..token.end];
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        let names_a_value = match word.len() {
            4 => is("null") || is("true"),
            5 => is("false"),
            _ => false,
        };
        if names_a_value && !matches!(self.before, Before::Is | Before::Not | Before::Tie) {
            return self.write_value(token.start..token.end);
        }
        self.space();
        let start = self.form.text.len();
        self.form.text.push_str(word);
        self.form.text[start..].make_ascii_lowercase();
        let written = &self.form.text[start..];
        self.before = match written {
            "is" => Before::Is,
            "not" if self.before == Before::Is => Before::Is,
            "not" => Before::Not,
            _ if self.before != Before::Tie && is_keyword(written) => Before::Keyword,
            _ => Before::Operand,
        };
    }

    /// A quoted name that needs no quotes is written without.
    fn write_quoted(&mut self, token: Token) {
        self.space();
        let quoted = &self.source[token.start..token.end];
        let name = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or("");
        let plain = |(at, byte): (usize, u8)| {
            byte.is_ascii_lowercase() || byte == b'_' || (at > 0 && byte.is_ascii_digit())
        };
        let needs_none = !name.is_empty() && name.bytes().enumerate().all(plain);
        self.form.text.push_str(if needs_none { name } else { quoted });
        self.before = Before::Operand;
    }

    fn write_value(&mut self, range: Range<usize>) {
        self.space();
        self.numbered += 1;
        self.form.text.push('$');
        let mut digits = [0_u8; 20];
        let (mut at, mut rest) = (digits.len(), self.numbered);
        while rest > 0 {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.form.text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
        self.form.values.push(ValuePlace { range, number: self.numbered });
        self.before = Before::Operand;
    }

    fn write_operator(&mut self, token: Token, lexer: &mut Lexer<'_>) {
        let operator = &self.source[token.start..token.end];
        let is_sign = matches!(operator, "-" | "+")
            && matches!(
                self.before,
                Before::Nothing | Before::Keyword | Before::Operator | Before::Open | Before::Sign
            );
        if is_sign && let Some(number) = lexer.look().filter(|next| next.kind == Kind::Number) {
            lexer.next();
            return self.write_value(token.start..number.end);
        }
        if operator == "::" {
            self.form.text.push_str(operator);
            self.before = Before::Tie;
            return;
        }
        // `count(*)`, `t.*`
        let close = matches!(self.before, Before::Open | Before::Tie);
        if !close {
            self.space();
        }
        self.form.text.push_str(operator);
        let star = operator == "*" && (close || self.before == Before::Keyword);
        self.before = if star { Before::Operand } else { Before::Operator };
    }

    fn write_sign(&mut self, token: Token, lexer: &mut Lexer<'_>) {
        let sign = &self.source[token.start..token.end];
        match sign {
            "(" | "[" => {
                let list = self.begins_list();
                let rows = self.last_word() == "values";
                if self.before != Before::Operand || (list && sign == "(") || rows {
                    self.space();
                }
                self.form.text.push_str(sign);
                let before = std::mem::replace(&mut self.before, Before::Open);
                if list && let Some(end) = self.fold_list(*lexer) {
                    *lexer = end;
                }
                if rows && before != Before::Open {
                    self.fold_rows(lexer);
                }
            }
            ")" | "]" => {
                self.form.text.push_str(sign);
                self.before = Before::Operand;
            }
            "." => {
                self.form.text.push('.');
                self.before = Before::Tie;
            }
            _ => {
                self.form.text.push_str(sign);
                self.before = Before::Sign;
            }
        }
    }

    fn space(&mut self) {
        if !matches!(self.before, Before::Nothing | Before::Open | Before::Tie) {
            self.form.text.push(' ');
        }
    }

    fn last_word(&self) -> &str {
        let ends = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
        self.form.text.rsplit(ends).next().unwrap_or_default()
    }

    /// Whether what opens now may be a list of values of any length.
    fn begins_list(&self) -> bool {
        matches!(self.last_word(), "in" | "array")
    }

    /// Writes a list that holds values alone as its first one; returns where it ends, before what closes it.
    fn fold_list<'a>(&mut self, start: Lexer<'a>) -> Option<Lexer<'a>> {
        let mut lexer = start;
        let mut end;
        let mut elements: Vec<Range<usize>> = Vec::new();
        loop {
            let mut token = lexer.next()?;
            let first = token.start;
            if matches!(&self.source[token.start..token.end], "-" | "+") {
                token = lexer.next()?;
            }
            if !matches!(token.kind, Kind::String | Kind::Number | Kind::Parameter) {
                return None;
            }
            elements.push(first..token.end);
            end = lexer;
            let mut after = lexer.next()?;
            while matches!(&self.source[after.start..after.end], "::") {
                lexer.next().filter(|kind| matches!(kind.kind, Kind::Word | Kind::Quoted))?;
                after = lexer.next()?;
            }
            match &self.source[after.start..after.end] {
                "," => {}
                ")" | "]" => break,
                _ => return None,
            }
        }
        let rest = elements.split_off(1);
        self.write_value(elements.remove(0));
        self.form.text.push_str(" /*, ... */");
        self.form.values.extend(rest.into_iter().map(|range| ValuePlace { range, number: 0 }));
        self.form.folded = true;
        // Casts of the last one are passed over.
        let mut ahead = end;
        while let Some(token) = ahead.next() {
            if matches!(&self.source[token.start..token.end], ")" | "]") {
                break;
            }
            end = ahead;
        }
        Some(end)
    }

    /// Writes the row that has just been opened, and passes over those behind it that look the same.
    fn fold_rows(&mut self, lexer: &mut Lexer<'_>) {
        let (shape_start, numbered) = (self.form.text.len(), self.numbered);
        self.write_to_close(lexer);
        let after_first = self.numbered;
        let shape = self.form.text[shape_start..].to_owned();
        loop {
            let mut ahead = *lexer;
            let next = [ahead.next(), ahead.next()];
            let opens = |token: Option<Token>, sign: &str| {
                token.is_some_and(|token| &self.source[token.start..token.end] == sign)
            };
            if !(opens(next[0], ",") && opens(next[1], "(")) {
                return;
            }
            let (end, values) = (self.form.text.len(), self.form.values.len());
            (self.numbered, self.before) = (numbered, Before::Open);
            self.write_to_close(&mut ahead);
            let same = self.form.text[end..] == shape;
            self.form.text.truncate(end);
            (self.numbered, self.before) = (after_first, Before::Operand);
            if !same {
                self.form.values.truncate(values);
                return;
            }
            self.form.values[values..].iter_mut().for_each(|value| value.number = 0);
            self.form.folded = true;
            *lexer = ahead;
        }
    }

    fn write_to_close(&mut self, lexer: &mut Lexer<'_>) {
        let mut depth = 1;
        while let Some(token) = lexer.next() {
            match &self.source[token.start..token.end] {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            self.write(token, lexer);
            if depth == 0 {
                return;
            }
        }
    }
}
