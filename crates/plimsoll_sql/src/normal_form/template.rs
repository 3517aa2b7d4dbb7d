//! Statements that differ from one that was read before in plain numbers and strings alone, or in how many of them a list
//! or rows hold. Programs that write values into their statements send thousands of them: reading them anew would cost
//! ten times as much.

use std::ops::Range;

use super::{NormalForm, Rows, ValuePlace};

/// A statement as a pattern for others.
#[derive(Clone, Debug, Default)]
pub struct Template {
    text: String,
    places: Vec<Place>,
    rows: Option<Rows>,
}

/// A value, or a list of them.
#[derive(Clone, Debug)]
struct Place {
    range: Range<usize>,
    number: usize,
    content: Content,
}

/// What may stand in a value's place without changing how the rest is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Digits, with a dot among them or without, behind this many bytes of sign.
    Number { sign: usize },
    /// A string in plain quotes that holds neither quotes nor backslashes.
    Quoted,
    /// A list of both, however long.
    List,
    /// Nothing but what stands there.
    Itself,
}

impl Content {
    fn of(value: &str) -> Self {
        let sign = usize::from(value.starts_with('-'));
        let plain = match value.as_bytes().first() {
            Some(b'\'') => Self::Quoted,
            _ => Self::Number { sign },
        };
        if plain.length(value.as_bytes()) == Some(value.len()) { plain } else { Self::Itself }
    }

    /// How long the value is that a text begins with; `None` if it has no such value there.
    fn length(self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Number { sign } => {
                let digits = if sign == 0 { text } else { text.strip_prefix(b"-")? };
                Some(sign + length_of_number(digits)?)
            }
            Self::Quoted => {
                let inside = text.strip_prefix(b"'")?;
                let end = memchr::memchr2(b'\'', b'\\', inside)?;
                (inside[end] == b'\'').then_some(end + 2)
            }
            Self::List | Self::Itself => None,
        }
    }
}

fn length_of_number(text: &[u8]) -> Option<usize> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(text);
    if whole == 0 {
        return None;
    }
    let fraction = text[whole..].strip_prefix(b".").map_or(0, digits);
    Some(if fraction == 0 { whole } else { whole + 1 + fraction })
}

impl Template {
    /// From a statement and its normal form.
    #[must_use]
    pub fn new(statement: &str, form: &NormalForm) -> Self {
        let template = Self::with_rows(statement, form, form.rows.clone());
        // Rows that hold more than plain values aren't as the first one.
        let fits = template.rows.is_none() || template.fits(statement, &mut Vec::new());
        if fits { template } else { Self::with_rows(statement, form, None) }
    }

    fn with_rows(statement: &str, form: &NormalForm, rows: Option<Rows>) -> Self {
        let mut places: Vec<Place> = Vec::new();
        let mut lists = form.lists.iter().peekable();
        let mut at = 0;
        while let Some(value) = form.values.get(at) {
            if let Some(rows) = rows.as_ref().filter(|rows| rows.values.contains(&at)) {
                // They are matched as the first row is.
                at = rows.values.end;
                continue;
            }
            let list = lists.next_if(|list| list.start == at);
            let plain = |value: &ValuePlace| Content::of(&statement[value.range.clone()]) != Content::Itself;
            match list {
                Some(list) if is_plain_list(statement, &form.values[list.clone()], plain) => {
                    let range = value.range.start..form.values[list.end - 1].range.end;
                    places.push(Place { range, number: value.number, content: Content::List });
                    at = list.end;
                }
                _ => {
                    let content = Content::of(&statement[value.range.clone()]);
                    places.push(Place { range: value.range.clone(), number: value.number, content });
                    at += 1;
                }
            }
        }
        Self { text: statement.to_owned(), places, rows }
    }

