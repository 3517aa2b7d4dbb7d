//! Writes a statement's normal form, token by token.

use std::ops::Range;

use super::lexer::{Kind, Lexer, Token};
use super::words::{Word, one_name};
use super::{NormalForm, ValuePlace};

/// What was written last, as far as the next token's meaning hangs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Before {
    #[default]
    Nothing,
    /// A keyword, behind which a sign belongs to its number, and a parenthesis opens no call.
    Keyword,
    /// `IS`, or the `NOT` behind it: NULL, TRUE and FALSE are no values there.
    Is,
    /// `NOT`, behind which NULL is no value.
    Not,
    /// `ORDER BY` or `GROUP BY`, or a comma in their lists: a number is a column's position there.
    By,
    /// A name, or what closes an expression.
    Operand,
    /// A string, which another one continues.
    String,
    /// An operator.
    Operator,
    /// `(` or `[`.
    Open,
    /// `.`, which stands close to what follows.
    Tie,
    /// `::`, likewise.
    Cast,
    /// `,`, `;` and the like.
    Sign,
}

pub(super) struct Writer<'a> {
    pub(super) source: &'a str,
    pub(super) form: &'a mut NormalForm,
    pub(super) numbered: usize,
    pub(super) before: Before,
    /// What was written last, if it was a word.
    last: Word,
    /// How many parentheses and brackets are open.
    depth: usize,
    /// How many were where the list behind the last `BY` began.
    by_depth: Option<usize>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a str, form: &'a mut NormalForm) -> Self {
        let (last, before) = (Word::default(), Before::default());
        Self { source, form, numbered: 0, before, last, depth: 0, by_depth: None }
    }

    pub(super) fn write_statement(&mut self) {
        let mut lexer = Lexer::new(self.source);
        if self.write_command(&mut lexer) {
            return;
        }
        while let Some(token) = lexer.next() {
            self.write(token, &mut lexer);
        }
        while self.form.text.ends_with(';') {
            self.form.text.pop();
        }
    }

    pub(super) fn write(&mut self, token: Token, lexer: &mut Lexer<'_>) {
        if token.kind == Kind::Word {
            return self.write_word(token, lexer);
        }
        let last = std::mem::take(&mut self.last);
        match token.kind {
            Kind::Word => {}
            Kind::Quoted => self.write_quoted(token),
            Kind::String if self.before == Before::String => {
                self.form.values.push(ValuePlace { range: token.start..token.end, number: 0 });
            }
            Kind::String => {
                self.write_value(token.start..token.end);
                self.before = Before::String;
            }
            Kind::Number if self.before == Before::By && self.is_position(*lexer) => {
                self.write_as_it_is(token)
            }
            Kind::Number | Kind::Parameter => self.write_value(token.start..token.end),
            Kind::Operator => self.write_operator(token, lexer),
            Kind::Sign => self.write_sign(token, lexer, last),
        }
    }

    /// Whether what follows a number leaves it alone in its list.
    fn is_position(&self, lexer: Lexer<'_>) -> bool {
        lexer.look().is_none_or(|next| next.kind != Kind::Operator)
    }

    fn write_as_it_is(&mut self, token: Token) {
        self.space();
        self.form.text.push_str(&self.source[token.start..token.end]);
        self.before = Before::Operand;
    }

    pub(super) fn write_word(&mut self, token: Token, lexer: &mut Lexer<'_>) {
        let source = self.source;
        let word = &source[token.start..token.end];
        let tied = matches!(self.before, Before::Tie | Before::Cast);
        let what = if tied { Word::Name } else { Word::of(word) };
        let last = std::mem::replace(&mut self.last, what);
        match what {
            Word::Value if !matches!(self.before, Before::Is | Before::Not) => {
                return self.write_value(token.start..token.end);
            }
            Word::Type | Word::Cast if self.write_typed(token, what, lexer) => return,
            _ => {}
        }
        self.space();
        match self.before {
            Before::Cast => self.push_lower(one_name(word).unwrap_or(word)),
            _ => self.push_lower(word),
        }
        self.before = self.behind(what, last);
    }

    fn behind(&mut self, what: Word, last: Word) -> Before {
        match what {
            Word::Name | Word::Array | Word::Values | Word::Type | Word::Cast | Word::Value => {
                return Before::Operand;
            }
            Word::By if last == Word::Order => {
                self.by_depth = Some(self.depth);
                return Before::By;
            }
            _ => self.by_depth = None,
        }
        match what {
            Word::Is => Before::Is,
            Word::Not if self.before == Before::Is => Before::Is,
            Word::Not => Before::Not,
            _ => Before::Keyword,
        }
    }

    pub(super) fn push_lower(&mut self, word: &str) {
        let start = self.form.text.len();
        self.form.text.push_str(word);
        // Most words are in lower case already.
        if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.form.text[start..].make_ascii_lowercase();
        }
    }

    /// A quoted name that needs no quotes is written without.
    fn write_quoted(&mut self, token: Token) {
        self.space();
        let quoted = &self.source[token.start..token.end];
        let name = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or("");
        let plain = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_' || byte.is_ascii_digit();
        let needs_none = name.as_bytes().first().is_some_and(|first| !first.is_ascii_digit())
            && name.as_bytes().iter().all(plain);
        self.form.text.push_str(if needs_none { name } else { quoted });
        self.before = Before::Operand;
    }

    pub(super) fn write_value(&mut self, range: Range<usize>) {
        self.space();
        self.numbered += 1;
        self.form.text.push('$');
        push_number(&mut self.form.text, self.numbered);
        self.form.values.push(ValuePlace { range, number: self.numbered });
        self.before = Before::Operand;
    }

    fn write_operator(&mut self, token: Token, lexer: &mut Lexer<'_>) {
        let operator = &self.source[token.start..token.end];
        let is_sign = matches!(operator, "-" | "+")
            && matches!(
                self.before,
                Before::Nothing
                    | Before::Keyword
                    | Before::By
                    | Before::Operator
                    | Before::Open
                    | Before::Sign
            );
        if is_sign && let Some(number) = lexer.look().filter(|next| next.kind == Kind::Number) {
            lexer.next();
            return self.write_value(token.start..number.end);
        }
        if operator == "::" {
            self.form.text.push_str(operator);
            self.before = Before::Cast;
            return;
        }
        // `count(*)`, `t.*`
        let close = matches!(self.before, Before::Open | Before::Tie | Before::Cast);
        if !close {
            self.space();
        }
        self.form.text.push_str(match operator {
            "!=" => "<>",
            // Both name an argument.
            ":=" => "=>",
            _ => operator,
        });
        let star = operator == "*" && (close || self.before == Before::Keyword);
        self.before = if star { Before::Operand } else { Before::Operator };
    }

    fn write_sign(&mut self, token: Token, lexer: &mut Lexer<'_>, last: Word) {
        let sign = &self.source[token.start..token.end];
        match sign {
            "(" | "[" => self.write_opening(token.start, sign, lexer, last),
            ")" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                self.form.text.push_str(sign);
                self.before = Before::Operand;
            }
            "." => {
                self.form.text.push('.');
                self.before = Before::Tie;
            }
            _ => {
                // Two colons apart are no cast.
                if sign == ":" && self.form.text.ends_with(':') {
                    self.form.text.push(' ');
                }
                self.form.text.push_str(sign);
                let of_by = sign == "," && self.by_depth == Some(self.depth);
                self.before = if of_by { Before::By } else { Before::Sign };
            }
        }
    }

    fn write_opening(&mut self, start: usize, sign: &str, lexer: &mut Lexer<'_>, last: Word) {
        let list = matches!(last, Word::In | Word::Array);
        let rows = last == Word::Values;
        if self.before != Before::Operand || (list && sign == "(") || rows {
            self.space();
        }
        self.depth += 1;
        self.form.text.push_str(sign);
        let before = std::mem::replace(&mut self.before, Before::Open);
        if list && let Some(end) = self.fold_list(*lexer) {
            *lexer = end;
        }
        if rows && before != Before::Open {
            self.fold_rows(start, lexer);
        }
    }

    pub(super) fn space(&mut self) {
        if !matches!(self.before, Before::Nothing | Before::Open | Before::Tie | Before::Cast) {
            self.form.text.push(' ');
        }
    }
}

#[inline]
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}
