//! One statement as whoever saw it tells of it.

use std::time::Duration;

/// How a statement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It completed.
    Complete,
    /// It gave a part of its rows; the rest is fetched by a later one.
    Suspended,
    /// It failed, or its connection ended before its answer did.
    Failed,
}

/// The first rows of an answer, as hashes of their values.
pub trait Answer {
    /// How many columns the rows have.
    fn columns(&self) -> usize;
    /// Hashes of the values, row by row.
    fn values(&self) -> &[u64];
    /// A column's name, from 0; none where that isn't known.
    fn name(&self, column: usize) -> Option<String>;
}

/// A statement. Times count from any one moment, the same for all.
pub struct Observed<'a> {
    /// Number of the connection.
    pub session: usize,
    /// `application_name`.
    pub application: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Hashes of the values bound to its parameters; none for NULL.
    pub bound: &'a [Option<u64>],
    /// The same values as text, where somebody wants to keep them.
    pub bound_texts: &'a dyn Fn() -> Vec<Option<String>>,
    /// How a literal's text is hashed, so that it equals the hash of the same value bound or in a row.
    pub hash: fn(&[u8]) -> u64,
    /// When the client sent it; not before the answer to the one before it was there.
    pub started: Duration,
    /// When its answer ended.
    pub ended: Duration,
    /// Rows returned or changed.
    pub rows: u64,
    /// Bytes of the answer.
    pub bytes: u64,
    /// How it ended.
    pub ending: Ending,
    /// Whether it fetches more of what was suspended.
    pub resumed: bool,
    /// What it answered.
    pub answer: &'a dyn Answer,
}

/// The value of a literal, without its quotes.
pub(crate) fn literal_value(literal: &str) -> std::borrow::Cow<'_, str> {
    let quoted = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match quoted {
        Some(inside) if inside.contains("''") => inside.replace("''", "'").into(),
        Some(inside) => inside.into(),
        None => literal.into(),
    }
}