    /// Whether another statement has the same normal form because nothing but such values differs. Its values' places
    /// are put into `places` then. It may have that form where this isn't seen.
    pub fn fits(&self, statement: &str, places: &mut Vec<ValuePlace>) -> bool {
        places.clear();
        let mut other = Other { bytes: statement.as_bytes(), at: 0, places };
        let own = self.text.as_bytes();
        let Some(rows) = &self.rows else {
            return self.matches(0..own.len(), &self.places, Numbered::AsOwn, &mut other)
                && other.at == statement.len();
        };
        let before = |end: usize| self.places.partition_point(|place| place.range.start < end);
        let (row, behind) = (before(rows.first.start), before(rows.first.end));
        self.matches(0..rows.first.end, &self.places[..behind], Numbered::AsOwn, &mut other)
            && self.match_rows(rows, &self.places[row..behind], &mut other)
            && self.matches(rows.end..own.len(), &self.places[behind..], Numbered::AsOwn, &mut other)
            && other.at == statement.len()
    }

    /// Rows that are as the first one.
    fn match_rows(&self, rows: &Rows, row: &[Place], other: &mut Other<'_>) -> bool {
        while other.takes_comma_before(b'(') {
            if !self.matches(rows.first.clone(), row, Numbered::Folded, other) {
                return false;
            }
        }
        true
    }

    /// Whether the other statement goes on as this one does between two of its bytes.
    fn matches(
        &self,
        own: Range<usize>,
        places: &[Place],
        numbered: Numbered,
        other: &mut Other<'_>,
    ) -> bool {
        let bytes = self.text.as_bytes();
        let mut own_at = own.start;
        for Place { range, number, content } in places {
            let number = if numbered == Numbered::AsOwn { *number } else { 0 };
            if *content == Content::Itself {
                // Compared with what follows it.
                let start = other.at + (range.start - own_at);
                other.places.push(ValuePlace { range: start..start + range.len(), number });
                continue;
            }
            if !other.takes(&bytes[own_at..range.start]) || !other.takes_value(*content, number) {
                return false;
            }
            own_at = range.end;
        }
        other.takes(&bytes[own_at..own.end])
    }
}

/// What the values of a stretch are numbered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbered {
    AsOwn,
    Folded,
}

/// Whether nothing but commas and blanks stands between plain values.
fn is_plain_list(statement: &str, values: &[ValuePlace], plain: impl Fn(&ValuePlace) -> bool) -> bool {
    let between = |pair: &[ValuePlace]| {
        let between = &statement[pair[0].range.end..pair[1].range.start];
        between.bytes().all(|byte| byte == b',' || is_blank(byte))
    };
    values.iter().all(plain) && values.windows(2).all(between)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The statement that is held to a template.
struct Other<'a> {
    bytes: &'a [u8],
    at: usize,
    places: &'a mut Vec<ValuePlace>,
}

impl Other<'_> {
    fn takes(&mut self, text: &[u8]) -> bool {
        let same = self.bytes[self.at..].starts_with(text);
        self.at += if same { text.len() } else { 0 };
        same
    }

    fn takes_value(&mut self, content: Content, number: usize) -> bool {
        if content == Content::List {
            return self.takes_list(number);
        }
        let Some(length) = content.length(&self.bytes[self.at..]) else { return false };
        self.places.push(ValuePlace { range: self.at..self.at + length, number });
        self.at += length;
        true
    }

    fn takes_list(&mut self, number: usize) -> bool {
        let mut number = number;
        loop {
            let content = match self.bytes.get(self.at) {
                Some(b'\'') => Content::Quoted,
                Some(b'-') => Content::Number { sign: 1 },
                _ => Content::Number { sign: 0 },
            };
            if !self.takes_value(content, number) {
                return false;
            }
            number = 0;
            let Some(next) = self.behind_comma() else { return true };
            self.at = next;
        }
    }

    fn takes_comma_before(&mut self, byte: u8) -> bool {
        let next = self.behind_comma().filter(|next| self.bytes.get(*next) == Some(&byte));
        self.at = next.unwrap_or(self.at);
        next.is_some()
    }

    /// What follows a comma and blanks, if a comma is next.
    fn behind_comma(&self) -> Option<usize> {
        let comma = self.behind_blanks(self.at);
        (self.bytes.get(comma) == Some(&b',')).then(|| self.behind_blanks(comma + 1))
    }

    fn behind_blanks(&self, from: usize) -> usize {
        let mut at = from;
        while self.bytes.get(at).is_some_and(|byte| is_blank(*byte)) {
            at += 1;
        }
        at
    }
}

