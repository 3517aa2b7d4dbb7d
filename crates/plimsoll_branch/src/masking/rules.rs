//! Rules: which columns they match, and what they do to them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

/// A rule of `[masking]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it is written: `plimsoll.toml:4:1`.
    pub place: String,
    /// Which columns it is for.
    pub matches: Matches,
    /// What it does.
    pub how: How,
}

/// Which columns a rule is for: those that match all that is given. `*` stands for any characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// `schema.table.column` or `table.column`.
    pub column: Option<String>,
    /// A type's name, as SQL writes it, without a length.
    pub data_type: Option<String>,
    /// The column's name.
    pub name: Option<String>,
}

impl fmt::Display for Matches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = [("column", &self.column), ("name", &self.name), ("type", &self.data_type)];
        let mut texts = given.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?)));
        if let Some((key, text)) = texts.next() {
            write!(formatter, "{key} = {text:?}")?;
        }
        texts.try_for_each(|(key, text)| write!(formatter, ", {key} = {text:?}"))
    }
}

/// What a rule does to a value. Without a value (NULL) there is nothing to hide: it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing: the column isn't personal.
    Keep,
    /// No value.
    Null,
    /// The same value everywhere.
    Fixed(String),
    /// A value that depends on the key and the original, and on nothing else.
    Hash,
    /// As above, with the original's shape.
    Fake,
    /// The value of another row.
    Shuffle,
    /// A date some days earlier or later.
    DateShift {
        /// The most days.
        days: u16,
        /// Rows with the same value in this column are shifted alike.
        by: Option<String>,
    },
}

/// A rule's text that isn't one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRule(pub String);

impl How {
    /// Every word, in the order of the documentation.
    pub const WORDS: [&str; 7] = ["keep", "null", "fixed", "hash", "fake", "shuffle", "date-shift"];

    /// As it is written.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Null => "null",
            Self::Fixed(_) => "fixed",
            Self::Hash => "hash",
            Self::Fake => "fake",
            Self::Shuffle => "shuffle",
            Self::DateShift { .. } => "date-shift",
        }
    }
}

impl Matches {
    /// Checks patterns.
    ///
    /// # Errors
    /// When nothing is given, or the column has other than two or three parts.
    pub fn check(&self) -> Result<(), BadRule> {
        if self.column.is_none() && self.data_type.is_none() && self.name.is_none() {
            return Err(BadRule("a rule needs a column, a name or a type".to_owned()));
        }
        let Some(column) = &self.column else { return Ok(()) };
        let parts = parts(column);
        if !(2..=3).contains(&parts.len()) || parts.iter().any(String::is_empty) {
            let why =
                format!("`{column}` is no column: write schema.table.column, with * for any characters");
            return Err(BadRule(why));
        }
        Ok(())
    }

    /// How exactly a column is meant by this, the higher the more; none if it isn't.
    pub(super) fn rank(&self, schema: &str, table: &str, column: &str, types: &[String]) -> Option<u32> {
        let mut rank = 0;
        if let Some(pattern) = &self.column {
            let parts = parts(pattern);
            let names = if parts.len() == 2 { vec![table, column] } else { vec![schema, table, column] };
            if !parts.iter().zip(&names).all(|(part, name)| matches(part, name)) {
                return None;
            }
            // Each part that is named outright counts.
            rank += 100 + 10 * u32::try_from(parts.iter().filter(|part| !part.contains('*')).count()).ok()?;
        }
        if let Some(pattern) = &self.name {
            if !matches(&pattern.to_lowercase(), &column.to_lowercase()) {
                return None;
            }
            rank += if pattern.contains('*') { 4 } else { 6 };
        }
        if let Some(pattern) = &self.data_type {
            let pattern = pattern.to_lowercase();
            if !types.contains(&pattern) {
                return None;
            }
            rank += 2;
        }
        Some(rank)
    }
}

/// The rule that is for a column: the most exact, of equals the later.
pub(super) fn chosen<'a>(
    rules: &'a [Rule],
    schema: &str,
    table: &str,
    column: &str,
    types: &[String],
) -> Option<&'a Rule> {
    let ranked =
        rules.iter().filter_map(|rule| Some((rule.matches.rank(schema, table, column, types)?, rule)));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, rule)| rule)
}

/// A name may be in double quotes, where it has a dot.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(letter)),
        }
    }
    parts
}

/// Whether a text fits a pattern, where `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    let mut rest = rest;
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A secret that masked values depend on.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

/// As few letters as a secret may have.
const LEAST_KEY: usize = 16;

impl Key {
    /// Takes a secret.
    ///
    /// # Errors
    /// When it could be guessed by its length.
    pub fn new(text: &str) -> Result<Self, BadRule> {
        if text.len() < LEAST_KEY {
            return Err(BadRule(format!("a key has {LEAST_KEY} characters at least")));
        }
        Ok(Self(text.to_owned()))
    }

    /// Draws one.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }

    /// Its bytes as hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        self.0.bytes().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(place: &str, column: Option<&str>, name: Option<&str>, data_type: Option<&str>) -> Rule {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        let matches = Matches { column: owned(column), name: owned(name), data_type: owned(data_type) };
        Rule { place: place.to_owned(), matches, how: How::Hash }
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, text, expected) in [
            ("*phone*", "home_phone_2", true),
            ("phone*", "home_phone", false),
            ("*phone", "phones", false),
            ("a*b*a", "aba", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("email", "email", true),
            ("email", "emails", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_most_exact_rule_counts_and_of_equals_the_later() {
        let rules = [
            rule("type", None, None, Some("text")),
            rule("name", None, Some("*mail*"), None),
            rule("later name", None, Some("e*"), None),
            rule("any table", Some("*.email"), None, None),
            rule("table", Some("public.users.*"), None, None),
            rule("column", Some("public.users.email"), None, None),
        ];
        let check = |table: &str, column: &str, expected: Option<&str>| {
            let found = chosen(&rules, "public", table, column, &["text".to_owned()]);
            assert_eq!(found.map(|rule| rule.place.as_str()), expected, "{table}.{column}");
        };
        check("users", "email", Some("column"));
        check("users", "name", Some("table"));
        check("orders", "email", Some("any table"));
        check("orders", "mail_from", Some("name"));
        check("orders", "e_mail", Some("later name"));
        check("orders", "city", Some("type"));
        assert_eq!(chosen(&rules, "public", "orders", "city", &["integer".to_owned()]), None);
    }

    #[test]
    fn what_names_no_column_is_refused() {
        for (column, good) in [
            ("users.email", true),
            ("\"a.b\".c", true),
            ("email", false),
            ("a.b.c.d", false),
            ("a..b", false),
        ] {
            let checked = rule("", Some(column), None, None).matches.check();
            assert_eq!(checked.is_ok(), good, "{column}");
        }
        assert!(Matches::default().check().is_err());
    }

    #[test]
    fn a_key_is_shown_nowhere() {
        let key = Key::new("a secret of ours").unwrap();
        assert_eq!(format!("{key:?}"), "Key(…)");
        assert!(Key::new("short").is_err());
        assert_ne!(Key::random().unwrap(), Key::random().unwrap());
    }
}
