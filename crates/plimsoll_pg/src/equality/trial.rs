//! Two changes, each on a copy of one database, and whether they come to the same.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::rehearsal::StatementRecord;
use plimsoll_core::{ChangeScope, Outcome, Rehearsal};
use plimsoll_sql::Migration;

use super::contents::{Contents, read_contents};
use super::copies::{Copies, copy_database};
use super::rows::{Rows, RowsDifference, read_rows};
use crate::rehearse::{RehearseError, StatementObserver, rehearse};
use crate::server::PrivateServer;

/// Names for the copy that a change runs on: the second for a database that has the first.
const COPIES: [&str; 2] = ["plimsoll_copy", "plimsoll_other_copy"];
/// Differences that are told; the others are counted.
const MOST_TOLD: usize = 5;

/// What a change did on a copy, and what it left.
#[derive(Clone, Debug)]
struct Trial {
    rehearsal: Rehearsal,
    contents: Contents,
    rows: Rows,
}

/// Two changes on copies of one database.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The first.
    pub original: Rehearsal,
    /// The second.
    pub rewritten: Rehearsal,
    /// Why they don't come to the same, in words; none if they do.
    pub differences: Vec<String>,
    /// Columns, as `table.column`, whose values differ between two runs of the first change itself, such as random ones: of
    /// them only which are NULL was compared.
    pub unsteady: Vec<String>,
    /// Objects compared.
    pub objects: usize,
    /// Tables whose rows were compared.
    pub tables: usize,
    /// Rows compared.
    pub rows: u64,
}

/// A change that ran on a copy of a database, for others to be held against.
pub struct Original<'a> {
    server: &'a PrivateServer,
    database: &'a str,
    change: &'a [&'a Migration],
    trial: Trial,
}

impl<'a> Original<'a> {
    /// Runs the change on a copy of `database`, to which nobody may be connected.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn run(
        server: &'a PrivateServer,
        database: &'a str,
        change: &'a [&'a Migration],
        observer: StatementObserver<'_>,
    ) -> Result<Self, RehearseError> {
        let trial = run(server, database, change, &BTreeMap::new(), observer).await?;
        Ok(Self { server, database, change, trial })
    }

    /// Where and why the change fails; what comes after that has no meaning, and nothing can be held against it.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        failure(&self.trial, "the change as it is fails")
    }

    /// Runs another change on a copy, and compares what both leave.
    ///
    /// # Errors
    /// When the server is gone. A statement that fails is a difference.
    pub async fn compare(
        &self,
        rewritten: &[&Migration],
        observer: StatementObserver<'_>,
    ) -> Result<Compared, RehearseError> {
        let (server, database) = (self.server, self.database);
        let (first, steady) = (&self.trial, BTreeMap::new());
        let second = run(server, database, rewritten, &steady, observer).await?;
        if let Some(failure) = failure(&second, "the rewritten change fails") {
            return Ok(compared(first, second.rehearsal, vec![failure], &steady));
        }
        let in_schema: Vec<String> =
            first.contents.differences(&second.contents).iter().map(ToString::to_string).collect();
        if !in_schema.is_empty() {
            return Ok(compared(first, second.rehearsal, in_schema, &steady));
        }
        let in_rows = first.rows.differences(&second.rows);
        if in_rows.is_empty() {
            return Ok(compared(first, second.rehearsal, Vec::new(), &steady));
        }
        let again = run(server, database, self.change, &steady, observer).await?;
        let unsteady = columns(&first.rows.differences(&again.rows));
        if unsteady.is_empty() {
            return Ok(compared(first, second.rehearsal, in_words(in_rows), &unsteady));
        }
        let first = run(server, database, self.change, &unsteady, observer).await?;
        let second = run(server, database, rewritten, &unsteady, observer).await?;
        let in_rows = first.rows.differences(&second.rows);
        Ok(compared(&first, second.rehearsal, in_words(in_rows), &unsteady))
    }
}

fn in_words(differences: Vec<RowsDifference>) -> Vec<String> {
    differences.into_iter().map(|difference| difference.what).collect()
}

/// Runs a change on a copy, reads what it leaves, and drops the copy.
async fn run(
    server: &PrivateServer,
    database: &str,
    change: &[&Migration],
    left_out: &BTreeMap<String, BTreeSet<String>>,
    observer: StatementObserver<'_>,
) -> Result<Trial, RehearseError> {
    let copies = Copies::begin(server).await?;
    let copy = if database == COPIES[0] { COPIES[1] } else { COPIES[0] };
    copy_database(server, database, copy).await?;
    let rehearsal = rehearse(server, copy, change, ChangeScope::Together, observer).await?;
    let contents = read_contents(server, copy).await?;
    let rows = read_rows(server, copy, left_out).await?;
    copies.discard(server, copy).await?;
    Ok(Trial { rehearsal, contents, rows })
}

fn failure(trial: &Trial, what: &str) -> Option<String> {
    let failed = trial.rehearsal.statements.iter().find(|record| record.outcome != Outcome::Ok)?;
    let StatementRecord { file, line, error, .. } = failed;
    let why =
        error.as_ref().map_or_else(String::new, |error| format!(": {} ({})", error.message, error.sqlstate));
    Some(format!("{what} at {file}:{line}{why}"))
}

fn columns(differences: &[RowsDifference]) -> BTreeMap<String, BTreeSet<String>> {
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for difference in differences.iter().filter(|difference| !difference.columns.is_empty()) {
        columns.entry(difference.relation.clone()).or_default().extend(difference.columns.iter().cloned());
    }
    columns
}

fn compared(
    first: &Trial,
    rewritten: Rehearsal,
    mut differences: Vec<String>,
    unsteady: &BTreeMap<String, BTreeSet<String>>,
) -> Compared {
    if differences.len() > MOST_TOLD {
        let more = differences.len() - MOST_TOLD;
        differences.truncate(MOST_TOLD);
        differences.push(format!("{more} more differ"));
    }
    let unsteady = unsteady.iter().flat_map(|(table, columns)| {
        columns.iter().map(move |column| format!("{table}.{column}").replace('"', ""))
    });
    Compared {
        unsteady: unsteady.collect(),
        objects: first.contents.len(),
        tables: first.rows.tables(),
        rows: first.rows.count(),
        original: first.rehearsal.clone(),
        rewritten,
        differences,
    }
}
