//! What a table comes to: a value a row of each column that was wanted.

/// The wanted columns of a table, each with a value for each row, in the file's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Whether the row's case is positive.
    pub positive: Vec<bool>,
    /// Scores, in the order in which they were wanted.
    pub scores: Vec<ScoreColumn>,
    /// What each case weighs: finite, and at least 0.
    pub weights: Option<Vec<f64>>,
    /// Which group each case is in.
    pub groups: Option<Groups>,
    /// Days from the first moment of the time column to the last: 0 where all cases are of one moment.
    pub days: Option<f64>,
}

impl Table {
    /// How many cases there are: at least 1.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.positive.len()
    }
}

/// A detector's scores. All are finite.
#[derive(Clone, Debug, PartialEq)]
pub enum ScoreColumn {
    /// As Parquet's `FLOAT` and half floats hold them.
    F32(Vec<f32>),
    /// All others.
    F64(Vec<f64>),
}

/// Groups of cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// Names, by where they first appear in the file. The empty name is that of cases whose cell is empty or null.
    pub names: Vec<String>,
    /// A place in `names` for each row.
    pub of_row: Vec<u32>,
}

/// The first and the last moment of a table's time column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first, in microseconds since 1970 in UTC.
    first: i64,
    /// The last, in microseconds since 1970 in UTC.
    last: i64,
}

const MICROSECONDS_OF_A_DAY: f64 = 86_400e6;

impl Span {
    /// Days from the first moment to the last: 0 where all cases are of one moment.
    pub(crate) fn days(self) -> f64 {
        (self.last as f64 - self.first as f64) / MICROSECONDS_OF_A_DAY
    }

    pub(crate) const fn at(moment: i64) -> Self {
        Self { first: moment, last: moment }
    }

    pub(crate) fn joined_with(self, other: Option<Self>) -> Self {
        let other = other.unwrap_or(self);
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}
