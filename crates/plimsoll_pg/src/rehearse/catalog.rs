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
}

/// Relations by oid, system catalogs and TOAST left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    pub(super) entries: BTreeMap<u32, CatalogEntry>,
    /// Files ever seen: an index under a new oid with an old file wasn't built.
    pub(super) files: BTreeSet<u32>,
}

/// Columns that [`entry`] reads, from `c` = `pg_class`, `n` = its namespace, `i` = `pg_index`.
pub(super) const ENTRY_COLUMNS: &str =
    "c.oid, n.nspname || '.' || c.relname AS name, c.relkind, c.relfilenode, i.indrelid";

/// The relations that [`ENTRY_COLUMNS`] reads from.
pub(super) const ENTRY_TABLES: &str = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid";

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
pub(super) fn number<T: std::str::FromStr + Default>(row: &SimpleQueryRow, column: &str) -> T {
    row.get(column).and_then(|text| text.parse().ok()).unwrap_or_default()
}

pub(super) fn entry(row: &SimpleQueryRow) -> (u32, CatalogEntry) {
    let kind = row.get("relkind").and_then(|kind| kind.chars().next()).unwrap_or('?');
    let indexed = row.get("indrelid").and_then(|oid| oid.parse().ok());
    let name = row.get("name").unwrap_or_default().to_owned();
    (number(row, "oid"), CatalogEntry { name, kind, file: number(row, "relfilenode"), indexed })
}
