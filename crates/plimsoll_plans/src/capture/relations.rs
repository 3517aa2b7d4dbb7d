//! Sizes of tables and indexes, and how high B-trees are.

use std::collections::HashMap;

use plimsoll_pg::catalogue::Session;

use super::error::CaptureError;
use super::row::Row;
use crate::btree::estimated_height;
use crate::source::{ColumnStatistics, GinCounts, Index, Relation};

const WHAT: &str = "sizes of relations";

pub(super) async fn read(
    session: &Session<'_>,
    columns: &[ColumnStatistics],
) -> Result<Vec<Relation>, CaptureError> {
    let mut widths = HashMap::new();
    for column in columns {
        let key = (column.schema.as_str(), column.relation.as_str(), column.column.as_str());
        widths.insert(key, column.statistics.width);
    }
    let metapages = Metapages::read(session).await?;
    let rows = session.run(WHAT, include_str!("sql/relations.sql")).await?;
    rows.iter().map(|row| relation(&Row { what: WHAT, row }, &widths, &metapages)).collect()
}

fn relation(
    row: &Row<'_>,
    widths: &HashMap<(&str, &str, &str), i32>,
    metapages: &Metapages,
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
    if let (Some(table), Some(access_method)) = (row.optional(8), row.optional(9)) {
        let oid = row.text(12)?;
        // The names of the key's columns, with their lengths: -1 of what varies.
        let key: Vec<(String, i32)> =
            row.optional(10 + 1).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let width = |(column, length): &(String, i32)| match length {
            1.. => *length,
            _ => *widths.get(&(relation.schema.as_str(), table, column.as_str())).unwrap_or(&32),
        };
        let key_bytes = key.iter().map(width).sum::<i32>();
        let is_btree = access_method == "btree" && relation.kind == 'i';
        let height = is_btree.then(|| {
            let known = metapages.heights.get(&oid).copied();
            known.unwrap_or_else(|| estimated_height(relation.pages, key_bytes.unsigned_abs()))
        });
        relation.index = Some(Index {
            table: table.to_owned(),
            access_method: access_method.to_owned(),
            leading_column: row.optional(10).map(ToOwned::to_owned),
            height,
            gin: metapages.gin.get(&oid).copied(),
        });
    }
    Ok(relation)
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
