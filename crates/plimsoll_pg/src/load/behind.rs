//! A transaction that began before the change and lasts: a report, a backup, a session that somebody forgot. The change's
//! lock has to wait for it, and whoever comes later waits behind the change.

use std::time::Duration;

use plimsoll_core::LockMode;
use plimsoll_core::blocked::locks_in_the_way;
use plimsoll_core::rehearsal::Rehearsal;
use tokio_postgres::Client;

use super::error::LoadError;
use super::locks::ours;
use crate::server::PrivateServer;

/// A transaction to be open when the change begins.
#[derive(Clone, Debug, PartialEq)]
pub struct LongTransaction {
    /// How long it lasts after the change began.
    pub lasts: Duration,
    /// What it has locked: the weakest mode that the change has to wait for.
    pub locks: Vec<(String, LockMode)>,
}

impl LongTransaction {
    /// One that has read what the change locks against readers, and written what it locks against writers alone.
    #[must_use]
    pub fn against(rehearsal: &Rehearsal, lasts: Duration) -> Self {
        let locks = locks_in_the_way(rehearsal).into_iter().map(|lock| (lock.relation, lock.mode));
        Self { lasts, locks: locks.collect() }
    }

    /// Begins it. Relations that can't be locked by name (indexes, views, what the change itself renames later) are passed
    /// over: their tables are among the others.
    pub(super) async fn begin(&self, server: &PrivateServer, database: &str) -> Result<Client, LoadError> {
        let client = server.connect(database).await?;
        let begun = async {
            client.batch_execute("BEGIN").await?;
            for (relation, mode) in &self.locks {
                let (schema, name) = relation.split_once('.').unwrap_or(("public", relation));
                let quoted = format!("{}.{}", quoted(schema), quoted(name));
                let lock = match mode {
                    // A materialized view refuses LOCK TABLE.
                    LockMode::AccessShare => format!("SELECT FROM {quoted} LIMIT 0"),
                    mode => format!("LOCK TABLE {quoted} IN {} MODE", mode.sql()),
                };
                let taken = client.batch_execute(&format!("SAVEPOINT here; {lock}")).await;
                match taken {
                    Err(error) if error.as_db_error().is_some() => {
                        client.batch_execute("ROLLBACK TO SAVEPOINT here").await?;
                    }
                    result => result?,
                }
            }
            Ok::<(), tokio_postgres::Error>(())
        };
        match begun.await {
            Ok(()) => Ok(client),
            Err(error) => Err(ours(server, error).await),
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
