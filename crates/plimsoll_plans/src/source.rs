//! What a plan branch is made from: a server's schema and all that its planner knows of the rows.
//!
//! It is written as one JSON document with a format version, so that it can be taken where production is and used elsewhere.

use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The version of the format; another one isn't read.
pub const FORMAT_VERSION: u32 = 1;

/// A server's schema and planner statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanSource {
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// The server that was read, by its number: 150018 of 15.18.
    pub server_version: u32,
    /// The bytes of a page.
    pub page_bytes: u32,
    /// Whether values stand for themselves.
    pub values: ValuesAre,
    /// The database.
    pub database: Database,
    /// Extensions in the database, by name.
    pub extensions: Vec<Extension>,
    /// Tablespaces of the server but for the built-in ones.
    pub tablespaces: Vec<Tablespace>,
    /// Roles that can own something or be granted something.
    pub roles: Vec<Role>,
    /// The server's settings that its planner looks at.
    pub settings: Vec<(String, String)>,
    /// What `ALTER ROLE` and `ALTER DATABASE … SET` said.
    pub session_settings: Vec<SessionSettings>,
    /// The schema, in the order in which `pg_dump` writes it.
    pub schema: Vec<SchemaEntry>,
    /// Tables, materialised views and indexes; these in the order of their OIDs, which decide between equal plans.
    pub relations: Vec<Relation>,
    /// Statistics of columns and of indexes' expressions.
    pub columns: Vec<ColumnStatistics>,
    /// Extended statistics.
    pub extended: Vec<ExtendedStatistics>,
    /// The least and greatest values of columns that lead an index.
    pub boundaries: Vec<Boundaries>,
    /// What could not be read or was left out, in words.
    pub left_out: Vec<String>,
}

/// What the values in statistics are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuesAre {
    /// Production's own.
    Kept,
    /// Others in their places, in the same order and as frequent.
    Pseudonyms,
}

/// A database, as `CREATE DATABASE` would make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its encoding.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// The locale provider: `c`, `i`, `b`.
    pub provider: String,
    /// The locale of the provider, where it isn't the C library.
    pub locale: Option<String>,
}

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A tablespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tablespace {
    /// Its name.
    pub name: String,
    /// Its options, such as `random_page_cost=1.1`.
    pub options: Vec<String>,
}

/// A role without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Whether it is a superuser.
    pub superuser: bool,
    /// Whether row-level security is nothing to it.
    pub bypasses_row_security: bool,
    /// The roles that it is a member of.
    pub member_of: Vec<String>,
}

/// Settings with which sessions begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSettings {
    /// Of sessions of one role only.
    pub role: Option<String>,
    /// Of sessions in this database only.
    pub in_database: bool,
    /// Each as `name=value`.
    pub settings: Vec<String>,
}

/// One object of the schema, as `pg_dump` wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaEntry {
    /// The kind of the object in `pg_dump`'s words: `TABLE`, `FK CONSTRAINT`.
    pub kind: String,
    /// The name of the object's schema, or `-`.
    pub schema: String,
    /// Its name in `pg_dump`'s words: a constraint's follows its table's.
    pub name: String,
    /// The statements that make it.
    pub sql: String,
}

/// Sizes of a relation, as the server's catalogue and files have them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `pg_class.relkind`.
    pub kind: char,
    /// Pages of the file at the time.
    pub pages: u32,
    /// `pg_class.relpages`: pages when it was last analyzed; -1 of a partitioned table.
    pub relpages: i32,
    /// `pg_class.reltuples`.
    pub reltuples: f32,
    /// `pg_class.relallvisible`, pages.
    pub relallvisible: i32,
    /// Pages of its TOAST table, if it has one.
    pub toast_pages: u32,
    /// What is known of an index.
    pub index: Option<Index>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its table's name.
    pub table: String,
    /// Its access method.
    pub access_method: String,
    /// The column that leads a B-tree, where it is a plain column in its usual order and the index isn't partial.
    pub leading_column: Option<LeadingColumn>,
    /// The height of a B-tree: 0 where its root is a leaf.
    pub height: Option<u32>,
    /// The counts in a GIN index's metapage, where they could be read.
    pub gin: Option<GinCounts>,
}

/// The column that leads an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadingColumn {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` writes it; of a domain, the type under it.
    pub element_type: String,
}

