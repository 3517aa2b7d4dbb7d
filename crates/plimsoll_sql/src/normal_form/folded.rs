//! Lists of values and rows of `VALUES`: any number of them is one.

use super::ValuePlace;
use super::lexer::{Kind, Lexer};
use super::words::Word;
use super::writer::{Before, Writer};

impl Writer<'_> {
    /// Writes a list that holds values alone as its first one; returns where it ends, before what closes it.
    pub(super) fn fold_list<'a>(&mut self, start: Lexer<'a>) -> Option<Lexer<'a>> {
        let first = self.form.values.len();
        let Some(end) = self.values_to_close(start) else {
            self.form.values.truncate(first);
            return None;
        };
        let range = self.form.values[first].range.clone();
        self.write_value(range);
        // It was written behind the others.
        self.form.values.swap_remove(first);
        self.form.text.push_str(" /*, ... */");
        self.form.folded = true;
        Some(end)
    }

    /// Notes the values of a list; returns where it ends, or nothing if there is something else among them.
    fn values_to_close<'a>(&mut self, mut lexer: Lexer<'a>) -> Option<Lexer<'a>> {
        loop {
            let mut token = lexer.next()?;
            let first = token.start;
            if matches!(self.text_of(token), "-" | "+") {
                token = lexer.next().filter(|token| token.kind == Kind::Number)?;
            }
            let is_value = match token.kind {
                Kind::String | Kind::Number | Kind::Parameter => true,
                Kind::Word => Word::of(self.text_of(token)) == Word::Value,
                _ => false,
            };
            if !is_value {
                return None;
            }
            self.form.values.push(ValuePlace { range: first..token.end, number: 0 });
            let mut end = lexer;
            let mut after = lexer.next()?;
            while self.text_of(after) == "::" {
                lexer.next().filter(|kind| matches!(kind.kind, Kind::Word | Kind::Quoted))?;
                end = lexer;
                after = lexer.next()?;
            }
            match self.text_of(after) {
                "," => {}
                ")" | "]" => return Some(end),
                _ => return None,
            }
        }
    }

    /// Writes the row that has just been opened, and passes over those behind it that look the same.
    pub(super) fn fold_rows(&mut self, lexer: &mut Lexer<'_>) {
        let (shape_start, numbered) = (self.form.text.len(), self.numbered);
        self.write_to_close(lexer);
        let after_first = self.numbered;
        loop {
            let mut ahead = *lexer;
            let mut is_next = |sign| ahead.next().is_some_and(|token| self.text_of(token) == sign);
            if !(is_next(",") && is_next("(")) {
                return;
            }
            let (end, values) = (self.form.text.len(), self.form.values.len());
            (self.numbered, self.before) = (numbered, Before::Open);
            self.write_to_close(&mut ahead);
            let (shape, row) = self.form.text[shape_start..].split_at(end - shape_start);
            let same = shape == row;
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
            match self.text_of(token) {
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
