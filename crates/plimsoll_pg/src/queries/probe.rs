//! What writing to a table takes: rows of it inserted once more with fresh keys, or updated, in a transaction that is rolled back.

use plimsoll_core::PlanNode;
use tokio_postgres::Client;

use super::facts::{number, rows, text};
use super::measure::{MeasureError, Trouble, explained, rolled_back};
use super::session::MeasuringSession;

/// Rows that a probe writes, if the table has as many.
pub const PROBE_ROWS: u64 = 1000;

/// What a probe took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The statement.
    pub sql: String,
    /// Whether it inserts; it updates otherwise.
    pub inserts: bool,
    /// Rows that it wrote.
    pub rows: u64,
    /// Write-ahead log in bytes.
    pub wal_bytes: u64,
    /// Shared blocks touched.
    pub buffers: u64,
}

/// A column of a table, as far as a probe must know it.
struct Column {
    /// As SQL writes it.
    sql: String,
    number: u64,
    data_type: String,
    /// Whether it gets a fresh value when it is left out, or can't be given one.
    is_left_out: bool,
    is_foreign_key: bool,
}

impl MeasuringSession<'_> {
    /// Writes to a table, as far as its constraints let it: inserts, or else updates this column. Why it can't be done is an inner error.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn probe_writes(
        &self,
        table: &str,
        column: Option<&str>,
    ) -> Result<Result<Probe, String>, MeasureError> {
        let columns = match self.refused(columns(self.client(), table).await).await? {
            Ok(columns) => columns,
            Err(why) => return Ok(Err(why)),
        };
        let insert = self.refused(insert(self.client(), table, &columns).await).await?;
        let why = match insert.and_then(|insert| insert) {
            Ok(sql) => match self.written(table, sql, true).await? {
                Ok(probe) => return Ok(Ok(probe)),
                Err(why) => why,
            },
            Err(why) => why,
        };
        match column.and_then(|column| update(table, columns.iter().find(|one| one.sql == *column)?)) {
            Some(sql) => Ok(self.written(table, sql, false).await?.map_err(|_| why)),
            None => Ok(Err(why)),
        }
    }

    /// Runs the statement once for the room that it needs, and once more to see what it takes.
    async fn written(
        &self,
        table: &str,
        sql: String,
        inserts: bool,
    ) -> Result<Result<Probe, String>, MeasureError> {
        let client = self.client();
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, WAL, VERBOSE, FORMAT JSON) {sql}");
        let vacuum = format!("VACUUM {table}");
        let run = async {
            let mut seen = None;
            for _ in 0..2 {
                seen = Some(rolled_back(client, async || explained(client, &explain).await).await?);
                client.batch_execute(&vacuum).await?;
            }
            Ok::<_, Trouble>(seen.unwrap_or_default())
        };
        let plan = match self.refused(run.await).await? {
            Ok(plan) => plan,
            Err(why) => return Ok(Err(format!("PostgreSQL refuses it: {why}"))),
        };
        // What looks up the greatest key stands beside the rows.
        let source = plan.root.children.iter().find(|child| child.subplan_name.is_none());
        let rows = source.map_or(0.0, PlanNode::total_rows) as u64;
        if rows == 0 {
            return Ok(Err("the table has no rows".to_owned()));
        }
        let (wal_bytes, buffers) = (plan.root.wal.bytes, plan.root.buffers.shared());
        Ok(Ok(Probe { sql, inserts, rows, wal_bytes, buffers }))
    }
}

async fn columns(client: &Client, table: &str) -> Result<Vec<Column>, tokio_postgres::Error> {
    let sql = format!(
        "select quote_ident(a.attname), a.attnum, t.typname, \
         a.attgenerated <> '' or a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false), \
         exists (select from pg_constraint f where f.contype = 'f' and f.conrelid = a.attrelid and a.attnum = any (f.conkey)) \
         from pg_attribute a join pg_type t on t.oid = a.atttypid \
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum \
         where a.attrelid = {} and a.attnum > 0 and not a.attisdropped order by a.attnum",
        regclass(table)
    );
    let column = |row: &tokio_postgres::SimpleQueryRow| Column {
        sql: text(row, 0),
        number: number(row, 1),
        data_type: text(row, 2),
        is_left_out: text(row, 3) == "t",
        is_foreign_key: text(row, 4) == "t",
    };
    Ok(rows(client, &sql).await?.iter().map(column).collect())
}

