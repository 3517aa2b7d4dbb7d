//! A read-only session with a server that isn't ours, within time limits.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::connect::connect;
use super::error::{CatalogueError, OLDEST_READABLE_MAJOR};
use super::queries::preamble;
use super::read::Limits;
use super::target::Target;
use crate::server::with_sources;

/// How long an answer may be overdue before the server counts as dead.
const GRACE: Duration = Duration::from_secs(5);

/// One read-only transaction, with one view of the server.
#[derive(Debug)]
pub struct Session<'a> {
    client: Client,
    target: &'a Target,
    major: u32,
    /// For one query.
    patience: Duration,
}

/// Why a query has no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// The role may not.
    Forbidden,
    /// Anything else.
    Otherwise(CatalogueError),
}

impl<'a> Session<'a> {
    /// Connects, and begins the transaction, which is repeatable read.
    ///
    /// # Errors
    /// When the server can't be reached, is too old, refuses, or takes too long.
    pub async fn begin(target: &'a Target, limits: Limits) -> Result<Self, CatalogueError> {
        let client = connect(target, limits.connect).await?;
        let mut session = Self { client, target, major: 0, patience: limits.statement + GRACE };
        session.check_version().await?;
        let begin = preamble(limits.lock.as_millis(), limits.statement.as_millis());
        session.run("settings", &begin).await?;
        Ok(session)
    }

    /// The server's major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The connection, with the settings that a client of this server has; the transaction stays, and its limits.
    pub(crate) async fn as_it_is(&self) -> Result<&Client, CatalogueError> {
        let reset = "reset search_path; reset datestyle; reset intervalstyle; reset standard_conforming_strings; \
                     reset quote_all_identifiers; reset jit";
        self.run("settings", reset).await?;
        Ok(&self.client)
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn end(self) -> Result<(), CatalogueError> {
        self.run("end", "commit").await.map(drop)
    }

    async fn check_version(&mut self) -> Result<(), CatalogueError> {
        let rows = self.run("version", "show server_version_num").await?;
        let number: u32 = rows.first().and_then(|row| row.get(0)?.parse().ok()).unwrap_or_default();
        self.major = number / 10_000;
        if self.major >= OLDEST_READABLE_MAJOR {
            return Ok(());
        }
        Err(CatalogueError::TooOld { server: self.target.shown().to_owned(), major: self.major })
    }

    /// The rows of a query that the role has to be allowed; `what` says in the plural what is read.
    ///
    /// # Errors
    /// When the server refuses, or doesn't answer in time.
    pub async fn run(&self, what: &str, sql: &str) -> Result<Vec<SimpleQueryRow>, CatalogueError> {
        self.ask(what, sql).await.map_err(|unanswered| match unanswered {
            Unanswered::Forbidden => self.failed(what, "permission denied".to_owned()),
            Unanswered::Otherwise(error) => error,
        })
    }

    /// The rows of a query behind a savepoint: the transaction goes on if it fails.
    ///
    /// # Errors
    /// When the server refuses, or doesn't answer in time.
    pub async fn attempt(&self, what: &str, sql: &str) -> Result<Vec<SimpleQueryRow>, Unanswered> {
        self.run(what, "savepoint attempt").await.map_err(Unanswered::Otherwise)?;
        let answer = self.ask(what, sql).await;
        let end = if answer.is_ok() { "release savepoint attempt" } else { "rollback to savepoint attempt" };
        // After a broken connection, the answer is the error that counts.
        match self.run(what, end).await {
            Err(error) if answer.is_ok() => Err(Unanswered::Otherwise(error)),
            _ => answer,
        }
    }

    /// The rows of a query.
    ///
    /// # Errors
    /// When the server refuses, or doesn't answer in time. The transaction has failed then.
    pub async fn ask(&self, what: &str, sql: &str) -> Result<Vec<SimpleQueryRow>, Unanswered> {
        let asked = self.client.simple_query(sql);
        let Ok(answer) = tokio::time::timeout(self.patience, asked).await else {
            // It may be busy; if it hears, it stops.
            let cancel = self.client.cancel_token();
            let _ = tokio::time::timeout(Duration::from_secs(1), cancel.cancel_query(tokio_postgres::NoTls))
                .await;
            return Err(Unanswered::Otherwise(CatalogueError::Silent {
                what: format!("read the {what}"),
                server: self.target.shown().to_owned(),
                after: self.patience,
            }));
        };
        let messages = answer.map_err(|error| match error.code() {
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Unanswered::Forbidden,
            _ => Unanswered::Otherwise(self.failed(what, explained(&error))),
        })?;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }

    fn failed(&self, what: &str, why: String) -> CatalogueError {
        CatalogueError::Query { what: what.to_owned(), server: self.target.shown().to_owned(), why }
    }
}

fn explained(error: &tokio_postgres::Error) -> String {
    let Some(error) = error.as_db_error() else { return with_sources(error) };
    let hint = match error.code().code() {
        "55P03" => {
            "; something holds ACCESS EXCLUSIVE on a table for longer: wait for it, or give more time by --lock-timeout"
        }
        "57014" => "; give it more time by --statement-timeout",
        _ => "",
    };
    format!("{} (SQLSTATE {}){hint}", error.message(), error.code().code())
}
