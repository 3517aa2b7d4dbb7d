//! An index on trial: built, weighed and dropped again.

use std::time::Instant;

use tokio_postgres::Client;

use super::facts::{number, rows, text};
use super::measure::MeasureError;
use super::session::MeasuringSession;

/// An index that was built.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltIndex {
    /// The name that PostgreSQL gave it.
    pub name: String,
    /// That, as SQL writes it.
    pub quoted: String,
    /// That with its schema, as SQL writes it.
    sql: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How long it took to build, in milliseconds.
    pub build_ms: f64,
    /// Write-ahead log of the build, in bytes.
    pub build_wal_bytes: u64,
}

/// Whether the statistics of the table are taken anew behind a build: an index on an expression has some of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewStatistics {
    /// They are.
    Taken,
    /// They stay.
    Kept,
}

impl MeasuringSession<'_> {
    /// Builds an index; `columns` is what follows the table in `CREATE INDEX`. What PostgreSQL refuses is an inner error, in its words.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn build_index(
        &self,
        table: &str,
        columns: &str,
        statistics: NewStatistics,
    ) -> Result<Result<BuiltIndex, String>, MeasureError> {
        self.refused(build(self.client(), table, columns, statistics).await).await
    }

    /// Drops an index that was built.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn drop_index(&self, index: &BuiltIndex) -> Result<Result<(), String>, MeasureError> {
        let dropped = self.client().batch_execute(&format!("DROP INDEX {}", index.sql)).await;
        self.refused(dropped).await
    }

    /// Rows of a table for which a condition holds, and all of them.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn share(
        &self,
        table: &str,
        predicate: &str,
    ) -> Result<Result<(u64, u64), String>, MeasureError> {
        let counted = async {
            let sql = format!("SELECT count(*) FILTER (WHERE {predicate}), count(*) FROM {table}");
            let counted = rows(self.client(), &sql).await?;
            Ok::<_, tokio_postgres::Error>(
                counted.first().map(|row| (number(row, 0), number(row, 1))).unwrap_or_default(),
            )
        };
        self.refused(counted.await).await
    }
}

async fn build(
    client: &Client,
    table: &str,
    columns: &str,
    statistics: NewStatistics,
) -> Result<BuiltIndex, tokio_postgres::Error> {
    client.batch_execute("SET statement_timeout = 0").await?;
    let position = wal_position(client).await?;
    let began = Instant::now();
    client.batch_execute(&format!("CREATE INDEX ON {table} {columns}")).await?;
    let build_ms = began.elapsed().as_secs_f64() * 1000.0;
    let build_wal_bytes = wal_position(client).await?.saturating_sub(position);
    if statistics == NewStatistics::Taken {
        client.batch_execute(&format!("ANALYZE {table}")).await?;
    }
    let newest = format!(
        "select c.relname, quote_ident(c.relname), format('%I.%I', n.nspname, c.relname), \
         coalesce((select sum(pg_relation_size(relid)) from pg_partition_tree(c.oid)), pg_relation_size(c.oid))::bigint \
         from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace \
         where i.indrelid = '{}'::regclass order by c.oid::bigint desc limit 1",
        table.replace('\'', "''")
    );
    let found = rows(client, &newest).await?;
    let told = |row| (text(row, 0), text(row, 1), text(row, 2), number(row, 3));
    let (name, quoted, sql, bytes) = found.first().map(told).unwrap_or_default();
    Ok(BuiltIndex { name, quoted, sql, bytes, build_ms, build_wal_bytes })
}

/// Bytes of write-ahead log since the beginning.
async fn wal_position(client: &Client) -> Result<u64, tokio_postgres::Error> {
    let sql = "select (pg_current_wal_insert_lsn() - '0/0')::bigint";
    Ok(rows(client, sql).await?.first().map(|row| number(row, 0)).unwrap_or_default())
}
