//! A text's parts, joined in the file's order to a table.

use crate::error::TableError;
use crate::groups::Grouping;
use crate::kinds::{Kinds, Rule};
use crate::part::Part;
use crate::table::{ScoreColumn, Span, Table};
use crate::wanted::Wanted;

/// The columns of all parts so far.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) rows: u64,
    kinds: Kinds,
    positive: Vec<bool>,
    scores: Vec<Vec<f64>>,
    weights: Vec<f64>,
    groups: Grouping,
    span: Option<Span>,
}

impl Whole {
    pub(crate) fn new(wanted: &Wanted) -> Self {
        Self {
            rows: 0,
            kinds: Kinds::default(),
            positive: Vec::new(),
            scores: vec![Vec::new(); wanted.scores.len()],
            weights: Vec::new(),
            groups: Grouping::default(),
            span: None,
        }
    }

    /// Takes the kinds of labels of the next part, and tells where they are too many.
    pub(crate) fn join_kinds(&mut self, part: &Part, rule: &Rule, column: &str) -> Result<(), TableError> {
        self.kinds.join(&part.labels.kinds, self.rows);
        match self.kinds.one_too_many(rule) {
            Some(_) => Err(self.kinds.three(column)),
            None => Ok(()),
        }
    }

    /// Takes the rows of the next part, all of which are whole.
    pub(crate) fn join(&mut self, part: &Part) -> Result<(), TableError> {
        self.rows += part.rows as u64;
        self.positive.extend_from_slice(&part.positive);
        for (scores, later) in self.scores.iter_mut().zip(&part.scores) {
            scores.extend_from_slice(later);
        }
        self.weights.extend_from_slice(&part.weights);
        self.span = part.span.map(|span| span.joined_with(self.span)).or(self.span);
        self.groups.join(&part.groups).map_err(|_| TableError::ManyGroups)
    }

    /// The table, where it has rows whose labels tell which are positive.
    pub(crate) fn finish(self, wanted: &Wanted) -> Result<Table, TableError> {
        if self.rows == 0 {
            return Err(TableError::NoRows);
        }
        self.kinds.check(&Rule::new(wanted.positive.as_deref()), &wanted.label)?;
        self.kinds.check_named(wanted, &self.positive)?;
        Ok(Table {
            positive: trimmed(self.positive),
            scores: self.scores.into_iter().map(|scores| ScoreColumn::F64(trimmed(scores))).collect(),
            weights: wanted.weight.as_ref().map(|_| trimmed(self.weights)),
            groups: wanted.group.as_ref().map(|_| self.groups.finish()),
            days: self.span.map(Span::days),
        })
    }
}

fn trimmed<T>(mut column: Vec<T>) -> Vec<T> {
    column.shrink_to_fit();
    column
}
