//! What the tap tells of one statement.

use std::borrow::Cow;
use std::time::Duration;

use super::reader::Reader;
use super::value::{Format, Value};

/// Who runs statements over one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Number of the connection, from 0, in the order in which they were made.
    pub number: usize,
    /// Process id of the server's backend, once it has told.
    pub pid: Option<i32>,
    /// The role that connects.
    pub user: String,
    /// The database that it connects to.
    pub database: String,
    /// `application_name` as the server last reported it, or as the client asked for it.
    pub application_name: String,
}

/// Where a session stood when it was last ready for a query (`ReadyForQuery`'s indicator).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransactionStatus {
    /// In no transaction block.
    #[default]
    Idle,
    /// In a transaction block.
    InTransaction,
    /// In a transaction block that failed and can only be rolled back.
    Failed,
}

/// The server's refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// Such as `ERROR` or `FATAL`, in English.
    pub severity: String,
    /// SQLSTATE, five characters.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// DETAIL, if given.
    pub detail: Option<String>,
    /// HINT, if given.
    pub hint: Option<String>,
    /// Character in the statement, from 1, if given.
    pub position: Option<usize>,
}

/// How a statement ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It completed, with this command tag; with an empty one if there was no statement in the text.
    Complete(Cow<'a, str>),
    /// The client has had as many rows as it asked for; there may be more.
    Suspended,
    /// The server refused it.
    Failed(&'a ServerError),
    /// The connection ended before its answer did.
    Lost,
}

/// One statement, from the client's message to the end of the server's answer. Times count from the tap's start.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// Its text; the text of a prepared statement where it was prepared. Cut short after 256 KiB.
    pub text: Cow<'a, str>,
    /// The name under which it was prepared, by the protocol or by PREPARE.
    pub prepared: Option<Cow<'a, str>>,
    /// What stands for `$1`, `$2`, …
    pub parameters: Parameters<'a>,
    /// Where its session stood before it.
    pub transaction: TransactionStatus,
    /// When it reached the tap, or the one before it was answered, if that was later.
    pub started: Duration,
    /// When the first row of its answer reached the tap.
    pub first_row: Option<Duration>,
    /// When the end of its answer reached the tap.
    pub ended: Duration,
    /// Rows returned or changed, as its command tag says; while it isn't complete, rows that came.
    pub rows: u64,
    /// Bytes of its answer.
    pub bytes: u64,
    /// Whether it goes on where an earlier one was suspended.
    pub resumed: bool,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// The values in its first rows.
    pub row_values: &'a RowValues,
}

impl Statement<'_> {
    /// How long the client waited for it.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.ended.saturating_sub(self.started)
    }
}

/// Parameters as they were bound.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// The body of the Bind message behind its names.
    pub(super) bound: &'a [u8],
    /// Types by position, as far as they are known.
    pub(super) types: &'a [u32],
}

impl<'a> Parameters<'a> {
    /// From the body of a Bind message behind its names, and types by position as far as they are known.
    pub(crate) fn read(bound: &'a [u8], types: &'a [u32]) -> Self {
        Self { bound, types }
    }

    /// None at all.
    pub(super) const NONE: Self = Self { bound: &[], types: &[] };

    /// The values' texts in order; none for NULL, and where a binary value's type isn't known.
    #[must_use]
    pub fn texts(&self) -> Vec<Option<String>> {
        self.values().map(|value| Some(value.text()?.into_owned())).collect()
    }

    /// The values in order; what was cut short is left out.
    pub fn values(&self) -> impl Iterator<Item = Value<'a>> {
        let mut reader = Reader(self.bound);
        let formats = formats(&mut reader).unwrap_or_default();
        let count = reader.count().unwrap_or(0);
        let types = self.types;
        (0..count).map_while(move |at| {
            let bytes = reader.value()?;
            Some(Value { oid: types.get(at).copied().unwrap_or(0), format: format_at(&formats, at), bytes })
        })
    }
}

/// Reads a list of formats.
pub(super) fn formats(reader: &mut Reader<'_>) -> Option<Vec<Format>> {
    let count = reader.count()?;
    (0..count).map(|_| Some(if reader.int16()? == 1 { Format::Binary } else { Format::Text })).collect()
}

/// None means text for all, one stands for all.
pub(super) fn format_at(formats: &[Format], at: usize) -> Format {
    match formats {
        [] => Format::Text,
        [all] => *all,
        several => several.get(at).copied().unwrap_or(Format::Text),
    }
}

/// Hashes of the values in the first rows of an answer, row by row: enough to see later that a parameter came from
/// there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowValues {
    pub(super) columns: usize,
    pub(super) hashes: Vec<u64>,
    /// The body of the RowDescription.
    pub(super) description: Vec<u8>,
}

/// As many values of an answer are remembered.
pub(super) const MOST_ROW_VALUES: usize = 4096;

impl RowValues {
    /// How many columns the rows have.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Hashes of the remembered rows' values, as [`Value::hash`] makes them, row by row; 0 for NULL.
    #[must_use]
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// A column's name, from 0; none where the server didn't tell.
    #[must_use]
    pub fn name(&self, column: usize) -> Option<String> {
        super::backend::column_names(&self.description).nth(column)
    }
}
