//! What a type's values are made of.

use std::collections::{HashMap, HashSet};
use std::fmt;

/// What to do with a type's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// They say nothing of anybody.
    Kept,
    Text,
    Bytes,
    Number(Kind),
    Array(Box<Shape>),
    Range(Box<Shape>),
    Unknown,
}

/// Kinds of values that are numbers at heart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Integer,
    Decimal,
    Real,
    Double,
    Date,
    Timestamp,
    Timestamptz,
    Time,
    Uuid,
}

/// Types that aren't built in.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// Names of enum types.
    pub(crate) enums: HashSet<String>,
    /// Range types with the type of their bounds.
    pub(crate) ranges: HashMap<String, String>,
}

impl Types {
    /// By the name that `format_type` gives.
    pub(super) fn shape(&self, name: &str) -> Shape {
        if let Some(element) = name.strip_suffix("[]") {
            return Shape::Array(Box::new(self.shape(element)));
        }
        if let Some(subtype) = self.ranges.get(name) {
            return Shape::Range(Box::new(self.shape(subtype)));
        }
        if self.enums.contains(name) {
            return Shape::Kept;
        }
        let kind = match name {
            "boolean" => return Shape::Kept,
            "text" | "character varying" | "character" | "bpchar" | "name" | "citext" => return Shape::Text,
            "bytea" => return Shape::Bytes,
            "smallint" | "integer" | "bigint" | "oid" => Kind::Integer,
            "numeric" => Kind::Decimal,
            "real" => Kind::Real,
            "double precision" => Kind::Double,
            "date" => Kind::Date,
            "timestamp without time zone" => Kind::Timestamp,
            "timestamp with time zone" => Kind::Timestamptz,
            "time without time zone" => Kind::Time,
            "uuid" => Kind::Uuid,
            other if other.ends_with(".citext") => return Shape::Text,
            _ => return Shape::Unknown,
        };
        Shape::Number(kind)
    }
}

/// A range as the server writes it.
pub(super) struct Range {
    /// Two bounds, an absent one empty; none of an empty range.
    pub(super) bounds: Vec<String>,
    open: char,
    close: char,
}

/// Reads a range whose bounds hold no commas and no brackets.
pub(super) fn range(text: &str) -> Option<Range> {
    if text == "empty" {
        return Some(Range { bounds: Vec::new(), open: '[', close: ')' });
    }
    let open = text.chars().next().filter(|open| "[(".contains(*open))?;
    let close = text.chars().next_back().filter(|close| "])".contains(*close))?;
    let (lower, upper) = text.get(1..text.len() - 1)?.split_once(',')?;
    let bounds = [lower, upper].map(|bound| bound.trim_matches('"').to_owned()).to_vec();
    Some(Range { bounds, open, close })
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lower, upper] = self.bounds.as_slice() else { return formatter.write_str("empty") };
        let quoted =
            |bound: &str| if bound.contains(' ') { format!("\"{bound}\"") } else { bound.to_owned() };
        write!(formatter, "{}{},{}{}", self.open, quoted(lower), quoted(upper), self.close)
    }
}
