//! Relations of the database by oid: names, kinds and files, before and between statements.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

/// A relation's identity and file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CatalogEntry {
    /// As `schema.name`.
    pub(super) name: String,
    /// `pg_class.relkind`.
    pub(super) kind: char,
    /// `pg_class.relfilenode`; 0 for relations without a file.
    pub(super) file: u32,
    /// The indexed relation of an index.
    pub(super) indexed: Option<u32>,
    /// `pg_class.relfilenode` of its TOAST table; 0 if it has none.
    pub(super) toast_file: u32,
    /// The partitioned table that it is a partition of.
    pub(super) partition_of: Option<u32>,
}

/// A row of text, wherever it was read: by our own client, or by a session that somebody else drives.
pub(super) trait TextRow {
    /// The text in a column; none for NULL, or where there is no such column.
    fn text(&self, column: &str) -> Option<&str>;
}

impl TextRow for SimpleQueryRow {
    fn text(&self, column: &str) -> Option<&str> {
        self.try_get(column).ok().flatten()
    }
}

/// Relations by oid, system catalogs and TOAST left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    pub(super) entries: BTreeMap<u32, CatalogEntry>,
    /// Files ever seen: an index under a new oid with an old file wasn't built.
    pub(super) files: BTreeSet<u32>,
}

/// Columns that [`entry`] reads, from `c` = `pg_class`, `n` = its namespace. Joins would take the server twice as long to
/// plan.
pub(super) const ENTRY_COLUMNS: &str = "c.oid, n.nspname || '.' || c.relname AS name, c.relkind, c.relfilenode, (SELECT \
     i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid) AS indrelid, (SELECT t.relfilenode FROM \
     pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid) AS toast_file, (SELECT h.inhparent FROM pg_catalog.pg_inherits h \
     WHERE h.inhrelid = c.oid AND c.relispartition) AS partition_of";

/// The relations that [`ENTRY_COLUMNS`] reads from.
pub(super) const ENTRY_TABLES: &str =
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

/// User relations: oids from 16384 on (`FirstNormalObjectId`), in no system schema.
pub(super) const IS_USERS: &str =
    "c.oid >= 16384 AND n.nspname <> 'pg_toast' AND n.nspname NOT LIKE 'pg\\_temp%'";

impl Catalog {
    /// Reads all user relations.
    pub(super) async fn read(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let query = format!("SELECT {ENTRY_COLUMNS} FROM {ENTRY_TABLES} WHERE {IS_USERS}");
        let mut catalog = Self::default();
        for row in rows(client.simple_query(&query).await?) {
            let (oid, entry) = entry(&row);
            catalog.insert(oid, entry);
        }
        Ok(catalog)
    }

    pub(super) fn insert(&mut self, oid: u32, entry: CatalogEntry) {
        if entry.file != 0 {
            self.files.insert(entry.file);
        }
        self.entries.insert(oid, entry);
    }

    pub(super) fn name(&self, oid: u32) -> Option<&str> {
        self.entries.get(&oid).map(|entry| entry.name.as_str())
    }
}

/// The rows of a simple query's answer.
pub(super) fn rows(messages: Vec<SimpleQueryMessage>) -> impl Iterator<Item = SimpleQueryRow> {
    messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

/// A number in a column; 0 for NULL.
pub(super) fn number<T: std::str::FromStr + Default>(row: &impl TextRow, column: &str) -> T {
    row.text(column).and_then(|text| text.parse().ok()).unwrap_or_default()
}

pub(super) fn entry(row: &impl TextRow) -> (u32, CatalogEntry) {
    let oid = |column: &str| row.text(column).and_then(|oid| oid.parse().ok());
    let entry = CatalogEntry {
        name: row.text("name").unwrap_or_default().to_owned(),
        kind: row.text("relkind").and_then(|kind| kind.chars().next()).unwrap_or('?'),
        file: number(row, "relfilenode"),
        indexed: oid("indrelid"),
        toast_file: number(row, "toast_file"),
        partition_of: oid("partition_of"),
    };
    (number(row, "oid"), entry)
}
