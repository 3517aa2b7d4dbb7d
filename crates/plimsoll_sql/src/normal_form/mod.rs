//! A statement's normal form: its text without what differs from call to call. Statements of one normal form are one
//! query, and its 64-bit hash is the query's fingerprint.
//!
//! Literals and parameters become `$1`, `$2`, …; comments and blanks go; unquoted names are in lower case. A list of
//! values after `IN` or `ARRAY` becomes one value, and further rows of `VALUES` that look like the first go. Names that
//! drivers make up (of savepoints, cursors and prepared statements) become values, and so does what a setting is set to.
//! A literal's type is always written behind it. Positions in `ORDER BY` and `GROUP BY` stay: they name columns.
//!
//! The idea is that of PostgreSQL's `pg_stat_statements` (documentation, appendix F); unlike it, a literal and a
//! parameter are the same here, and a list's length never counts. No parse tree is made: one pass over the bytes.

mod commands;
mod folded;
pub mod lexer;
mod prepared;
mod template;
#[cfg(test)]
mod tests;
mod typed;
mod words;
mod writer;

use std::fmt;
use std::ops::Range;

pub use prepared::{executed, prepared};
pub use template::{Template, before_literals};
use writer::Writer;

/// The hash of a statement's normal form (XXH3, 64 bits): the same in every version of this program that doesn't say
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// Where a value stands in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuePlace {
    /// Bytes of the statement.
    pub range: Range<usize>,
    /// The n of the `$n` that stands for it in the normal form; 0 where it was folded away.
    pub number: usize,
}

/// A statement's normal form, and where its values stand. To be reused: [`NormalForm::of`] keeps its room.
#[derive(Debug, Default)]
pub struct NormalForm {
    text: String,
    values: Vec<ValuePlace>,
    /// Whether a list or rows were folded, so that there are more values than `$n`.
    folded: bool,
    /// Which of the values are of one list each that may have any length.
    lists: Vec<Range<usize>>,
    /// The last rows of which there may be any number.
    rows: Option<Rows>,
}

/// Rows of `VALUES` that look alike.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rows {
    /// The first row, in bytes of the statement; from its parenthesis to its parenthesis.
    first: Range<usize>,
    /// Where the last row ends.
    end: usize,
    /// Which of the values are of further rows.
    values: Range<usize>,
}

impl Clone for NormalForm {
    fn clone(&self) -> Self {
        let mut clone = Self::default();
        clone.clone_from(self);
        clone
    }

    fn clone_from(&mut self, source: &Self) {
        self.text.clone_from(&source.text);
        self.values.clone_from(&source.values);
        self.folded = source.folded;
        self.lists.clone_from(&source.lists);
        self.rows.clone_from(&source.rows);
    }
}

impl NormalForm {
    /// Makes this the normal form of a statement.
    pub fn of(&mut self, statement: &str) -> Fingerprint {
        self.text.clear();
        self.values.clear();
        self.folded = false;
        self.lists.clear();
        self.rows = None;
        Writer::new(statement, self).write_statement();
        Fingerprint(twox_hash::XxHash3_64::oneshot(self.text.as_bytes()))
    }

    /// The normal form.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The literals and parameters in the statement, in order; those of folded lists and rows too.
    #[must_use]
    pub fn values(&self) -> &[ValuePlace] {
        &self.values
    }

    /// Whether lists or rows of any length have this form.
    #[must_use]
    pub fn is_folded(&self) -> bool {
        self.folded
    }
}

/// The normal form of a statement, as text.
#[must_use]
pub fn normal_form(statement: &str) -> String {
    let mut form = NormalForm::default();
    form.of(statement);
    form.text
}
