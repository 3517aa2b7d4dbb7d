//! The columns of some rows that stand together in a text, filled cell by cell.

use crate::error::Fault;
use crate::groups::Grouping;
use crate::kinds::Rule;
use crate::labels::Labels;
use crate::moment::moment;
use crate::number::{score, weight};
use crate::table::Span;
use crate::wanted::{Role, Wanted};

/// Columns of a part's rows. Where a row is refused, some columns are longer than others, and only its kinds of labels are of
/// use.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Rows that are whole.
    pub(crate) rows: usize,
    pub(crate) labels: Labels,
    pub(crate) positive: Vec<bool>,
    pub(crate) scores: Vec<Vec<f64>>,
    pub(crate) weights: Vec<f64>,
    pub(crate) groups: Grouping,
    pub(crate) span: Option<Span>,
}

impl Part {
    pub(crate) fn new(wanted: &Wanted) -> Self {
        Self {
            rows: 0,
            labels: Labels::new(Rule::new(wanted.positive.as_deref())),
            positive: Vec::new(),
            scores: vec![Vec::new(); wanted.scores.len()],
            weights: Vec::new(),
            groups: Grouping::default(),
            span: None,
        }
    }

    /// Takes a cell of the row that comes after the whole ones.
    #[inline]
    pub(crate) fn take(&mut self, role: Role, cell: &[u8]) -> Result<(), Fault> {
        match role {
            Role::Label => self.positive.push(self.labels.text(cell, self.rows)?),
            Role::Score(at) => self.scores[at].push(score(cell)?),
            Role::Weight => self.weights.push(weight(cell)?),
            Role::Group => self.groups.push(cell)?,
            Role::Time => self.span = Some(Span::at(moment(cell)?).joined_with(self.span)),
        }
        Ok(())
    }

    /// Begins another part, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        self.labels.clear();
        self.positive.clear();
        self.scores.iter_mut().for_each(Vec::clear);
        self.weights.clear();
        self.groups.clear();
        self.span = None;
    }
}
