//! The state before a change: earlier migrations, a schema dump, seeds.

use std::collections::BTreeSet;

use plimsoll_core::SourceFile;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::transaction::{Block, Place, places};
use plimsoll_sql::{Migration, Statement, TransactionHabit};
use tokio_postgres::Client;
use tokio_postgres::error::DbError;

use super::error::{RehearseError, catalog_error, described, refusal_of, statement_error};
use super::runner::{create_role, missing_role, run};
use crate::server::PrivateServer;

/// Runs a migration that the change builds on. Roles that it names and the server lacks are made.
///
/// # Errors
/// When a statement fails, with its place; or when the server is gone.
pub async fn replay(
    server: &PrivateServer,
    database: &str,
    migration: &Migration,
) -> Result<(), RehearseError> {
    let places = migration.places();
    Replay::connect(server, database, &migration.source).await?.run(&migration.statements, &places).await
}

/// Runs a script as `psql -f` does, each statement alone: a schema dump or a seed.
///
/// # Errors
/// When a statement fails, with its place; or when the server is gone.
pub async fn run_script(
    server: &PrivateServer,
    database: &str,
    source: &SourceFile,
) -> Result<(), RehearseError> {
    let (statements, _) = parse_script(source.text());
    let places = places(&statements, TransactionHabit::Statement);
    Replay::connect(server, database, source).await?.run(&statements, &places).await
}

/// Has every commit so far in the WAL's file. Commits don't wait for that here, and VACUUM takes no row for visible to all whose
/// commit isn't there: an index-only scan would look rows up in one run that it doesn't in the next.
const FLUSHED: &str =
    "BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_catalog.pg_current_xact_id(); COMMIT";

/// Vacuums and analyzes tables, or all of them, as autovacuum would have in time: hint bits are
/// set, the visibility map is filled, statistics are fresh.
///
/// # Errors
/// When the server is gone.
pub async fn analyze(
    server: &PrivateServer,
    database: &str,
    tables: Option<&BTreeSet<String>>,
) -> Result<(), RehearseError> {
    let client = server.connect(database).await?;
    let targets = match tables {
        None => String::new(),
        Some(tables) if tables.is_empty() => return Ok(()),
        Some(tables) => {
            let list = tables
                .iter()
                .map(|table| format!("'{}'", table.replace('\'', "''")))
                .collect::<Vec<_>>()
                .join(", ");
            existing_tables(server, &client, &list).await?
        }
    };
    if tables.is_some() && targets.is_empty() {
        return Ok(());
    }
    let vacuum = format!("VACUUM (ANALYZE) {targets}");
    let result = match client.batch_execute(FLUSHED).await {
        Ok(()) => client.batch_execute(&vacuum).await,
        failed => failed,
    };
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(catalog_error(server, error).await),
    }
}

/// Which of the tables, named `schema.name`, still exist, quoted for SQL.
async fn existing_tables(
    server: &PrivateServer,
    client: &Client,
    list: &str,
) -> Result<String, RehearseError> {
    let query = format!(
        "SELECT c.oid::regclass FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname || '.' || c.relname IN ({list}) ORDER BY 1"
    );
    let messages = match client.simple_query(&query).await {
        Ok(messages) => messages,
        Err(error) => return Err(catalog_error(server, error).await),
    };
    let names: Vec<String> =
        super::catalog::rows(messages).filter_map(|row| row.get(0).map(ToOwned::to_owned)).collect();
    Ok(names.join(", "))
}

struct Replay<'a> {
    server: &'a PrivateServer,
    source: &'a SourceFile,
    client: Client,
    /// Makes roles while the client is in a failed transaction.
    observer: Client,
}

/// A transaction that has to be run again from its start, now that a role exists.
struct Again;

impl<'a> Replay<'a> {
    async fn connect(
        server: &'a PrivateServer,
        database: &str,
        source: &'a SourceFile,
    ) -> Result<Self, RehearseError> {
        let client = server.connect(database).await?;
        let observer = server.connect(database).await?;
        Ok(Self { server, source, client, observer })
    }

    async fn run(&self, statements: &[Statement], places: &[Place]) -> Result<(), RehearseError> {
        let mut start = 0;
        while start < statements.len() {
            let transaction = places[start].transaction;
            let length = places[start..].iter().take_while(|place| place.transaction == transaction).count();
            let end = start + length;
            while self.run_transaction(&statements[start..end], places[start].block).await?.is_some() {}
            start = end;
        }
        Ok(())
    }

    async fn run_transaction(
        &self,
        statements: &[Statement],
        block: Block,
    ) -> Result<Option<Again>, RehearseError> {
        let ours = matches!(block, Block::Tool | Block::Batch);
        if ours {
            self.control("BEGIN").await?;
        }
        for statement in statements {
            let Err(error) = run(&self.client, self.source, statement).await else { continue };
            let refusal = refusal_of(self.server, &self.source.name(), &error).await?;
            if let Some(role) = missing_role(refusal) {
                self.control("ROLLBACK").await?;
                return match create_role(&self.observer, role).await {
                    Ok(()) => Ok(Some(Again)),
                    Err(_) => Err(self.refused(refusal, statement)),
                };
            }
            return Err(self.refused(refusal, statement));
        }
        if ours {
            // The script's own COMMIT makes this one a warning.
            self.control("COMMIT").await?;
        }
        Ok(None)
    }

    async fn control(&self, sql: &str) -> Result<(), RehearseError> {
        match self.client.batch_execute(sql).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // COMMIT checks deferred constraints.
                let refusal = refusal_of(self.server, &self.source.name(), &error).await?;
                Err(RehearseError::Script {
                    location: self.source.location(0..0),
                    message: described(refusal),
                    extra: String::new(),
                })
            }
        }
    }

    fn refused(&self, refusal: &DbError, statement: &Statement) -> RehearseError {
        let error = statement_error(refusal, self.source, statement.range.start);
        let mut location = self.source.location(statement.range.clone());
        (location.line, location.column) = (error.line, error.column);
        let mut extra = String::new();
        for (word, text) in [("detail", &error.detail), ("hint", &error.hint)] {
            if let Some(text) = text {
                extra.push_str(&format!("\n  {word}: {text}"));
            }
        }
        RehearseError::Script { location, message: described(refusal), extra }
    }
}
