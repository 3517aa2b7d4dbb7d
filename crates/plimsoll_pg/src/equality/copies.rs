//! Copies of a database on a private server.

use std::collections::BTreeSet;

use tokio_postgres::SimpleQueryMessage;

use crate::rehearse::RehearseError;
use crate::server::{PrivateServer, SUPERUSER, with_sources};

/// Makes a copy of a database to which nobody is connected.
///
/// # Errors
/// When the server is gone, or somebody is connected.
pub async fn copy_database(server: &PrivateServer, from: &str, to: &str) -> Result<(), RehearseError> {
    // A session that has just ended may linger for a moment: the server waits up to five seconds for it.
    let sql = format!("CREATE DATABASE {} TEMPLATE {}", quoted(to), quoted(from));
    run(server, SUPERUSER, &sql).await
}

/// Drops a database, whoever is connected to it.
///
/// # Errors
/// When the server is gone.
pub async fn drop_database(server: &PrivateServer, database: &str) -> Result<(), RehearseError> {
    run(server, SUPERUSER, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(database))).await
}

/// What all databases of a server share, as it was: roles that a copy's change makes would be there for the next.
#[derive(Debug)]
pub struct Copies {
    roles: BTreeSet<String>,
}

impl Copies {
    /// Takes note of the roles that there are.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn begin(server: &PrivateServer) -> Result<Self, RehearseError> {
        Ok(Self { roles: roles(server).await? })
    }

    /// Drops a copy, and the roles that are new since [`Self::begin`].
    ///
    /// # Errors
    /// When the server is gone, or another database needs one of the roles.
    pub async fn discard(&self, server: &PrivateServer, database: &str) -> Result<(), RehearseError> {
        drop_database(server, database).await?;
        for role in roles(server).await?.difference(&self.roles) {
            run(server, SUPERUSER, &format!("DROP ROLE {}", quoted(role))).await?;
        }
        Ok(())
    }
}

async fn roles(server: &PrivateServer) -> Result<BTreeSet<String>, RehearseError> {
    let rows = ask(server, SUPERUSER, "SELECT rolname FROM pg_catalog.pg_roles").await?;
    Ok(rows.into_iter().flatten().collect())
}

/// Runs a statement that answers nothing.
async fn run(server: &PrivateServer, database: &str, sql: &str) -> Result<(), RehearseError> {
    ask(server, database, sql).await.map(|_| ())
}

/// The rows of a query's answer, in the order of their texts; NULL is an empty text. Names outside `pg_catalog` come with
/// their schema.
pub(super) async fn ask(
    server: &PrivateServer,
    database: &str,
    sql: &str,
) -> Result<Vec<Vec<String>>, RehearseError> {
    let client = server.connect(database).await?;
    client
        .batch_execute("SET search_path = ''")
        .await
        .map_err(|error| RehearseError::Catalog(with_sources(&error)))?;
    let messages =
        client.simple_query(sql).await.map_err(|error| RehearseError::Catalog(with_sources(&error)))?;
    let mut rows: Vec<Vec<String>> = messages
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        })
        .collect();
    rows.sort();
    Ok(rows)
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