/// The text of a statement up to where its first literal may begin: what statements that fit one template share.
#[must_use]
pub fn before_literals(statement: &str) -> &str {
    let bytes = statement.as_bytes();
    let end = first_literal(bytes);
    // A sign belongs to its number.
    statement[..end].strip_suffix('-').unwrap_or(&statement[..end])
}

/// Where a quote stands, or a digit that no word goes on with.
fn first_literal(bytes: &[u8]) -> usize {
    let begins = |at: usize| match bytes[at] {
        b'\'' => true,
        b'0'..=b'9' => {
            let of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
            at == 0 || !of_word(bytes[at - 1])
        }
        _ => false,
    };
    let (eights, rest) = bytes.as_chunks::<8>();
    for (eight, chunk) in eights.iter().enumerate() {
        let mut candidates = quotes_and_digits(u64::from_le_bytes(*chunk));
        while candidates != 0 {
            let at = eight * 8 + candidates.trailing_zeros() as usize / 8;
            if begins(at) {
                return at;
            }
            candidates &= candidates - 1;
        }
    }
    let from = bytes.len() - rest.len();
    (from..bytes.len()).find(|at| begins(*at)).unwrap_or(bytes.len())
}

/// The highest bit of each of eight bytes that is a quote, a digit or one of `:;<=>?`.
fn quotes_and_digits(eight: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // 0x30 to 0x3f differ from 0x30 in no high bit; 0x10 less what is left of the others has no bit 0x10.
    let other_high_bits = ((eight ^ (EACH * 0x30)) >> 4) & (EACH * 0x0f);
    let digits = (EACH * 0x10 - other_high_bits) & (EACH * 0x10);
    let difference = eight ^ (EACH * u64::from(b'\''));
    let quotes = !(((difference & (EACH * 0x7f)) + EACH * 0x7f) | difference | (EACH * 0x7f));
    (digits << 3) | quotes
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
    fn lists_and_rows_may_be_longer_or_shorter() {
        let list =
            places("select 1 where a in (1, -2,'x') and b", "select 2.5 where a in ('y' , 3) and b").unwrap();
        let numbers: Vec<usize> = list.iter().map(|place| place.number).collect();
        assert_eq!(numbers, [1, 2, 0]);
        let rows = places("values (1, f('x')), (2, f('y'))", "values (3, f('z')),(4, f('z')) , (5, f('z'))")
            .unwrap();
        let numbers: Vec<usize> = rows.iter().map(|place| place.number).collect();
        assert_eq!(numbers, [1, 2, 0, 0, 0, 0]);
        assert!(places("values (1), (2) union values (3)", "values (1) union values (3), (4)").is_none());
        assert!(places("values ($1), ($2)", "values ($1), ($2)").is_some());
        assert!(places("select array[1]", "select array[1, 2]").is_some());
        assert!(places("select array[1]", "select array[1, 2 3]").is_none());
    }

    #[test]
    fn what_may_be_read_otherwise_does_not_fit() {
        for (first, second) in [
            ("SELECT 1", "SELECT 1."),
            ("SELECT 1", "SELECT 1.5e3"),
            ("SELECT a ORDER BY 1", "SELECT a ORDER BY 2"),
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
            pieces in proptest::collection::vec("[a-z(,)=+.:; \n'E-]{0,4}|in \\(|values \\(|\\), ?\\(|\\)|, |--|/\\*|::int|is not |array\\[|\\]|order by |date |cast\\(|set a = ", 1..10),
            first in proptest::collection::vec("[0-9]{1,3}|'[a-z]{0,2}'|-[0-9]|[0-9]\\.[0-9]|null|'''|\\$1", 10),
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
