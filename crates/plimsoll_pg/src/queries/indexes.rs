//! The indexes of a database and the relations that can have some, read from its catalog.

use std::collections::BTreeMap;

use plimsoll_regress::candidates::Table;
use plimsoll_regress::indexes::{Index, Key};

use super::facts::{number, rows, text};
use super::measure::MeasureError;
use super::session::MeasuringSession;

/// What indexes are on, and are.
#[derive(Clone, Debug, Default)]
pub struct Indexed {
    /// Relations that can have indexes, by qualified name.
    pub tables: BTreeMap<String, Table>,
    /// Valid indexes, those of partitions that belong to a partitioned one left out.
    pub indexes: Vec<Index>,
    /// The partitioned relation or index at the top, by the qualified name of a part.
    pub roots: BTreeMap<String, String>,
}

const TABLES: &str = "select n.nspname || '.' || c.relname, rn.nspname || '.' || r.relname, \
    format('%I.%I', n.nspname, c.relname), c.relkind = 'p' \
    from pg_class c join pg_namespace n on n.oid = c.relnamespace \
    join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid) join pg_namespace rn on rn.oid = r.relnamespace \
    where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_' \
    and n.nspname <> 'information_schema'";

const PARTS: &str = "select n.nspname || '.' || c.relname, rn.nspname || '.' || r.relname \
    from pg_class c join pg_namespace n on n.oid = c.relnamespace \
    join pg_class r on r.oid = pg_partition_root(c.oid) join pg_namespace rn on rn.oid = r.relnamespace \
    where c.relispartition";

/// A foreign key is served by an index whose first columns are its own: what it points to is then deleted without a scan.
const INDEXES: &str = "select n.nspname || '.' || t.relname, n.nspname, c.relname, am.amname, i.indisunique, i.indnullsnotdistinct, \
    (select case o.contype when 'p' then 'PRIMARY KEY' when 'u' then 'UNIQUE' else 'EXCLUDE' end from pg_constraint o \
      where o.conindid = c.oid and o.contype in ('p', 'u', 'x') limit 1), \
    (select f.conname from pg_constraint f where f.contype = 'f' and (f.conindid = c.oid or (f.conrelid = t.oid and i.indpred is null \
      and f.conkey <@ (i.indkey::int2[])[0:array_length(f.conkey, 1) - 1])) order by 1 limit 1), \
    coalesce((select sum(pg_relation_size(relid)) from pg_partition_tree(c.oid)), pg_relation_size(c.oid))::bigint, \
    pg_get_indexdef(c.oid), pg_get_expr(i.indpred, i.indrelid) \
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid \
    join pg_namespace n on n.oid = t.relnamespace join pg_am am on am.oid = c.relam \
    where i.indisvalid and not c.relispartition and t.relkind in ('r', 'p', 'm') and t.relpersistence <> 't' \
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by n.nspname, t.relname, c.relname";

const KEYS: &str = "select n.nspname, c.relname, at > i.indnkeyatts, pg_get_indexdef(c.oid, at, false), \
    (select opcname from pg_opclass where oid = i.indclass[at - 1] and not opcdefault), \
    (select collname from pg_collation o where o.oid = i.indcollation[at - 1] and o.oid <> a.attcollation), \
    i.indoption[at - 1] & 1 <> 0, i.indoption[at - 1] & 2 <> 0 \
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace \
    cross join lateral generate_series(1, i.indnatts) at \
    left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[at - 1] \
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by n.nspname, c.relname, at";

impl MeasuringSession<'_> {
    /// Reads the indexes of the database.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn indexes(&self) -> Result<Indexed, MeasureError> {
        match self.read_indexes().await {
            Ok(indexed) => Ok(indexed),
            Err(error) => Err(self.interrupted("any", &error).await),
        }
    }

    async fn read_indexes(&self) -> Result<Indexed, tokio_postgres::Error> {
        let client = self.client();
        let mut read = Indexed::default();
        for row in rows(client, TABLES).await? {
            let table = Table { root: text(&row, 1), sql: text(&row, 2), partitioned: text(&row, 3) == "t" };
            read.tables.insert(text(&row, 0), table);
        }
        for row in rows(client, PARTS).await? {
            read.roots.insert(text(&row, 0), text(&row, 1));
        }
        let optional = |value: String| (!value.is_empty()).then_some(value);
        for row in rows(client, INDEXES).await? {
            read.indexes.push(Index {
                relation: text(&row, 0),
                schema: text(&row, 1),
                name: text(&row, 2),
                method: text(&row, 3),
                unique: text(&row, 4) == "t",
                nulls_not_distinct: text(&row, 5) == "t",
                constraint: optional(text(&row, 6)),
                foreign_key: optional(text(&row, 7)),
                bytes: number(&row, 8),
                definition: text(&row, 9),
                predicate: optional(text(&row, 10)),
                ..Index::default()
            });
        }
        let places: BTreeMap<(String, String), usize> = read
            .indexes
            .iter()
            .enumerate()
            .map(|(at, index)| ((index.schema.clone(), index.name.clone()), at))
            .collect();
        for row in rows(client, KEYS).await? {
            let Some(at) = places.get(&(text(&row, 0), text(&row, 1))) else { continue };
            let index = &mut read.indexes[*at];
            if text(&row, 2) == "t" {
                index.include.push(text(&row, 3));
                continue;
            }
            index.keys.push(Key {
                sql: text(&row, 3),
                operator_class: optional(text(&row, 4)),
                collation: optional(text(&row, 5)),
                descending: text(&row, 6) == "t",
                nulls_first: text(&row, 7) == "t",
            });
        }
        Ok(read)
    }
}
