//! What a database has that rules could be for.

use std::collections::BTreeMap;

use super::run::{Session, parsed};
use crate::error::BranchError;

/// A table that rules see: partitions are their root's.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) is_partitioned: bool,
    /// What has its rows: itself, or its partitions; as SQL names them.
    pub(super) heaps: Vec<(u32, String)>,
}

impl Table {
    /// As SQL names it.
    pub(super) fn sql(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) table: u32,
    pub(super) number: i16,
    pub(super) name: String,
    /// As SQL writes it, with a length.
    pub(super) data_type: String,
    /// The names by which rules may know the type, domains' and what they are of.
    pub(super) types: Vec<String>,
    /// `pg_type.typname` of what the domain is of.
    pub(super) base: String,
    /// `pg_type.typcategory` of that, and of its elements.
    pub(super) category: String,
    /// The most characters that a value may have.
    pub(super) length: Option<u32>,
    pub(super) is_not_null: bool,
    pub(super) is_generated: bool,
    /// Whether a unique index is on it alone.
    pub(super) is_unique: bool,
    /// The tables that it is inherited from.
    pub(super) inherited_from: Vec<u32>,
}

/// One pair of columns of a foreign key.
#[derive(Clone, Debug)]
pub(super) struct KeyPair {
    pub(super) constraint: u32,
    pub(super) name: String,
    pub(super) is_validated: bool,
    pub(super) child: (u32, i16),
    pub(super) parent: (u32, i16),
}

/// As above.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) tables: BTreeMap<u32, Table>,
    pub(super) columns: Vec<Column>,
    pub(super) keys: Vec<KeyPair>,
    pub(super) large_objects: u64,
    pub(super) foreign_tables: u64,
}

const TABLES: &str = "
    SELECT r.oid, n.nspname, r.relname, r.relkind, h.oid, format('%I.%I', hn.nspname, h.relname)
    FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
    LEFT JOIN LATERAL (
        SELECT relid FROM pg_partition_tree(r.oid) WHERE r.relkind = 'p' AND isleaf
        UNION ALL SELECT r.oid WHERE r.relkind = 'r'
    ) leaf ON true
    LEFT JOIN pg_class h ON h.oid = leaf.relid AND h.relkind = 'r' LEFT JOIN pg_namespace hn ON hn.oid = h.relnamespace
    WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition AND r.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2, 3, 6";

const COLUMNS: &str = "
    WITH RECURSIVE typed AS (
        SELECT a.attrelid, a.attnum, a.atttypid AS type, a.atttypmod AS modifier, a.attnotnull AS is_not_null, 0 AS depth
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND a.attnum > 0 AND NOT a.attisdropped
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        UNION ALL
        SELECT attrelid, attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE modifier END, t.typnotnull, depth + 1
        FROM typed JOIN pg_type t ON t.oid = type AND t.typtype = 'd'
    ), gathered AS (
        SELECT attrelid, attnum, bool_or(is_not_null) AS is_not_null, max(depth) AS depth,
            array_agg(DISTINCT format_type(type, NULL)) || array_agg(DISTINCT t.typname::text) AS names
        FROM typed JOIN pg_type t ON t.oid = type GROUP BY 1, 2
    )
    SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), array_to_string(g.names, chr(31)), b.typname,
        concat(b.typcategory, e.typcategory),
        CASE WHEN b.typname IN ('varchar', 'bpchar') AND t.modifier > 4 THEN t.modifier - 4 END,
        g.is_not_null, a.attgenerated <> '',
        EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
            AND i.indpred IS NULL),
        array_to_string(ARRAY(SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = a.attrelid AND a.attinhcount > 0), ' ')
    FROM gathered g JOIN pg_attribute a USING (attrelid, attnum)
    JOIN typed t ON t.attrelid = a.attrelid AND t.attnum = a.attnum AND t.depth = g.depth
    JOIN pg_type b ON b.oid = t.type LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
    ORDER BY a.attrelid, a.attnum";

const KEYS: &str = "
    SELECT con.oid, con.conname, con.convalidated, con.conrelid, pair.child, con.confrelid, pair.parent
    FROM pg_constraint con, unnest(con.conkey, con.confkey) AS pair(child, parent)
    WHERE con.contype = 'f' AND con.conparentid = 0 ORDER BY con.oid, pair.child";

const OTHERS: &str = "
    SELECT (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_class WHERE relkind = 'f')";

/// Reads it.
pub(super) async fn read(session: &Session) -> Result<Catalogue, BranchError> {
    let mut tables: BTreeMap<u32, Table> = BTreeMap::new();
    for row in session.rows(TABLES).await? {
        let table = tables.entry(parsed(&row, 0)).or_insert_with(|| Table {
            oid: parsed(&row, 0),
            schema: parsed(&row, 1),
            name: parsed(&row, 2),
            is_partitioned: row.get(3) == Some("p"),
            heaps: Vec::new(),
        });
        if row.get(4).is_some() {
            table.heaps.push((parsed(&row, 4), parsed(&row, 5)));
        }
    }
    let rows = session.rows(COLUMNS).await?;
    let columns = rows.iter().map(|row| Column {
        table: parsed(row, 0),
        number: parsed(row, 1),
        name: parsed(row, 2),
        data_type: parsed(row, 3),
        types: parsed::<String>(row, 4).split('\u{1f}').map(ToOwned::to_owned).collect(),
        base: parsed(row, 5),
        category: parsed(row, 6),
        length: row.get(7).and_then(|text| text.parse().ok()),
        is_not_null: row.get(8) == Some("t"),
        is_generated: row.get(9) == Some("t"),
        is_unique: row.get(10) == Some("t"),
        inherited_from: parsed::<String>(row, 11).split(' ').filter_map(|oid| oid.parse().ok()).collect(),
    });
    let columns: Vec<Column> = columns.collect();
    let rows = session.rows(KEYS).await?;
    let keys = rows.iter().map(|row| KeyPair {
        constraint: parsed(row, 0),
        name: parsed(row, 1),
        is_validated: row.get(2) == Some("t"),
        child: (parsed(row, 3), parsed(row, 4)),
        parent: (parsed(row, 5), parsed(row, 6)),
    });
    let keys: Vec<KeyPair> = keys.collect();
    let others = session.rows(OTHERS).await?;
    let other = |index| others.first().map_or(0, |row| parsed(row, index));
    Ok(Catalogue { tables, columns, keys, large_objects: other(0), foreign_tables: other(1) })
}

/// A name as SQL quotes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL quotes it.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