/// An INSERT of the table's first rows with a fresh value in a column of each unique index; or why there is none.
async fn insert(
    client: &Client,
    table: &str,
    columns: &[Column],
) -> Result<Result<String, String>, tokio_postgres::Error> {
    // The columns of an index's expressions are known by what it depends on.
    let unique = format!(
        "select c.relname, i.indisexclusion, k.attnum from pg_index i join pg_class c on c.oid = i.indexrelid \
         cross join lateral (select unnest(i.indkey::int2[])::int attnum union select refobjsubid from pg_depend \
           where classid = 'pg_class'::regclass and objid = c.oid and refobjid = i.indrelid) k \
         where i.indrelid = {} and (i.indisunique or i.indisexclusion) and k.attnum > 0 order by 1, 3",
        regclass(table)
    );
    let mut fresh: Vec<u64> = Vec::new();
    let read = rows(client, &unique).await?;
    for group in read.chunk_by(|one, other| text(one, 0) == text(other, 0)) {
        let name = text(&group[0], 0);
        if text(&group[0], 1) == "t" {
            return Ok(Err(format!("exclusion constraint {name} keeps copies of rows out")));
        }
        let of_index: Vec<&Column> = group
            .iter()
            .filter_map(|row| columns.iter().find(|column| column.number == number(row, 2)))
            .collect();
        let is_fresh = |column: &&Column| column.is_left_out || fresh.contains(&column.number);
        if of_index.iter().any(is_fresh) {
            continue;
        }
        let can = of_index.iter().find(|column| {
            !column.is_foreign_key && fresh_value(table, &column.sql, &column.data_type).is_some()
        });
        match can {
            Some(column) => fresh.push(column.number),
            None => {
                return Ok(Err(format!("no column of the unique index {name} can be given fresh values")));
            }
        }
    }
    let given: Vec<&Column> = columns.iter().filter(|column| !column.is_left_out).collect();
    if given.is_empty() {
        return Ok(Err("all its columns have values of their own".to_owned()));
    }
    let names: Vec<&str> = given.iter().map(|column| column.sql.as_str()).collect();
    let value = |column: &&Column| match fresh.contains(&column.number) {
        true => fresh_value(table, &column.sql, &column.data_type).unwrap_or_default(),
        false => format!("s.{}", column.sql),
    };
    Ok(Ok(format!(
        "INSERT INTO {table} ({}) SELECT {} FROM (SELECT r.*, row_number() OVER () AS plimsoll_row FROM (SELECT * FROM {table} \
         LIMIT {PROBE_ROWS}) r) s",
        names.join(", "),
        given.iter().map(value).collect::<Vec<_>>().join(", ")
    )))
}

/// A value that no row has yet.
fn fresh_value(table: &str, column: &str, data_type: &str) -> Option<String> {
    let beyond = |step: &str| format!("(SELECT max({column}) FROM {table}) + s.plimsoll_row{step}");
    Some(match data_type {
        "int2" | "int4" | "int8" | "numeric" | "float8" => format!("({})::{data_type}", beyond("")),
        "date" => beyond("::int"),
        "timestamp" | "timestamptz" => beyond(" * interval '1 second'"),
        "uuid" => "gen_random_uuid()".to_owned(),
        "text" | "varchar" | "citext" => format!("s.{column} || '.' || s.plimsoll_row"),
        _ => return None,
    })
}

/// An UPDATE that changes the column, so that no index of it is spared.
fn update(table: &str, column: &Column) -> Option<String> {
    let name = &column.sql;
    let changed = match column.data_type.as_str() {
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "date" => format!("{name} + 1"),
        "timestamp" | "timestamptz" => format!("{name} + interval '1 second'"),
        "text" | "varchar" | "citext" => format!("{name} || '.'"),
        "bool" => format!("NOT {name}"),
        "uuid" => "gen_random_uuid()".to_owned(),
        _ => return None,
    };
    Some(format!(
        "UPDATE {table} SET {name} = {changed} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} LIMIT {PROBE_ROWS}))"
    ))
}

fn regclass(table: &str) -> String {
    format!("'{}'::regclass", table.replace('\'', "''"))
}
