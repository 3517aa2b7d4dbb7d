//! Literals with their type: `date '…'`, `CAST('…' AS date)` and `'…'::date` are one.

use super::lexer::{Kind, Lexer, Token};
use super::words::{Word, one_name};
use super::writer::{Before, Writer};

impl Writer<'_> {
    /// Writes a literal that begins with a type's name or with CAST as `$1::type`; otherwise writes nothing. Whether it
    /// was one.
    pub(super) fn write_typed(&mut self, token: Token, what: Word, lexer: &mut Lexer<'_>) -> bool {
        let mut ahead = *lexer;
        let typed = match what {
            Word::Cast => self.behind_cast(&mut ahead),
            _ => self.behind_type(token, &mut ahead),
        };
        let Some((value, name)) = typed else { return false };
        *lexer = ahead;
        self.write_value(value);
        self.form.text.push_str("::");
        match one_name(name) {
            Some(name) => self.form.text.push_str(name),
            None => self.push_lower(name),
        }
        self.before = Before::Operand;
        true
    }
}

/// A value's place and its type.
type Typed<'a> = (std::ops::Range<usize>, &'a str);

impl<'a> Writer<'a> {
    fn behind_type(&self, token: Token, lexer: &mut Lexer<'_>) -> Option<Typed<'a>> {
        let name = &self.source[token.start..token.end];
        let mut next = lexer.next()?;
        let is = |token: Token, word: &str| self.text_of(token).eq_ignore_ascii_case(word);
        if is(next, "with") && lexer.look().is_some_and(|token| is(token, "time")) {
            let zone = [lexer.next()?, lexer.next()?];
            next = lexer.next().filter(|_| is(zone[1], "zone"))?;
            let name = if name.eq_ignore_ascii_case("timestamp") { "timestamptz" } else { "timetz" };
            return (next.kind == Kind::String).then_some((next.start..next.end, name));
        }
        (next.kind == Kind::String).then_some((next.start..next.end, name))
    }

    /// `(literal AS type)`
    fn behind_cast(&self, lexer: &mut Lexer<'_>) -> Option<Typed<'a>> {
        lexer.next().filter(|token| self.text_of(*token) == "(")?;
        let mut value = lexer.next()?;
        let start = value.start;
        if matches!(self.text_of(value), "-" | "+") {
            value = lexer.next().filter(|token| token.kind == Kind::Number)?;
        }
        matches!(value.kind, Kind::String | Kind::Number | Kind::Parameter).then_some(())?;
        lexer.next().filter(|token| self.text_of(*token).eq_ignore_ascii_case("as"))?;
        let name = lexer.next().filter(|token| token.kind == Kind::Word)?;
        lexer.next().filter(|token| self.text_of(*token) == ")")?;
        Some((start..value.end, &self.source[name.start..name.end]))
    }
}
