//! Why a table can't be read: each error is a sentence that stands behind `read FILE: `, with the place.

use std::fmt::{self, Display, Formatter};

use crate::kinds::Seen;

/// Why a table can't be read. Of several reasons, it is that which comes first in the file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// There is not one byte, or only blank lines.
    #[error("it is empty; write a header and a row for each case")]
    Empty,
    /// There is a header, or a schema, and no row.
    #[error("it has no row; write one for each case")]
    NoRows,
    /// Parquet was given as text.
    #[error("it is Parquet, which isn't text; read it as Parquet")]
    NotText,
    /// A name in the header isn't UTF-8.
    #[error("line {line}: the header's column {column} isn't UTF-8; write the file in UTF-8")]
    HeaderNotUtf8 {
        /// The line where the header begins, from 1.
        line: u64,
        /// Which column, from 1.
        column: usize,
    },
    /// No column has the wanted name.
    #[error("there is no column {name:?}{}", suggestion(header, nearest.as_deref()))]
    MissingColumn {
        /// The name that was asked for.
        name: String,
        /// All columns there are.
        header: Vec<String>,
        /// Which of them may have been meant.
        nearest: Option<String>,
    },
    /// Two columns have the wanted name.
    #[error("columns {} and {} are both named {name:?}; rename one of them", columns[0], columns[1])]
    RepeatedColumn {
        /// The name that was asked for.
        name: String,
        /// The first two of them, counted from 1.
        columns: [usize; 2],
    },
    /// A value isn't what its column is wanted for.
    #[error("{place}: {fault}")]
    Value {
        /// Where.
        place: Place,
        /// What is wrong.
        fault: Fault,
    },
    /// A row has more or fewer cells than the header.
    #[error("row {row} (line {line}): it has {found} {}, and the header has {wanted}", plural(*found, "cell"))]
    Cells {
        /// Which, from 1.
        row: u64,
        /// Where it begins, from 1.
        line: u64,
        /// How many cells it has.
        found: usize,
        /// How many the header has.
        wanted: usize,
    },
    /// A quoted cell has no end.
    #[error(
        "row {row} (line {line}): a quote is opened and never closed; close it, or double a quote that is meant"
    )]
    UnclosedQuote {
        /// The row in which it is opened, from 1.
        row: u64,
        /// The line in which it is opened, from 1.
        line: u64,
    },
    /// A quoted cell of the header has no end.
    #[error(
        "line {line}: a quote is opened in the header and never closed; close it, or double a quote that is meant"
    )]
    UnclosedHeader {
        /// The line in which it is opened, from 1.
        line: u64,
    },
    /// A line isn't JSON.
    #[error("row {row} (line {line}, character {character}): it isn't JSON: {why}; write one object a line")]
    Json {
        /// Which, from 1.
        row: u64,
        /// Which line, from 1.
        line: u64,
        /// Where in the line, from 1.
        character: usize,
        /// What the parser says.
        why: String,
    },
    /// A line is JSON, but no object.
    #[error(
        "row {row} (line {line}): it is {found}, not an object; write one object a line, as `jq -c '.[]'` does"
    )]
    NoObject {
        /// Which, from 1.
        row: u64,
        /// Which line, from 1.
        line: u64,
        /// What it is instead.
        found: &'static str,
    },
    /// There are three kinds of labels, and nothing tells which is positive.
    #[error(
        "column {column:?} has three kinds of labels: {}; name the positive class with --positive",
        list(kinds)
    )]
    ThreeKinds {
        /// The label's column.
        column: String,
        /// The first three.
        kinds: Vec<Seen>,
    },
    /// There are one or two kinds of labels, and nothing tells which is positive.
    #[error(
        "column {column:?} has labels that don't tell which is positive: {}; name the positive class with --positive",
        list(kinds)
    )]
    Undecided {
        /// The label's column.
        column: String,
        /// All there are.
        kinds: Vec<Seen>,
    },
    /// No row has the label that was named as the positive one.
    #[error("column {column:?} has no label {positive:?}; it has {}{}", list(kinds), if kinds.len() == 3 { " …" } else { "" })]
    NoPositive {
        /// The label's column.
        column: String,
        /// The label that was asked for.
        positive: String,
        /// The first three there are.
        kinds: Vec<Seen>,
    },
    /// It is no Parquet file.
    #[error("it is no Parquet file; a Parquet file ends with PAR1")]
    NotParquet,
    /// A Parquet file begins and doesn't end.
    #[error(
        "it is a Parquet file that is cut off: its end, with the footer, is missing; copy or write it again"
    )]
    Truncated,
    /// A Parquet file is encrypted.
    #[error("it is an encrypted Parquet file; write it without encryption")]
    Encrypted,
    /// A Parquet column is of a type that isn't read.
    #[error("column {column:?} is of type {found}, which can't be read as a {role}; {advice}")]
    ColumnType {
        /// Its name.
        column: String,
        /// Its type, in Parquet's words.
        found: String,
        /// What it is wanted for.
        role: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// What a Parquet file says of itself isn't so, or a codec isn't there.
    #[error("its footer can't be read: {why}; copy or write it again")]
    Footer {
        /// What the parser says.
        why: String,
    },
    /// A Parquet column's values can't be read.
    #[error("row {row}, column {column:?}: the values from there on can't be read: {why}")]
    Pages {
        /// The first row that wasn't read, from 1.
        row: u64,
        /// The column's name.
        column: String,
        /// What the parser says.
        why: String,
    },
    /// There are more rows than memory.
    #[error("it says that it has {rows} rows, which don't fit into memory")]
    TooManyRows {
        /// How many.
        rows: u64,
    },
    /// There are more groups than are counted.
    #[error("there are more than {} groups; name another column", u32::MAX)]
    ManyGroups,
    /// Bytes didn't come.
    #[error("{0}")]
    Read(#[from] std::io::Error),
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row, from 1; a header isn't counted.
    pub row: u64,
    /// The line and the character in it where the cell begins, both from 1; none in Parquet.
    pub line: Option<(u64, usize)>,
    /// The column's name.
    pub column: String,
}

impl Display for Place {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {}", self.row)?;
        if let Some((line, character)) = self.line {
            write!(formatter, " (line {line}, character {character})")?;
        }
        write!(formatter, ", column {:?}", self.column)
    }
}

