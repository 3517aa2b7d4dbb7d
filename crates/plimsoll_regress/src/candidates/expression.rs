//! EXPLAIN's expressions, as far as an index can serve them: conditions joined by AND, comparisons, and what is compared.

use plimsoll_sql::normal_form::lexer::{Kind, Lexer, Token};

/// A text with its tokens.
pub(super) struct Text<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, tokens: Lexer::new(text).collect() }
    }

    pub(super) fn whole(&self) -> Piece<'_> {
        Piece { text: self.text, tokens: &self.tokens }
    }
}

/// Some of a text's tokens.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

/// A column of a relation, by its alias; both as SQL writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference<'a> {
    pub(super) alias: &'a str,
    pub(super) column: &'a str,
}

impl<'a> Piece<'a> {
    fn token(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| &self.text[token.start..token.end])
    }

    fn part(self, from: usize, to: usize) -> Self {
        Self { tokens: &self.tokens[from..to], ..self }
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(super) fn sql(&self) -> &'a str {
        match (self.tokens.first(), self.tokens.last()) {
            (Some(first), Some(last)) => &self.text[first.start..last.end],
            _ => "",
        }
    }

    /// Places of tokens outside of all parentheses.
    fn outermost(self) -> impl Iterator<Item = usize> {
        let mut depth = 0_usize;
        (0..self.tokens.len()).filter(move |at| match self.token(*at) {
            "(" | "[" => {
                depth += 1;
                false
            }
            ")" | "]" => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
    }

    /// Without the parentheses around it.
    pub(super) fn unwrapped(self) -> Self {
        let mut piece = self;
        while piece.tokens.len() >= 2
            && piece.token(0) == "("
            && piece.closing(0) == Some(piece.tokens.len() - 1)
        {
            piece = piece.part(1, piece.tokens.len() - 1);
        }
        piece
    }

    fn closing(self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (open..self.tokens.len()).find(|at| {
            match self.token(*at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
    }

    fn split(self, at: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut from = 0;
        for place in self.outermost() {
            if self.token(place) == at {
                parts.push(self.part(from, place));
                from = place + 1;
            }
        }
        parts.push(self.part(from, self.tokens.len()));
        parts
    }

    /// The conditions that all hold.
    pub(super) fn conjuncts(self) -> Vec<Self> {
        let bare = self.unwrapped();
        let parts = bare.split("AND");
        match parts.len() {
            1 => vec![bare],
            _ => parts.into_iter().flat_map(Self::conjuncts).collect(),
        }
    }

    /// The keys of a list.
    pub(super) fn list(self) -> Vec<Self> {
        self.split(",").into_iter().filter(|part| !part.is_empty()).collect()
    }

    /// What is compared, how, and with what.
    pub(super) fn comparison(self) -> Option<(Self, &'a str, Self)> {
        let mut operators =
            self.outermost().filter(|at| self.kind(*at) == Some(Kind::Operator) && self.token(*at) != "::");
        let (at, None) = (operators.next()?, operators.next()) else { return None };
        let is_other = |place: usize| matches!(self.token(place), "OR" | "IS" | "NOT");
        if self.outermost().any(is_other) || at == 0 {
            return None;
        }
        Some((self.part(0, at), self.token(at), self.part(at + 1, self.tokens.len())))
    }

    /// What is asked whether it is NULL, and whether the answer is to be yes.
    pub(super) fn null_test(self) -> Option<(Self, bool)> {
        let (words, is_null) = match self.tokens.len().checked_sub(2)? {
            last if self.token(last) == "IS" && self.token(last + 1) == "NULL" => (2, true),
            last if last > 0 && self.token(last - 1) == "IS" && self.token(last) == "NOT" => (3, false),
            _ => return None,
        };
        let what = self.part(0, self.tokens.len() - words);
        (self.token(self.tokens.len() - 1) == "NULL" && what.outermost().count() <= 3)
            .then_some((what, is_null))
    }

    /// What isn't to be true.
    pub(super) fn negated(self) -> Option<Self> {
        (self.token(0) == "NOT").then(|| self.part(1, self.tokens.len()))
    }

    /// Whether it begins with this word.
    pub(super) fn begins_with(&self, word: &str) -> bool {
        self.token(0) == word
    }

    /// Without these words at its end.
    pub(super) fn without_suffix(self, words: &[&str]) -> Option<Self> {
        let from = self.tokens.len().checked_sub(words.len())?;
        let ends = words.iter().enumerate().all(|(at, word)| self.token(from + at) == *word);
        ends.then(|| self.part(0, from))
    }

    /// The text of the string that it is, such as `'abc%'::text`.
    pub(super) fn string(self) -> Option<&'a str> {
        let bare = self.unwrapped();
        (bare.kind(0) == Some(Kind::String)).then(|| bare.token(0).trim_matches('\''))
    }

    /// Literals in it.
    pub(super) fn literals(self) -> impl Iterator<Item = &'a str> {
        let is_literal = move |at: &usize| matches!(self.kind(*at), Some(Kind::String | Kind::Number));
        (0..self.tokens.len()).filter(is_literal).map(move |at| self.token(at))
    }

    /// The columns that it names.
    pub(super) fn references(self) -> Vec<Reference<'a>> {
        (0..self.tokens.len()).filter_map(|at| self.reference(at)).collect()
    }

    fn reference(&self, at: usize) -> Option<Reference<'a>> {
        let is_name = |at: usize| matches!(self.kind(at), Some(Kind::Word | Kind::Quoted));
        let behind = at.checked_sub(1).map_or("", |before| self.token(before));
        let is_one = is_name(at) && self.token(at + 1) == "." && is_name(at + 2);
        let is_column = !matches!(self.token(at + 3), "(" | ".") && !matches!(behind, "." | "::" | "COLLATE");
        (is_one && is_column).then(|| Reference { alias: self.token(at), column: self.token(at + 2) })
    }

    /// The column that it is, with or without parentheses.
    pub(super) fn column(self) -> Option<Reference<'a>> {
        let bare = self.unwrapped();
        (bare.tokens.len() == 3).then(|| bare.reference(0)).flatten()
    }

    /// The column that is cast, and to what: `(o.email)::text`.
    pub(super) fn cast_column(self) -> Option<(Reference<'a>, &'a str)> {
        let bare = self.unwrapped();
        let at = bare.outermost().find(|at| bare.token(*at) == "::")?;
        Some((bare.part(0, at).column()?, bare.part(at + 1, bare.tokens.len()).sql()))
    }

    /// The expression as an index of the relation writes it: without the alias.
    pub(super) fn without_alias(self) -> String {
        let mut written = String::new();
        let mut end = self.tokens.first().map_or(0, |token| token.start);
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            written.push_str(&self.text[end..token.start]);
            match self.reference(at) {
                Some(reference) => {
                    written.push_str(reference.column);
                    at += 3;
                }
                None => {
                    written.push_str(self.token(at));
                    at += 1;
                }
            }
            end = self.tokens[at - 1].end;
        }
        written
    }

    /// What stands in the parentheses of a call.
    pub(super) fn arguments(self) -> Self {
        self.part(2.min(self.tokens.len()), self.tokens.len().saturating_sub(1).max(2.min(self.tokens.len())))
    }

    /// Whether it is a call and nothing else, which an index takes without parentheses.
    pub(super) fn is_call(self) -> bool {
        self.kind(0) == Some(Kind::Word)
            && self.token(1) == "("
            && self.closing(1) == Some(self.tokens.len() - 1)
    }
}

