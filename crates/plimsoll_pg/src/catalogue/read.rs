//! The one transaction in which a catalogue is read.

use std::fmt::Write as _;
use std::time::Duration;

use plimsoll_sql::snapshot::{FACT, LAST_LINE};
use tokio_postgres::SimpleQueryRow;

use super::error::CatalogueError;
use super::queries::{Bodies, HEAD, Rows, Section, heading, sections};
use super::session::{Session, Unanswered};
use super::target::Target;

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

/// Reads the catalogue of a server.
///
/// # Errors
/// When it can't be reached, is too old, refuses, or takes too long.
pub async fn take_snapshot(target: &Target, limits: Limits, bodies: Bodies) -> Result<Taken, CatalogueError> {
    let session = Session::begin(target, limits).await?;
    let mut taken = Taken { text: String::new(), refused: Vec::new() };
    push_lines(&mut taken.text, &session.run("server's version", HEAD).await?);
    for section in sections(bodies) {
        taken.text.push_str(&heading(section.title));
        read_section(&session, &section, &mut taken).await?;
    }
    session.end().await?;
    writeln!(taken.text, "\n{LAST_LINE}").unwrap_or_default();
    Ok(taken)
}

/// Reads one section. What the role may not see is noted, and the rest is read all the same.
async fn read_section(
    session: &Session<'_>,
    section: &Section,
    taken: &mut Taken,
) -> Result<(), CatalogueError> {
    let length = taken.text.len();
    match read_lines(session, section, &mut taken.text).await {
        Ok(()) => Ok(()),
        Err(Unanswered::Forbidden) => {
            taken.text.truncate(length);
            let fact = serde_json::json!({ "unseen": section.title });
            writeln!(taken.text, "{FACT} {fact}").unwrap_or_default();
            taken.refused.push(section.title);
            Ok(())
        }
        Err(Unanswered::Otherwise(error)) => Err(error),
    }
}

async fn read_lines(session: &Session<'_>, section: &Section, text: &mut String) -> Result<(), Unanswered> {
    let rows = session.attempt(section.title, section.sql).await?;
    match section.rows {
        Rows::Lines => push_lines(text, &rows),
        Rows::Queries => {
            for query in rows.iter().filter_map(|row| row.get(0)) {
                push_lines(text, &session.attempt(section.title, query).await?);
            }
        }
    }
    Ok(())
}

fn push_lines(text: &mut String, rows: &[SimpleQueryRow]) {
    for row in rows.iter().filter_map(|row| row.get(0)) {
        text.push_str(row);
        text.push('\n');
    }
}
