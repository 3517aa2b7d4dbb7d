//! Words that change how what stands behind them is read. A statement is mostly words, so that asking must be quick: a
//! table by a word's ends and length, of which most words meet an empty place.

/// What a word is to what follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Word {
    /// A name, or a keyword that changes nothing.
    #[default]
    Name,
    /// A keyword behind which a sign belongs to its number, and a parenthesis opens no call.
    Keyword,
    /// NULL, TRUE or FALSE.
    Value,
    In,
    Array,
    Values,
    /// ORDER or GROUP.
    Order,
    By,
    Is,
    Not,
    Cast,
    /// A type that a string may be written behind.
    Type,
}

const KEYWORDS: [&str; 39] = [
    "all",
    "and",
    "any",
    "as",
    "between",
    "case",
    "check",
    "conflict",
    "cross",
    "default",
    "distinct",
    "do",
    "else",
    "except",
    "exists",
    "filter",
    "for",
    "from",
    "full",
    "having",
    "ilike",
    "inner",
    "intersect",
    "into",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "offset",
    "on",
    "or",
    "over",
    "returning",
    "select",
    "set",
    "some",
    "then",
    "union",
];

const OTHERS: [(&str, Word); 36] = [
    ("using", Word::Keyword),
    ("when", Word::Keyword),
    ("where", Word::Keyword),
    ("null", Word::Value),
    ("true", Word::Value),
    ("false", Word::Value),
    ("in", Word::In),
    ("array", Word::Array),
    ("values", Word::Values),
    ("order", Word::Order),
    ("group", Word::Order),
    ("by", Word::By),
    ("is", Word::Is),
    ("not", Word::Not),
    ("cast", Word::Cast),
    ("date", Word::Type),
    ("time", Word::Type),
    ("timestamp", Word::Type),
    ("timestamptz", Word::Type),
    ("interval", Word::Type),
    ("json", Word::Type),
    ("jsonb", Word::Type),
    ("uuid", Word::Type),
    ("inet", Word::Type),
    ("numeric", Word::Type),
    ("decimal", Word::Type),
    ("int", Word::Type),
    ("integer", Word::Type),
    ("int4", Word::Type),
    ("int8", Word::Type),
    ("bigint", Word::Type),
    ("text", Word::Type),
    ("bool", Word::Type),
    ("boolean", Word::Type),
    ("bytea", Word::Type),
    ("regclass", Word::Type),
];

const PLACES: usize = 512;

const fn place(first: u8, last: u8, length: usize) -> usize {
    let ends = (first | 0x20) as usize * 31 + (last | 0x20) as usize * 7;
    (ends + length * 61) % PLACES
}

const TABLE: [(&str, Word); PLACES] = {
    let mut table = [("", Word::Name); PLACES];
    let mut at = 0;
    while at < KEYWORDS.len() + OTHERS.len() {
        let entry =
            if at < KEYWORDS.len() { (KEYWORDS[at], Word::Keyword) } else { OTHERS[at - KEYWORDS.len()] };
        let bytes = entry.0.as_bytes();
        let mut free = place(bytes[0], bytes[bytes.len() - 1], bytes.len());
        while !table[free].0.is_empty() {
            free = (free + 1) % PLACES;
        }
        table[free] = entry;
        at += 1;
    }
    table
};

impl Word {
    /// What a word is, in any case.
    pub(super) fn of(word: &str) -> Self {
        let [first, .., last] = word.as_bytes() else { return Self::Name };
        let mut at = place(*first, *last, word.len());
        loop {
            let (known, what) = TABLE[at];
            if known.is_empty() {
                return Self::Name;
            }
            if known.eq_ignore_ascii_case(word) {
                return what;
            }
            at = (at + 1) % PLACES;
        }
    }
}

/// The name that a type of several names is told by.
pub(super) fn one_name(name: &str) -> Option<&'static str> {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    match name.len() {
        3 => is("int").then_some("integer"),
        4 if is("int4") => Some("integer"),
        4 if is("int8") => Some("bigint"),
        4 if is("int2") => Some("smallint"),
        4 if is("bool") => Some("boolean"),
        7 => is("decimal").then_some("numeric"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_in_any_case() {
        for (word, what) in KEYWORDS.map(|word| (word, Word::Keyword)).into_iter().chain(OTHERS) {
            assert_eq!((Word::of(word), Word::of(&word.to_uppercase())), (what, what), "{word}");
        }
        for name in ["", "a", "selects", "élan", "int_"] {
            assert_eq!(Word::of(name), Word::Name, "{name}");
        }
    }
}