/// What is wrong with a value, which is cut to 40 characters.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// There is nothing.
    #[error("the {0} is empty; fill it in, or leave the row out")]
    Empty(&'static str),
    /// It is null.
    #[error("the {0} is null; fill it in, or leave the row out")]
    Null(&'static str),
    /// A line of JSON hasn't its key.
    #[error("the key is missing; write it in every line, or leave the row out")]
    NoKey,
    /// A line of JSON has its key twice.
    #[error("the key stands twice in the line; leave one out")]
    TwoKeys,
    /// It is NaN.
    #[error("the {0} is NaN; write a number, or leave the row out")]
    Nan(&'static str),
    /// It is infinite.
    #[error("the {0} is infinite; write a finite number, or leave the row out")]
    Infinite(&'static str),
    /// It is no number.
    #[error("the {role} is {value:?}, not a number")]
    NoNumber {
        /// What it is wanted as.
        role: &'static str,
        /// As it stands there.
        value: String,
    },
    /// A weight is negative.
    #[error("the weight is {0}; a weight is a finite number of at least 0")]
    Negative(f64),
    /// It is no moment.
    #[error("the time is {0:?}, not a moment; write 2026-01-31, 2026-01-31T12:00:00Z or seconds since 1970")]
    Time(String),
    /// A moment is far off: of another unit.
    #[error("the time is {0}, past the year 5138 in seconds since 1970; write seconds, not milliseconds")]
    FarTime(String),
    /// A name isn't UTF-8.
    #[error("the {role} is {value:?}, which isn't UTF-8; write the file in UTF-8")]
    NotUtf8 {
        /// What it is wanted as.
        role: &'static str,
        /// As far as it can be read.
        value: String,
    },
    /// It is the name of one group more than are counted.
    #[error("there are more than {} groups; name another column", u32::MAX)]
    ManyGroups,
    /// It is an object or a list.
    #[error("the {role} is {found}, not a single value")]
    Nested {
        /// What it is wanted as.
        role: &'static str,
        /// What it is.
        found: &'static str,
    },
}

const SHOWN_CHARACTERS: usize = 40;

/// A value as it is shown: at most 40 characters.
pub(crate) fn shown(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(&value[..value.len().min(4 * SHOWN_CHARACTERS + 4)]);
    let mut short: String = value.chars().take(SHOWN_CHARACTERS).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

fn plural(count: usize, one: &str) -> String {
    if count == 1 { one.to_owned() } else { format!("{one}s") }
}

const LISTED_COLUMNS: usize = 30;

fn suggestion(header: &[String], nearest: Option<&str>) -> String {
    let mut names: Vec<String> = header.iter().take(LISTED_COLUMNS).map(|name| format!("{name:?}")).collect();
    if header.len() > LISTED_COLUMNS {
        names.push(format!("and {} more", header.len() - LISTED_COLUMNS));
    }
    let columns = format!("the columns are {}", names.join(", "));
    nearest.map_or(format!("; {columns}"), |nearest| format!("; did you mean {nearest:?}? ({columns})"))
}

fn list(kinds: &[Seen]) -> String {
    kinds.iter().map(Seen::to_string).collect::<Vec<_>>().join(", ")
}
