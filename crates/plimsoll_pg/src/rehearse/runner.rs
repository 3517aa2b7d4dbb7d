//! A session that runs a script's statements, each as it stands.

use std::io::Cursor;

use futures_util::SinkExt as _;
use plimsoll_core::SourceFile;
use plimsoll_sql::Statement;
use tokio_postgres::Client;
use tokio_postgres::error::{DbError, SqlState};

/// Runs one statement, with its rows if it is a `COPY … FROM STDIN`. Results are thrown away.
pub(crate) async fn run(
    client: &Client,
    source: &SourceFile,
    statement: &Statement,
) -> Result<(), tokio_postgres::Error> {
    let sql = &source.text()[statement.range.clone()];
    let Some(data) = &statement.copy_data else { return client.batch_execute(sql).await };
    let sink = client.copy_in::<_, Cursor<Vec<u8>>>(sql).await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(Cursor::new(source.text()[data.clone()].as_bytes().to_vec())).await?;
    sink.finish().await.map(|_| ())
}

/// The role that a refused statement misses.
///
/// Scripts grant to and hand over to roles of the real cluster, which a private server lacks.
pub(super) fn missing_role(refusal: &DbError) -> Option<&str> {
    // SET ROLE and SET SESSION AUTHORIZATION take it for a bad value.
    if ![SqlState::UNDEFINED_OBJECT, SqlState::INVALID_PARAMETER_VALUE].contains(refusal.code()) {
        return None;
    }
    refusal.message().strip_prefix("role \"")?.strip_suffix("\" does not exist")
}

/// Makes a role without any right.
pub(super) async fn create_role(observer: &Client, role: &str) -> Result<(), tokio_postgres::Error> {
    observer.batch_execute(&format!("CREATE ROLE \"{}\"", role.replace('"', "\"\""))).await
}
