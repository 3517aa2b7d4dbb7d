//! Indexes that were tried for queries, and what the indexes that are there do for them.

use serde::Serialize;

use crate::report::Tool;

/// Version of the JSON contract of suggestions.
pub const SUGGESTIONS_VERSION: u32 = 1;

/// What `plimsoll regress suggest` found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestions {
    /// [`SUGGESTIONS_VERSION`].
    pub format_version: u32,
    /// The program that made it.
    pub tool: Tool,
    /// The server's version, such as `18.1`.
    pub server: String,
    /// Queries that were measured.
    pub queries: usize,
    /// Indexes that were built and measured.
    pub tried: usize,
    /// Those that save blocks, in the order in which they were taken: each is measured beside those before it.
    pub indexes: Vec<SuggestedIndex>,
    /// Indexes that no query took.
    pub unused: Vec<UnusedIndex>,
    /// Indexes that another one makes needless.
    pub duplicates: Vec<DuplicateIndex>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// An index that saves blocks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SuggestedIndex {
    /// The name that PostgreSQL gives it.
    pub name: String,
    /// The table, with its schema.
    pub table: String,
    /// The statement that builds it.
    pub ddl: String,
    /// Blocks of 8 KiB that all runs of the queries with all sets of values touch less.
    pub saved_blocks: i64,
    /// Its size in bytes.
    pub bytes: u64,
    /// How long it took to build, in milliseconds.
    pub build_ms: f64,
    /// Write-ahead log of the build, in bytes.
    pub build_wal_bytes: u64,
    /// Queries that fare better.
    pub gained: Vec<ChangedQuery>,
    /// Queries that fare worse.
    pub lost: Vec<ChangedQuery>,
    /// Queries that write to the table.
    pub writers: Vec<ChangedWriter>,
    /// What writing to the table takes; none where it couldn't be tried.
    pub probe: Option<WriteProbe>,
    /// Why it couldn't be tried.
    pub no_probe: Option<String>,
    /// Indexes that it would make needless, with their schemas.
    pub replaces: Vec<String>,
}

/// Blocks that a query touches without and with an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedQuery {
    /// The query, with its set of values.
    pub query: String,
    /// Shared and temporary blocks without it; none where the query failed.
    pub before: Option<u64>,
    /// With it; none where the query failed.
    pub after: Option<u64>,
}

/// What a statement writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Write-ahead log in bytes.
    pub wal_bytes: u64,
    /// Shared blocks touched.
    pub buffers: u64,
}

/// What a query of the corpus writes without and with an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedWriter {
    /// The query, with its set of values.
    pub query: String,
    /// Without it.
    pub before: Written,
    /// With it.
    pub after: Written,
}

/// What writing rows to a table takes without and with an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WriteProbe {
    /// `insert` or `update`.
    pub command: &'static str,
    /// Rows written.
    pub rows: u64,
    /// Without it.
    pub before: Written,
    /// With it.
    pub after: Written,
}

/// An index that no query took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnusedIndex {
    /// Its name, with its schema.
    pub name: String,
    /// The table, with its schema.
    pub table: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether a query touches the table.
    pub table_is_used: bool,
    /// What it is for beside finding rows; such an index isn't dropped because no query takes it.
    pub keeps: Option<String>,
    /// `CREATE INDEX`, as the server prints it.
    pub definition: String,
}

/// An index that another one makes needless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DuplicateIndex {
    /// The needless one, with its schema.
    pub name: String,
    /// The table, with its schema.
    pub table: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The one that does its work, with its schema.
    pub by: String,
    /// Whether that one has more columns.
    pub is_prefix: bool,
    /// What it is for beside finding rows, which the other one does too.
    pub keeps: Option<String>,
    /// `CREATE INDEX`, as the server prints it.
    pub definition: String,
}
