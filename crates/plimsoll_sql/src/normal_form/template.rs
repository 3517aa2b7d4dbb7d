//! Statements that differ from one that was read before in plain numbers and strings alone. Programs that write values
//! into their statements send thousands of them: reading them anew would cost ten times as much.

use super::{NormalForm, ValuePlace};

/// A statement as a pattern for others.
#[derive(Clone, Debug, Default)]
pub struct Template {
    text: String,
    values: Vec<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    value: ValuePlace,
    content: Content,
}

/// What may stand in a value's place without changing how the rest is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Digits alone, behind this many bytes of sign.
    Digits { sign: usize },
    /// A string in plain quotes that holds neither quotes nor backslashes.
    Quoted,
    /// Nothing but what stands there.
    Itself,
}

impl Content {
    fn of(value: &str) -> Self {
        let digits = value.strip_prefix('-').unwrap_or(value);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::Digits { sign: value.len() - digits.len() };
        }
        let inside = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        match inside {
            Some(inside) if !inside.contains(['\'', '\\']) => Self::Quoted,
            _ => Self::Itself,
        }
    }

    /// How long the value is that the rest of another statement begins with; `None` if it has no such value there.
    fn length(self, own: &[u8], rest: &[u8]) -> Option<usize> {
        match self {
            Self::Digits { sign } => {
                let digits = rest.strip_prefix(&own[..sign])?;
                let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (count > 0).then_some(sign + count)
            }
            Self::Quoted => {
                let inside = rest.strip_prefix(b"'")?;
                let end = memchr::memchr2(b'\'', b'\\', inside)?;
                (inside[end] == b'\'').then_some(end + 2)
            }
            Self::Itself => rest.starts_with(own).then_some(own.len()),
        }
    }
}

impl Template {
    /// From a statement and its normal form.
    #[must_use]
    pub fn new(statement: &str, form: &NormalForm) -> Self {
        let place = |value: &ValuePlace| {
            let content = Content::of(&statement[value.range.clone()]);
            Place { value: value.clone(), content }
        };
        Self { text: statement.to_owned(), values: form.values().iter().map(place).collect() }
    }

    /// Whether another statement has the same normal form because nothing but such values differs. Its values' places
    /// are put into `places` then. It may have that form where this isn't seen.
    pub fn fits(&self, statement: &str, places: &mut Vec<ValuePlace>) -> bool {
        places.clear();
        let (own, other) = (self.text.as_bytes(), statement.as_bytes());
        let (mut own_at, mut at) = (0, 0);
        for Place { value: ValuePlace { range, number }, content } in &self.values {
            let between = &own[own_at..range.start];
            if !other[at..].starts_with(between) {
                return false;
            }
            at += between.len();
            let Some(length) = content.length(&own[range.clone()], &other[at..]) else { return false };
            places.push(ValuePlace { range: at..at + length, number: *number });
            at += length;
            own_at = range.end;
        }
        other[at..] == own[own_at..]
    }
}

/// The text of a statement up to where its first literal may begin: what statements that fit one template share.
#[must_use]
pub fn before_literals(statement: &str) -> &str {
    let mut of_word = false;
    let starts_literal = |byte: u8| {
        let starts = byte == b'\'' || (byte.is_ascii_digit() && !of_word);
        of_word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
        starts
    };
    let end = statement.bytes().position(starts_literal).unwrap_or(statement.len());
    // A sign belongs to its number.
    statement[..end].strip_suffix('-').unwrap_or(&statement[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(first: &str, second: &str) -> Option<Vec<ValuePlace>> {
        let mut form = NormalForm::default();
        form.of(first);
        let mut places = Vec::new();
        Template::new(first, &form).fits(second, &mut places).then_some(places)
    }

    #[test]
    fn numbers_and_strings_may_differ() {
        let first = "SELECT a1 FROM t WHERE id = 5 AND name = 'x' LIMIT -1";
        let places = places(first, "SELECT a1 FROM t WHERE id = 12345 AND name = '' LIMIT -77").unwrap();
        let numbered: Vec<(usize, usize)> =
            places.iter().map(|place| (place.range.start, place.number)).collect();
        assert_eq!(numbered, [(28, 1), (45, 2), (54, 3)]);
    }

    #[test]
    fn what_may_be_read_otherwise_does_not_fit() {
        for (first, second) in [
            ("SELECT 1", "SELECT 1.5"),
            ("SELECT 1", "SELECT 1 + 2"),
            ("SELECT 1", "SELECT -1"),
            ("SELECT 1", "SELECT a"),
            ("SELECT 1", "SELECT "),
            ("SELECT 'a'", "SELECT 'it''s'"),
            ("SELECT 'a'", "SELECT 'a\\'"),
            ("SELECT E'a'", "SELECT E'b'"),
            ("SELECT 'a'", "SELECT 'a"),
            ("SELECT NULL", "SELECT 1"),
            ("SELECT $1", "SELECT $2"),
        ] {
            assert_eq!(places(first, second), None, "{first} and {second}");
        }
        assert!(places("SELECT E'a', $1, NULL", "SELECT E'a', $1, NULL").is_some());
    }

    #[test]
    fn statements_of_one_template_begin_alike() {
        for (statement, expected) in [
            ("SELECT a1, $2 FROM t WHERE é2 = 5", "SELECT a1, $2 FROM t WHERE é2 = "),
            ("SELECT -5", "SELECT "),
            ("SELECT E'x'", "SELECT E"),
            ("SELECT", "SELECT"),
        ] {
            assert_eq!(before_literals(statement), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_fits_has_the_same_form_and_those_values(
            pieces in proptest::collection::vec("[a-z(,)=+.:; \n'E-]{0,4}|in \\(|values \\(|--|/\\*|::int|is not ", 1..8),
            first in proptest::collection::vec("[0-9]{1,3}|'[a-z]{0,2}'|-[0-9]|[0-9]\\.[0-9]|null|'''|\\$1", 8),
            second in proptest::collection::vec("[0-9]{1,3}|'[a-z]{0,2}'|-[0-9]|'\\\\'|null|\\$1", 8),
        ) {
            let with = |values: &[String]| -> String {
                pieces.iter().zip(values).flat_map(|(piece, value)| [piece.as_str(), value]).collect()
            };
            let (first, second) = (with(&first), with(&second));
            if let Some(places) = places(&first, &second) {
                let (mut one, mut other) = (NormalForm::default(), NormalForm::default());
                let same = one.of(&first) == other.of(&second);
                proptest::prop_assert!(same, "{} and {}", first, second);
                proptest::prop_assert_eq!(&places[..], other.values(), "{} and {}", first, second);
                proptest::prop_assert_eq!(before_literals(&first), before_literals(&second));
            }
        }
    }
}
