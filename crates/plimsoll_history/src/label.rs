//! What people say of alarms. All of it is kept, and the last counts.

use rusqlite::{Transaction, params};

use crate::case_id::{near, normal};
use crate::error::HistoryError;
use crate::file::{History, WriteError};

/// What somebody says of a measured query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It did get worse: an alarm was right, or one was missing.
    Confirmed,
    /// It didn't, or not so that it matters.
    Dismissed,
}

impl Judgement {
    /// The word that the file has.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }

    pub(crate) fn of_word(word: &str) -> Self {
        if word == Self::Confirmed.word() { Self::Confirmed } else { Self::Dismissed }
    }
}

/// A measured query that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its whole id.
    pub id: String,
    /// The query's name.
    pub query: String,
    /// What was said of it before.
    pub before: Option<Judgement>,
}

/// Ids that an error names.
const MOST_NAMED: u32 = 5;

impl History {
    /// Judges measured queries by their ids, or by what the ids begin with: all of them or none.
    ///
    /// # Errors
    /// Where no id or several begin so, or the file can't be written.
    pub fn label(
        &mut self,
        ids: &[String],
        judgement: Judgement,
        at_s: u64,
        note: Option<&str>,
    ) -> Result<Vec<Judged>, HistoryError> {
        self.write(|transaction| {
            let judged = ids.iter().map(|typed| {
                let judged = find(transaction, typed)?;
                transaction.execute(
                    "INSERT INTO labels (comparison, judgement, at_s, note) VALUES (?1, ?2, ?3, ?4)",
                    params![judged.id, judgement.word(), at_s.cast_signed(), note],
                )?;
                Ok(judged)
            });
            judged.collect()
        })
    }
}

fn find(transaction: &Transaction, typed: &str) -> Result<Judged, WriteError> {
    let wanted = normal(typed);
    let refused = |error| Err(WriteError::Refused(error));
    let mut select = transaction.prepare(
        "SELECT id, query, (SELECT judgement FROM labels WHERE comparison = comparisons.id ORDER BY labels.id DESC LIMIT 1)
         FROM comparisons WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT ?2",
    )?;
    let found = select.query_map(params![wanted, MOST_NAMED], |row| {
        let before: Option<String> = row.get(2)?;
        Ok(Judged { id: row.get(0)?, query: row.get(1)?, before: before.as_deref().map(Judgement::of_word) })
    })?;
    let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    if wanted.is_empty() || found.is_empty() {
        let near = near_ids(transaction, &wanted)?;
        return refused(HistoryError::UnknownId { id: typed.to_owned(), near });
    }
    if found.len() > 1 {
        let of = found.into_iter().map(|one| one.id).collect();
        return refused(HistoryError::AmbiguousId { id: typed.to_owned(), of });
    }
    Ok(found.remove(0))
}

fn near_ids(transaction: &Transaction, wanted: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = transaction.prepare("SELECT id FROM comparisons")?;
    let known = select.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(near(wanted, known.into_iter()))
}