/// A name as `pg_class` has it: without its quotes.
pub(super) fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(name) => name.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

/// The constants that a query's own text has, parameters not among them.
pub(super) struct Constants {
    /// `column = literal`, the column in lower case.
    equal: Vec<(String, String)>,
    /// `column = $1`.
    parameters: Vec<String>,
    /// All literals.
    literals: Vec<String>,
}

impl Constants {
    pub(super) fn of(sql: &str) -> Self {
        let text = Text::new(sql);
        let piece = text.whole();
        let mut found = Self { equal: Vec::new(), parameters: Vec::new(), literals: Vec::new() };
        found.literals = piece.literals().map(literal).collect();
        for at in 1..text.tokens.len().saturating_sub(1) {
            if piece.token(at) != "=" {
                continue;
            }
            for (name, value) in [(at - 1, at + 1), (at + 1, at - 1)] {
                let column = unquoted(piece.token(name)).to_lowercase();
                match piece.kind(value) {
                    Some(Kind::String | Kind::Number) => {
                        found.equal.push((column, literal(piece.token(value))));
                    }
                    Some(Kind::Parameter) => found.parameters.push(column),
                    _ => {}
                }
            }
        }
        found
    }

    /// Whether the text compares this column with this literal.
    pub(super) fn compares(&self, column: &str, value: Piece) -> bool {
        let column = unquoted(column).to_lowercase();
        let mut values = value.literals().map(literal);
        values.next().is_some_and(|value| {
            self.equal.iter().any(|(known, constant)| *known == column && *constant == value)
        })
    }

