//! Lists of values and rows of `VALUES`: any number of them is one.

use super::lexer::{Kind, Lexer};
use super::words::Word;
use super::writer::{Before, Writer};
use super::{Rows, ValuePlace};

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
        self.form.lists.push(first..self.form.values.len());
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
    pub(super) fn fold_rows(&mut self, start: usize, lexer: &mut Lexer<'_>) {
        let (shape_start, numbered) = (self.form.text.len(), self.numbered);
        if !self.write_to_close(lexer) {
            return;
        }
        let (after_first, values) = (self.numbered, self.form.values.len());
        let first = start..lexer.reached();
        self.fold_further_rows(shape_start, numbered, after_first, lexer);
        let values = values..self.form.values.len();
        self.form.rows = Some(Rows { first, end: lexer.reached(), values });
    }

    fn fold_further_rows(
        &mut self,
        shape_start: usize,
        numbered: usize,
        after_first: usize,
        lexer: &mut Lexer<'_>,
    ) {
        loop {
            let mut ahead = *lexer;
            let mut is_next = |sign| ahead.next().is_some_and(|token| self.text_of(token) == sign);
            if !(is_next(",") && is_next("(")) {
                return;
            }
            let (end, values) = (self.form.text.len(), self.form.values.len());
            let lists = self.form.lists.len();
            (self.numbered, self.before) = (numbered, Before::Open);
            let closed = self.write_to_close(&mut ahead);
            let (shape, row) = self.form.text[shape_start..].split_at(end - shape_start);
            let same = closed && shape == row;
            self.form.text.truncate(end);
            self.form.lists.truncate(lists);
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

    /// Whether it was closed.
    fn write_to_close(&mut self, lexer: &mut Lexer<'_>) -> bool {
        let mut depth = 1;
        while let Some(token) = lexer.next() {
            match self.text_of(token) {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            self.write(token, lexer);
            if depth == 0 {
                return true;
            }
        }
        false
    }
}
