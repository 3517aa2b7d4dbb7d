//! A run, appended whole or not at all.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::case_id::{LENGTH, characters};
use crate::error::HistoryError;
use crate::file::{History, WriteError};
use crate::run::{Claim, Measured, Run};

/// What a run was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The run's number.
    pub run: i64,
    /// Ids of the measured queries, in their order.
    pub ids: Vec<String>,
}

impl History {
    /// Appends a run. One finding or comparison that a run has twice is kept once.
    ///
    /// # Errors
    /// When the file can't be written, other programs keep it locked, or a score isn't finite. Nothing is written then.
    pub fn append(&mut self, run: &Run) -> Result<Appended, HistoryError> {
        let odd = run.measured.iter().find(|one| !(one.score.is_finite() && one.threshold.is_finite()));
        if let Some(Measured { query, score, .. }) = odd {
            return Err(HistoryError::Score { query: query.clone(), score: *score });
        }
        self.write(|transaction| {
            let number = insert_run(transaction, run)?;
            insert_claims(transaction, number, &run.claims)?;
            let ids = run.measured.iter().map(|one| insert_measured(transaction, number, one));
            Ok(Appended { run: number, ids: ids.collect::<Result<_, _>>()? })
        })
    }
}

fn insert_run(transaction: &Transaction, run: &Run) -> Result<i64, WriteError> {
    let Run { at_s, kind, plimsoll, server, .. } = run;
    transaction.execute(
        "INSERT INTO runs (at_s, kind, plimsoll, server) VALUES (?1, ?2, ?3, ?4)",
        params![at_s.cast_signed(), kind.word(), plimsoll, server],
    )?;
    Ok(transaction.last_insert_rowid())
}

fn insert_claims(transaction: &Transaction, run: i64, claims: &[Claim]) -> Result<(), WriteError> {
    let mut by_finding: BTreeMap<String, &Claim> = BTreeMap::new();
    for claim in claims {
        let kept = by_finding.entry(claim.finding()).or_insert(claim);
        if claim.verdict < kept.verdict {
            *kept = claim;
        }
    }
    let mut insert = transaction.prepare(
        "INSERT INTO claims (run, finding, file, rule, statement, relation, verdict)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (finding, claim) in by_finding {
        let Claim { file, rule, statement, relation, verdict } = claim;
        insert.execute(params![run, finding, file, rule, statement, relation, verdict.word()])?;
    }
    Ok(())
}

/// Returns the comparison's id.
fn insert_measured(transaction: &Transaction, run: i64, measured: &Measured) -> Result<String, WriteError> {
    let Measured { comparison, score, threshold, alarmed, .. } = measured;
    let known = transaction
        .query_row("SELECT id FROM comparisons WHERE digest = ?1", [comparison], |row| row.get(0))
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => insert_comparison(transaction, measured)?,
    };
    transaction.execute(
        "INSERT OR REPLACE INTO measurements (comparison, run, score, threshold, alarmed) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, run, score, threshold, alarmed],
    )?;
    Ok(id)
}

/// The first characters of the digest that no other comparison has. No id is the beginning of another one.
fn insert_comparison(transaction: &Transaction, measured: &Measured) -> Result<String, WriteError> {
    let Measured { comparison, query, fingerprint, .. } = measured;
    let whole = characters(&crate::run::digest(&[comparison]));
    let taken = |id: &str| {
        transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM comparisons WHERE id = substr(?1, 1, length(id)) OR substr(id, 1, length(?1)) = ?1)",
            [id],
            |row| row.get::<_, bool>(0),
        )
    };
    let mut id = &whole[..LENGTH];
    while id.len() < whole.len() && taken(id)? {
        id = &whole[..id.len() + 1];
    }
    transaction.execute(
        "INSERT INTO comparisons (id, digest, query, fingerprint) VALUES (?1, ?2, ?3, ?4)",
        params![id, comparison, query, fingerprint],
    )?;
    Ok(id.to_owned())
}
