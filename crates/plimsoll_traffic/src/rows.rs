//! Rows of answers, and whether later statements go through them.
//!
//! Values that mostly repeat may be a poll's, or foreign keys of rows that share them: those come in the order of the rows.

use std::collections::VecDeque;

use plimsoll_core::traffic::Feeder;

use crate::burst::LEAST;
use crate::hashed::ByNumber;
use crate::observed::Observed;
use crate::query::SeenQuery;

/// As many answers are looked into for where values came from.
const MOST_ANSWERS: usize = 8;
/// As many rows a loop may pass over from one statement to the next, those with NULL aside.
const MOST_SKIPPED: usize = 3;
/// As many columns of an answer, and values of a statement, are followed row by row.
pub(crate) const MOST_FOLLOWED: usize = 32;

/// The last answers of a session, one a query, the latest last.
#[derive(Default)]
pub(crate) struct Answers {
    rows: VecDeque<Rows>,
    seen: u64,
}

/// The rows of an answer, to be found in later statements' values.
pub(crate) struct Rows {
    pub(crate) query: usize,
    /// Which answer of the session's it is.
    number: u64,
    columns: usize,
    values: Vec<u64>,
    /// Whether no row is left out.
    is_whole: bool,
    names: Vec<Option<String>>,
    /// Column by value, made when the first value is looked for.
    by_value: Option<ByNumber<u64, usize>>,
}

impl Answers {
    /// Of one row's values nobody can tell that they were gone through.
    pub(crate) fn remember(&mut self, query: usize, observed: &Observed<'_>) {
        let (columns, values) = (observed.answer.columns(), observed.answer.values());
        if columns == 0 || values.len() < 2 * columns {
            return;
        }
        // The last answer of each query: a burst's own answers must not push out the one that feeds it.
        self.rows.retain(|rows| rows.query != query);
        if self.rows.len() >= MOST_ANSWERS {
            self.rows.pop_front();
        }
        self.seen += 1;
        self.rows.push_back(Rows {
            query,
            number: self.seen,
            columns,
            values: values.to_vec(),
            is_whole: values.len() as u64 >= observed.rows * columns as u64,
            names: (0..columns).map(|column| observed.answer.name(column)).collect(),
            by_value: None,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    /// Those of other queries, the latest first.
    pub(crate) fn others(&mut self, query: usize) -> impl Iterator<Item = &mut Rows> {
        self.rows.iter_mut().rev().filter(move |rows| rows.query != query)
    }

    /// Walks that the first statements of a run of this query have made, each of these having so many values.
    pub(crate) fn walks(&mut self, query: usize, statements: &[u64], width: usize) -> Vec<Walk> {
        let mut walks = Vec::new();
        for rows in self.others(query) {
            for position in 0..width {
                for column in 0..rows.columns.min(MOST_FOLLOWED) {
                    let mut walk = Walk::new(position, column, rows);
                    let mut values = statements.iter().skip(position).step_by(width);
                    if values.all(|value| walk.follow(rows, *value)) && walks.len() < MOST_FOLLOWED {
                        walks.push(walk);
                    }
                }
            }
        }
        walks
    }
}

impl Rows {
    /// The first column that holds a value.
    pub(crate) fn column_of(&mut self, value: u64) -> Option<usize> {
        let by_value = self.by_value.get_or_insert_with(|| {
            let values = self.values.iter().enumerate().rev();
            values.map(|(at, value)| (*value, at % self.columns)).collect()
        });
        by_value.get(&value).copied()
    }

    pub(crate) fn name(&self, column: usize) -> Option<String> {
        self.names.get(column).cloned().flatten()
    }

    /// The next row from `from` on that has a value in a column, and how many with others are passed over.
    fn next(&self, column: usize, from: usize, value: u64) -> Option<(usize, u64)> {
        let rows = self.values.iter().skip(column).step_by(self.columns).enumerate().skip(from);
        let candidates = rows.filter(|(_, value)| **value != 0).take(MOST_SKIPPED + 1);
        candidates
            .zip(0..)
            .find(|((_, candidate), _)| **candidate == value)
            .map(|((row, _), skipped)| (row, skipped))
    }

    /// Whether rows that weren't remembered come soon behind this one.
    fn breaks_off_behind(&self, row: usize) -> bool {
        !self.is_whole && row + MOST_SKIPPED >= self.values.len() / self.columns
    }
}

/// A run's way through the rows of an answer: one of its values comes from one column, row by row.
pub(crate) struct Walk {
    /// Which of the statement's values.
    pub(crate) position: usize,
    query: usize,
    column: usize,
    name: Option<String>,
    answer: u64,
    next_row: usize,
    followed: u64,
    missed: u64,
    skipped: u64,
    /// The answer is gone, or not remembered any further.
    has_ended: bool,
}

impl Walk {
    fn new(position: usize, column: usize, rows: &Rows) -> Self {
        Self {
            position,
            query: rows.query,
            column,
            name: rows.name(column),
            answer: rows.number,
            next_row: 0,
            followed: 0,
            missed: 0,
            skipped: 0,
            has_ended: false,
        }
    }

    /// Goes on with the next statement.
    pub(crate) fn step(&mut self, values: &[u64], answers: &Answers) {
        if self.has_ended {
            return;
        }
        let rows = answers.rows.iter().find(|rows| rows.number == self.answer);
        match (rows, values.get(self.position)) {
            (Some(rows), Some(value)) => drop(self.follow(rows, *value)),
            _ => self.has_ended = true,
        }
    }

    /// Whether the value is that of a row which comes next.
    fn follow(&mut self, rows: &Rows, value: u64) -> bool {
        match rows.next(self.column, self.next_row, value) {
            Some((row, skipped)) => {
                self.next_row = row + 1;
                self.skipped += skipped;
                self.followed += 1;
                true
            }
            None => {
                self.has_ended = rows.breaks_off_behind(self.next_row);
                self.missed += u64::from(!self.has_ended);
                false
            }
        }
    }

    /// How many statements went with it, if they hardly left it, and passed over less than every third row: values of which
    /// there are few are found soon everywhere.
    pub(crate) fn followed(&self) -> Option<u64> {
        let is_followed =
            self.followed >= LEAST && self.missed * 10 <= self.followed && self.skipped * 2 <= self.followed;
        is_followed.then_some(self.followed)
    }

    pub(crate) fn feeder(&self, queries: &[SeenQuery]) -> Feeder {
        feeder(&queries[self.query], self.name.as_ref(), self.column, self.followed)
    }
}

/// A query whose rows' column fed so many statements.
pub(crate) fn feeder(query: &SeenQuery, name: Option<&String>, column: usize, statements: u64) -> Feeder {
    Feeder {
        fingerprint: query.fingerprint.to_string(),
        query: query.text.clone(),
        column: name.cloned().unwrap_or_else(|| (column + 1).to_string()),
        statements,
    }
}
