//! What is recorded of a query: one outcome a parameter set, and the facts that explain a plan.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::PlanNode;
use plimsoll_core::plan::Wal;

use crate::shape::Shape;

/// What was recorded of the queries of one file, on one server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// The server's major version.
    pub server: u32,
    /// Planner settings that weren't the default, by name.
    pub settings: BTreeMap<String, String>,
    /// The queries, by name.
    pub queries: BTreeMap<String, RecordedQuery>,
}

/// What was recorded of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedQuery {
    /// Fingerprint of its text: 16 hexadecimal digits.
    pub text: String,
    /// What its plans were made from.
    pub facts: Facts,
    /// Its parameter sets, by name.
    pub sets: BTreeMap<String, Outcome>,
}

/// A parameter set of a query, by both names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedSet<'a> {
    /// The query.
    pub query: &'a str,
    /// The set.
    pub set: &'a str,
}

/// How a run of a query with one parameter set ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran.
    Ran(Box<Run>),
    /// The server refused it, or it ran out of time.
    Failed(Failed),
}

/// What the server said to a query that it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// SQLSTATE.
    pub sqlstate: String,
    /// The message.
    pub message: String,
}

/// What repeats of a run. Blocks are of 8 KiB.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// What it returned.
    pub result: ResultSum,
    /// Shared blocks found in shared buffers.
    pub shared_hit: u64,
    /// Shared blocks read into shared buffers.
    pub shared_read: u64,
    /// Blocks of temporary files read.
    pub temp_read: u64,
    /// Blocks of temporary files written.
    pub temp_written: u64,
    /// Write-ahead log.
    pub wal: Wal,
    /// Rows that scans looked at: returned, or thrown away by a filter.
    pub rows_read: u64,
    /// The planner's cost in total.
    pub cost: f64,
    /// The plan's shape.
    pub plan: Shape,
}

impl Run {
    /// What a plan with what a run of it showed comes to.
    #[must_use]
    pub fn of(root: &PlanNode, result: ResultSum) -> Self {
        Self {
            result,
            shared_hit: root.buffers.shared_hit,
            shared_read: root.buffers.shared_read,
            temp_read: root.buffers.temp_read,
            temp_written: root.buffers.temp_written,
            wal: root.wal,
            rows_read: rows_read(root),
            cost: root.total_cost.unwrap_or_default(),
            plan: Shape::of(root),
        }
    }

    /// Shared blocks touched.
    #[must_use]
    pub const fn shared(&self) -> u64 {
        self.shared_hit + self.shared_read
    }

    /// Blocks of temporary files read or written.
    #[must_use]
    pub const fn temp(&self) -> u64 {
        self.temp_read + self.temp_written
    }
}

/// Rows that the scans of a plan looked at, over all loops.
fn rows_read(root: &PlanNode) -> u64 {
    let mut rows = 0.0;
    root.walk(&mut |node| {
        if !node.node_type.ends_with("Scan") || node.node_type == "Bitmap Index Scan" {
            return;
        }
        let Some(actual) = node.actual else { return };
        let removed = node.rows_removed_by_filter.unwrap_or_default()
            + node.rows_removed_by_index_recheck.unwrap_or_default();
        rows += (actual.rows + removed) * actual.loops as f64;
    });
    rows.round() as u64
}

/// What a query returned, so that two results can be held against each other without keeping them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultSum {
    /// Rows returned, or changed by a statement that returns none.
    pub rows: u64,
    /// The hash of all rows; none where the result doesn't repeat, so that nothing of it is compared.
    pub hash: Option<ResultHash>,
}

/// The hash of a result's rows (XXH3, 64 bits), as 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultHash {
    /// Of the rows in their order, which the query asks for, and of the same in any order.
    Ordered {
        /// In their order.
        in_order: String,
        /// In any.
        as_a_set: String,
    },
    /// Of the rows in any order.
    Unordered(String),
}

/// What the planner knew: of the whole database, or of what one query uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Relations by qualified name.
    pub relations: BTreeMap<String, RelationFacts>,
    /// Columns by relation and name, `public.ships.draught`.
    pub columns: BTreeMap<String, ColumnFacts>,
    /// Definitions of indexes by qualified name.
    pub indexes: BTreeMap<String, String>,
}

/// A relation's size as the planner takes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelationFacts {
    /// `pg_class.reltuples`.
    pub rows: u64,
    /// `pg_class.relpages`.
    pub pages: u64,
}

/// What of a column leads to other plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnFacts {
    /// As `format_type` prints it.
    pub data_type: String,
    /// The collation, where it isn't the type's own.
    pub collation: Option<String>,
    /// The statistics target, where it is set.
    pub statistics: Option<i32>,
}

impl Facts {
    /// The facts of what these plans use: their relations, the indexes that they take, and the columns that their conditions name.
    #[must_use]
    pub fn used_by<'a>(&self, plans: impl Iterator<Item = &'a Shape>) -> Self {
        let mut used = Self::default();
        let mut words: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let (mut taken, mut all_words) = (BTreeSet::new(), BTreeSet::new());
        for plan in plans {
            plan.walk(&mut |node| {
                if let Some(relation) = node.relation() {
                    words.entry(relation.to_owned()).or_default();
                }
                taken.extend(node.index().map(str::to_owned));
                for (_, text) in &node.conditions {
                    all_words.extend(identifiers(text).map(str::to_owned));
                }
            });
        }
        for relation in words.keys() {
            if let Some(facts) = self.relations.get(relation) {
                used.relations.insert(relation.clone(), *facts);
            }
            let prefix = format!("{relation}.");
            let columns =
                self.columns.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix));
            for (name, facts) in columns {
                if all_words.contains(&name[prefix.len()..]) {
                    used.columns.insert(name.clone(), facts.clone());
                }
            }
        }
        for (name, definition) in &self.indexes {
            let bare = name.split_once('.').map_or(name.as_str(), |(_, bare)| bare);
            if taken.contains(bare) {
                used.indexes.insert(name.clone(), definition.clone());
            }
        }
        used
    }
}

/// The names in an expression, without their quotes.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'))
        .filter(|word| word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_'))
}
