//! The one transaction in which a catalogue is read.

use std::fmt::Write as _;
use std::time::Duration;

use plimsoll_sql::snapshot::{FACT, LAST_LINE};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connect::connect;
use super::error::{CatalogueError, OLDEST_READABLE_MAJOR};
use super::queries::{Bodies, HEAD, Rows, Section, heading, preamble, sections};
use super::target::Target;
use crate::server::with_sources;

/// How long a server may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For a lock: longest wait behind a migration that holds ACCESS EXCLUSIVE.
    pub lock: Duration,
    /// For one query.
    pub statement: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            lock: Duration::from_secs(1),
            statement: Duration::from_secs(30),
        }
    }
}

/// A snapshot that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its text.
    pub text: String,
    /// What the role may not see at all, in the plural.
    pub refused: Vec<&'static str>,
}

/// How long an answer may be overdue before the server counts as dead.
const GRACE: Duration = Duration::from_secs(5);

/// Reads the catalogue of a server.
///
/// # Errors
/// When it can't be reached, is too old, refuses, or takes too long.
pub async fn take_snapshot(target: &Target, limits: Limits, bodies: Bodies) -> Result<Taken, CatalogueError> {
    let client = connect(target, limits.connect).await?;
    let reader = Reader { client, target, patience: limits.statement + GRACE };
    reader.check_version().await?;
    let begin = preamble(limits.lock.as_millis(), limits.statement.as_millis());
    reader.run("settings", &begin).await?;
    let mut taken = Taken { text: String::new(), refused: Vec::new() };
    reader.append(&mut taken.text, "server's version", HEAD).await?;
    for section in sections(bodies) {
        taken.text.push_str(&heading(section.title));
        reader.section(&section, &mut taken).await?;
    }
    reader.run("end", "commit").await?;
    writeln!(taken.text, "\n{LAST_LINE}").unwrap_or_default();
    Ok(taken)
}

struct Reader<'a> {
    client: Client,
    target: &'a Target,
    /// For one query.
    patience: Duration,
}

impl Reader<'_> {
    async fn check_version(&self) -> Result<(), CatalogueError> {
        let rows = self.run("version", "show server_version_num").await?;
        let number: u32 = rows.first().and_then(|row| row.parse().ok()).unwrap_or_default();
        match number / 10_000 {
            major if major >= OLDEST_READABLE_MAJOR => Ok(()),
            major => Err(CatalogueError::TooOld { server: self.target.shown().to_owned(), major }),
        }
    }

    /// Reads one section. What the role may not see is noted, and the rest is read all the same.
    async fn section(&self, section: &Section, taken: &mut Taken) -> Result<(), CatalogueError> {
        let length = taken.text.len();
        self.run(section.title, "savepoint section").await?;
        match self.lines(section, &mut taken.text).await {
            Ok(()) => {
                self.run(section.title, "release savepoint section").await?;
                Ok(())
            }
            Err(Failed::Forbidden) => {
                taken.text.truncate(length);
                self.run(section.title, "rollback to savepoint section").await?;
                let fact = serde_json::json!({ "unseen": section.title });
                writeln!(taken.text, "{FACT} {fact}").unwrap_or_default();
                taken.refused.push(section.title);
                Ok(())
            }
            Err(Failed::Otherwise(error)) => Err(error),
        }
    }

    async fn lines(&self, section: &Section, text: &mut String) -> Result<(), Failed> {
        let rows = self.ask(section.title, section.sql).await?;
        match section.rows {
            Rows::Lines => push_lines(text, rows),
            Rows::Queries => {
                for query in rows {
                    push_lines(text, self.ask(section.title, &query).await?);
                }
            }
        }
        Ok(())
    }

    async fn append(&self, text: &mut String, what: &str, sql: &str) -> Result<(), CatalogueError> {
        push_lines(text, self.run(what, sql).await?);
        Ok(())
    }

    async fn run(&self, what: &str, sql: &str) -> Result<Vec<String>, CatalogueError> {
        self.ask(what, sql).await.map_err(|failed| match failed {
            Failed::Forbidden => self.failed(what, "permission denied".to_owned()),
            Failed::Otherwise(error) => error,
        })
    }

    /// The first column of a query's rows.
    async fn ask(&self, what: &str, sql: &str) -> Result<Vec<String>, Failed> {
        let asked = self.client.simple_query(sql);
        let Ok(answer) = tokio::time::timeout(self.patience, asked).await else {
            // It may be busy; if it hears, it stops.
            let cancel = self.client.cancel_token();
            let _ = tokio::time::timeout(Duration::from_secs(1), cancel.cancel_query(tokio_postgres::NoTls))
                .await;
            return Err(Failed::Otherwise(CatalogueError::Silent {
                what: format!("read the {what}"),
                server: self.target.shown().to_owned(),
                after: self.patience,
            }));
        };
        let messages = answer.map_err(|error| match error.code() {
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Failed::Forbidden,
            _ => Failed::Otherwise(self.failed(what, explained(&error))),
        })?;
        let row = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }

    fn failed(&self, what: &str, why: String) -> CatalogueError {
        CatalogueError::Query { what: what.to_owned(), server: self.target.shown().to_owned(), why }
    }
}

enum Failed {
    /// The role may not.
    Forbidden,
    Otherwise(CatalogueError),
}

fn push_lines(text: &mut String, rows: Vec<String>) {
    for row in rows {
        text.push_str(&row);
        text.push('\n');
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
