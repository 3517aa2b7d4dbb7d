//! What the planner knows of a database: its relations' sizes, columns' types, indexes, and the settings that it heeds.

use std::collections::BTreeMap;

use plimsoll_regress::Facts;
use plimsoll_regress::compare::Context;
use plimsoll_regress::record::{ColumnFacts, RelationFacts};
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

/// What explains the plans of a database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The server's major version.
    pub server: u32,
    /// Settings that the planner heeds and that aren't the default, by name.
    pub settings: BTreeMap<String, String>,
    /// Relations, columns and indexes.
    pub facts: Facts,
}

impl State {
    /// What explains the runs of a query, with the fingerprint of its text.
    #[must_use]
    pub fn context<'a>(&'a self, text: &'a str) -> Context<'a> {
        Context { facts: &self.facts, server: self.server, settings: &self.settings, text }
    }
}

/// `jit` changes times alone, and those aren't recorded.
const SETTINGS: &str = "select name, current_setting(name) from pg_settings \
    where 'EXPLAIN' = any (pg_settings_get_flags(name)) and setting is distinct from boot_val \
    and name not in ('jit', 'search_path') order by 1";

const RELATIONS: &str = "select n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::bigint, c.relpages \
    from pg_class c join pg_namespace n on n.oid = c.relnamespace \
    where c.relkind in ('r', 'p', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

const COLUMNS: &str = "select n.nspname || '.' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod), \
    case when a.attcollation not in (0, t.typcollation) then (select collname from pg_collation where oid = a.attcollation) end, \
    nullif(a.attstattarget, -1) \
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace \
    join pg_type t on t.oid = a.atttypid \
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'm', 'f') and n.nspname !~ '^pg_' \
    and n.nspname <> 'information_schema'";

const INDEXES: &str = "select n.nspname || '.' || c.relname, pg_get_indexdef(c.oid) \
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace \
    where i.indisvalid and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

/// Reads what explains the plans of the database that a session is connected to.
///
/// # Errors
/// When the server is gone.
pub async fn read_state(client: &Client, server: u32) -> Result<State, tokio_postgres::Error> {
    let mut state = State { server, ..State::default() };
    for row in rows(client, SETTINGS).await? {
        state.settings.insert(text(&row, 0), text(&row, 1));
    }
    for row in rows(client, RELATIONS).await? {
        let facts = RelationFacts { rows: number(&row, 1), pages: number(&row, 2) };
        state.facts.relations.insert(text(&row, 0), facts);
    }
    for row in rows(client, COLUMNS).await? {
        let facts = ColumnFacts {
            data_type: text(&row, 1),
            collation: row.get(2).map(str::to_owned),
            statistics: row.get(3).and_then(|target| target.parse().ok()),
        };
        state.facts.columns.insert(text(&row, 0), facts);
    }
    for row in rows(client, INDEXES).await? {
        state.facts.indexes.insert(text(&row, 0), text(&row, 1));
    }
    Ok(state)
}

pub(super) async fn rows(client: &Client, sql: &str) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    let answer = client.simple_query(sql).await?;
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    };
    Ok(answer.into_iter().filter_map(row).collect())
}

pub(super) fn text(row: &SimpleQueryRow, column: usize) -> String {
    row.get(column).unwrap_or_default().to_owned()
}

pub(super) fn number(row: &SimpleQueryRow, column: usize) -> u64 {
    row.get(column).and_then(|number| number.parse().ok()).unwrap_or_default()
}
