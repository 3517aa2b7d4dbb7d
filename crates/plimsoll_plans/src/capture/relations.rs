//! Sizes of tables and indexes, and how high B-trees are.

use std::collections::HashMap;

use plimsoll_pg::catalogue::Session;

use super::error::CaptureError;
use super::row::Row;
use crate::btree::{KeyColumn, estimated_height};
use crate::source::{ColumnStatistics, GinCounts, Index, LeadingColumn, Relation, Statistics};

const WHAT: &str = "sizes of relations";

/// Where the number of a relation's pages is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// In the length of its file.
    OfFile,
    /// In the catalogue alone: the server has the statistics of another one's relations.
    OfCatalogue,
}

pub(super) async fn read(
    session: &Session<'_>,
    columns: &[ColumnStatistics],
    pages: Pages,
) -> Result<Vec<Relation>, CaptureError> {
    let mut statistics = HashMap::new();
    for column in columns {
        let key = (column.schema.as_str(), column.relation.as_str(), column.column.as_str());
        statistics.insert(key, &column.statistics);
    }
    let metapages = match pages {
        Pages::OfFile => Metapages::read(session).await?,
        Pages::OfCatalogue => Metapages::default(),
    };
    let rows = session.run(WHAT, include_str!("sql/relations.sql")).await?;
    rows.iter().map(|row| relation(&Row { what: WHAT, row }, &statistics, &metapages, pages)).collect()
}

fn relation(
    row: &Row<'_>,
    statistics: &HashMap<(&str, &str, &str), &Statistics>,
    metapages: &Metapages,
    pages: Pages,
) -> Result<Relation, CaptureError> {
    let mut relation = Relation {
        schema: row.text(0)?,
        name: row.text(1)?,
        kind: row.text(2)?.chars().next().unwrap_or('r'),
        relpages: row.number(3)?,
        reltuples: row.number(4)?,
        relallvisible: row.number(5)?,
        pages: row.number(6)?,
        toast_pages: row.number(7)?,
        index: None,
    };
    if pages == Pages::OfCatalogue && matches!(relation.kind, 'r' | 'm' | 'i') {
        relation.pages = u32::try_from(relation.relpages).unwrap_or_default();
        relation.toast_pages = 0;
    }
    if let (Some(table), Some(access_method)) = (row.optional(8), row.optional(9)) {
        let oid = row.text(12)?;
        // The names of the key's columns, with their lengths: -1 of what varies.
        let key: Vec<(String, i32)> =
            row.optional(11).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let known = |column: &str| statistics.get(&(relation.schema.as_str(), table, column)).copied();
        let key: Vec<KeyColumn> =
            key.iter().map(|(name, length)| key_column(known(name), *length, relation.reltuples)).collect();
        let is_btree = access_method == "btree" && relation.kind == 'i';
        let height = is_btree.then(|| {
            let known = metapages.heights.get(&oid).copied();
            known.unwrap_or_else(|| estimated_height(relation.pages, &key))
        });
        relation.index = Some(Index {
            table: table.to_owned(),
            access_method: access_method.to_owned(),
            leading_column: row.optional(10).zip(row.optional(13)).map(|(name, element_type)| {
                LeadingColumn { name: name.to_owned(), element_type: element_type.to_owned() }
            }),
            height,
            gin: metapages.gin.get(&oid).copied(),
        });
    }
    Ok(relation)
}

fn key_column(statistics: Option<&Statistics>, length: i32, rows: f32) -> KeyColumn {
    /// Of what has no statistics, such as an expression.
    const UNKNOWN_BYTES: i32 = 32;
    let width = statistics.map_or(UNKNOWN_BYTES, |statistics| statistics.width);
    let distinct = statistics.map_or(rows, |statistics| {
        // Below zero it is a share of the rows.
        if statistics.distinct < 0.0 { -statistics.distinct * rows } else { statistics.distinct }
    });
    KeyColumn { bytes: if length > 0 { length } else { width }.unsigned_abs(), distinct }
}

/// What the extension pageinspect shows of indexes, by OID; nothing where it isn't there or not allowed.
#[derive(Default)]
struct Metapages {
    heights: HashMap<String, u32>,
    gin: HashMap<String, GinCounts>,
}

impl Metapages {
    async fn read(session: &Session<'_>) -> Result<Self, CaptureError> {
        let mut metapages = Self::default();
        let schema = "select quote_ident(nspname) from pg_extension join pg_namespace n on n.oid = extnamespace \
             where extname = 'pageinspect'";
        let rows = session.run("extension pageinspect", schema).await?;
        let Some(schema) = rows.first().and_then(|row| row.get(0)) else { return Ok(metapages) };
        let indexes = |access_method: &str| {
            format!(
                "from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_am am on am.oid = c.relam \
                 where c.relkind = 'i' and c.relpersistence = 'p' and am.amname = '{access_method}' and n.nspname !~ '^pg_' \
                 and c.relpages > 0 and pg_relation_size(c.oid) > 0"
            )
        };
        let heights = format!(
            "select c.oid, ({schema}.bt_metap(c.oid::regclass::text)).fastlevel {}",
            indexes("btree")
        );
        // Refused, or unknown to an old version of the extension: then they are estimated.
        for row in session.attempt("heights of indexes", &heights).await.unwrap_or_default() {
            let row = Row { what: "heights of indexes", row: &row };
            metapages.heights.insert(row.text(0)?, row.number(1)?);
        }
        let gin = format!(
            "select oid, (g).n_pending_pages, (g).n_total_pages, (g).n_entry_pages, (g).n_data_pages, (g).n_entries from \
             (select c.oid, {schema}.gin_metapage_info({schema}.get_raw_page(c.oid::regclass::text, 0)) as g {}) x",
            indexes("gin")
        );
        for row in session.attempt("counts of GIN indexes", &gin).await.unwrap_or_default() {
            let row = Row { what: "counts of GIN indexes", row: &row };
            let counts = GinCounts {
                pending_pages: row.number(1)?,
                total_pages: row.number(2)?,
                entry_pages: row.number(3)?,
                data_pages: row.number(4)?,
                entries: row.number(5)?,
            };
            metapages.gin.insert(row.text(0)?, counts);
        }
        Ok(metapages)
    }
}