/// What a GIN index's metapage counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GinCounts {
    /// Pages that wait to be merged.
    pub pending_pages: u32,
    /// All pages.
    pub total_pages: u32,
    /// Pages of entries.
    pub entry_pages: u32,
    /// Pages of row pointers.
    pub data_pages: u32,
    /// Entries.
    pub entries: u64,
}

/// What `pg_statistic` has about a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// The schema of the relation.
    pub schema: String,
    /// The relation: a table, or an index whose expressions have statistics.
    pub relation: String,
    /// The column's name.
    pub column: String,
    /// The column's number, which names it in an index.
    pub position: i16,
    /// Whether the statistics include inheritance children.
    pub inherited: bool,
    /// The statistics.
    pub statistics: Statistics,
}

/// One row of `pg_statistic` without its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// `stanullfrac`.
    pub null_fraction: f32,
    /// `stawidth`, bytes.
    pub width: i32,
    /// `stadistinct`.
    pub distinct: f32,
    /// The slots in use.
    pub slots: Vec<Slot>,
}

/// A slot of `pg_statistic`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// `stakind`.
    pub kind: i16,
    /// `staop`, as `regoperator` writes it.
    pub operator: Option<String>,
    /// `stacoll`, with its schema.
    pub collation: Option<String>,
    /// `stanumbers`.
    pub numbers: Option<Vec<f32>>,
    /// `stavalues`.
    pub values: Option<Values>,
}

/// An array of values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    /// The elements' type, as `format_type` writes it.
    pub element_type: String,
    /// The elements as text.
    pub elements: Vec<String>,
}

/// Statistics over several columns or over expressions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtendedStatistics {
    /// The schema of the statistics object.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether they include inheritance children.
    pub inherited: bool,
    /// How many distinct combinations there are.
    pub distinct: Vec<(Vec<Attribute>, f64)>,
    /// How far all attributes but the last decide the last.
    pub dependencies: Vec<(Vec<Attribute>, f64)>,
    /// Most common combinations, in the server's own bytes as hexadecimal digits.
    pub most_common: Option<String>,
    /// Statistics of the expressions, in order.
    pub expressions: Vec<Statistics>,
}

/// What extended statistics are about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// A column.
    Column(String),
    /// An expression, counted from 1.
    Expression(i16),
}

/// Where the columns of a table begin and end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boundaries {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Columns with their least and greatest values.
    pub columns: Vec<Boundary>,
}

/// Where a column begins and ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boundary {
    /// The column.
    pub column: String,
    /// The type of its values, as `format_type` writes it.
    pub element_type: String,
    /// The least value.
    pub least: String,
    /// The greatest one.
    pub greatest: String,
}

/// A file with a plan source can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceFileError {
    /// It can't be read or written.
    #[error("{action} {}: {why}", path.display())]
    File {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// It is something else.
    #[error("read {} as the source of a plan branch: {why}; make it anew from the server", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl PlanSource {
    /// The major version of the server that was read.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.server_version / 10_000
    }

    /// Writes it to a file, whole or not at all.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, path: &Path) -> Result<(), SourceFileError> {
        let error = |why| SourceFileError::File { action: "write", path: path.to_owned(), why };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(error)?;
        let mut buffered = BufWriter::new(&mut file);
        serde_json::to_writer(&mut buffered, self).map_err(|why| error(why.into()))?;
        buffered.flush().map_err(error)?;
        drop(buffered);
        file.persist(path).map_err(|why| error(why.error))?;
        Ok(())
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// When the file can't be read, or is something else, or of another format version.
    pub fn read(path: &Path) -> Result<Self, SourceFileError> {
        let file = std::fs::File::open(path).map_err(|why| SourceFileError::File {
            action: "read",
            path: path.to_owned(),
            why,
        })?;
        let content = |why: String| SourceFileError::Content { path: path.to_owned(), why };
        let value: serde_json::Value =
            serde_json::from_reader(BufReader::new(file)).map_err(|why| content(why.to_string()))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT_VERSION) => {
                serde_json::from_value(value).map_err(|why| content(why.to_string()))
            }
            Some(format) => {
                Err(content(format!("it has format {format}, and this program reads {FORMAT_VERSION}")))
            }
            None => Err(content("it names no format".to_owned())),
        }
    }
}