    /// Whether a parameter is compared with this column.
    pub(super) fn has_parameter_for(&self, column: &str) -> bool {
        self.parameters.contains(&unquoted(column).to_lowercase())
    }

    /// Whether all literals of an expression are the text's own.
    pub(super) fn hold(&self, expression: Piece) -> bool {
        expression.literals().all(|one| self.literals.contains(&literal(one)))
    }
}

/// A literal without its quotes: EXPLAIN has them where a query hasn't, and the other way round.
fn literal(token: &str) -> String {
    token.trim_matches('\'').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conjuncts(text: &str) -> Vec<String> {
        let text = Text::new(text);
        text.whole().conjuncts().iter().map(|one| one.sql().to_owned()).collect()
    }

    #[test]
    fn conditions_are_taken_apart() {
        assert_eq!(
            conjuncts("((o.a = 1) AND ((o.b)::text = 'x AND y'::text) AND (o.c IS NULL))"),
            ["o.a = 1", "(o.b)::text = 'x AND y'::text", "o.c IS NULL"]
        );
        assert_eq!(conjuncts("((o.a = 1) OR (o.b = 2))"), ["(o.a = 1) OR (o.b = 2)"]);
    }

    #[test]
    fn comparisons_have_one_operator() {
        let text = Text::new("(o.b)::text = 'x'::text");
        let (left, operator, right) = text.whole().comparison().unwrap();
        assert_eq!((left.sql(), operator, right.string()), ("(o.b)::text", "=", Some("x")));
        assert_eq!(left.cast_column().unwrap(), (Reference { alias: "o", column: "b" }, "text"));
        for none in ["(o.a = 1) OR (o.b = 2)", "o.a", "NOT o.a = 1", "o.a + 1 > 2"] {
            assert!(Text::new(none).whole().comparison().is_none(), "{none}");
        }
    }

    #[test]
    fn references_are_columns_alone() {
        let text = Text::new("lower((o.\"E mail\")::public.citext) || shop.f(o.x)");
        let columns: Vec<&str> = text.whole().references().iter().map(|one| one.column).collect();
        assert_eq!(columns, ["\"E mail\"", "x"]);
        assert_eq!(Text::new("lower(o.email)").whole().without_alias(), "lower(email)");
        assert!(Text::new("lower(o.email)").whole().is_call());
        assert!(!Text::new("lower(o.a) || lower(o.b)").whole().is_call());
    }

    #[test]
    fn null_tests_are_told_apart() {
        let asked = |text: &str| {
            let text = Text::new(text);
            text.whole().null_test().map(|(what, is_null)| (what.sql().to_owned(), is_null))
        };
        assert_eq!(asked("o.a IS NULL"), Some(("o.a".into(), true)));
        assert_eq!(asked("o.a IS NOT NULL"), Some(("o.a".into(), false)));
        assert_eq!(asked("o.a = 1"), None);
    }

    #[test]
    fn constants_are_those_of_the_text() {
        let constants = Constants::of("select * from t where status = 'open' and kind = $1 and 5 = n");
        let value = Text::new("'open'::text");
        assert!(constants.compares("status", value.whole()));
        assert!(!constants.compares("kind", value.whole()));
        assert!(constants.compares("n", Text::new("5").whole()));
        assert!(constants.has_parameter_for("kind") && !constants.has_parameter_for("status"));
    }
}
