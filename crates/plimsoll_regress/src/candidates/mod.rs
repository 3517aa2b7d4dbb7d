//! Indexes that might serve queries, from the plans that were measured. What they are worth is for a server to show.
//!
//! A B-tree finds rows by its leading columns that are compared for equality, then by one range, and returns them in the order of
//! what follows. So candidates are made of equal columns first, then of one range or of the ordering columns. Not proposed: other
//! access methods, indexes for arms of an OR, and for conditions on what isn't a relation's own column or an immutable expression of
//! its columns.

mod expression;
mod needs;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::PlanNode;

use crate::indexes::{Index, Key};
use crate::record::Facts;
use needs::{Need, needs};

/// A relation that can have indexes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The qualified name of the partitioned relation that it belongs to at last; its own if to none.
    pub root: String,
    /// Its qualified name as SQL writes it.
    pub sql: String,
    /// Whether it is partitioned.
    pub partitioned: bool,
}

/// What a database has.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Its relations' columns.
    pub facts: &'a Facts,
    /// Relations that can have indexes, by qualified name as `pg_class` has it.
    pub tables: &'a BTreeMap<String, Table>,
    /// Its indexes.
    pub indexes: &'a [Index],
}

/// A query's plan with one set of its values.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// The query's text with `$n` for its parameters.
    pub sql: &'a str,
    /// The plan, as `EXPLAIN (ANALYZE, BUFFERS, VERBOSE)` shows it.
    pub plan: &'a PlanNode,
}

/// An index that might serve queries.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The relation's qualified name, as `pg_class` has it.
    pub relation: String,
    /// Its keys.
    pub keys: Vec<Key>,
    /// Columns that it holds beside them, as SQL writes them.
    pub include: Vec<String>,
    /// The condition of a partial index, which a query's own text holds.
    pub predicate: Option<String>,
}

impl Candidate {
    /// Columns in all, and one more for a condition: the fewer, the simpler.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.keys.len() + self.include.len() + usize::from(self.predicate.is_some())
    }

    /// What follows the relation in `CREATE INDEX`.
    #[must_use]
    pub fn columns(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(key_sql).collect();
        let mut sql = format!("({})", keys.join(", "));
        if !self.include.is_empty() {
            sql.push_str(&format!(" INCLUDE ({})", self.include.join(", ")));
        }
        if let Some(predicate) = &self.predicate {
            sql.push_str(&format!(" WHERE {predicate}"));
        }
        sql
    }

    /// Whether it does all that another one does, and maybe more.
    #[must_use]
    pub fn serves(&self, other: &Self) -> bool {
        let held =
            |column: &String| self.include.contains(column) || self.keys.iter().any(|key| key.sql == *column);
        self.relation == other.relation
            && self.predicate == other.predicate
            && self.keys.len() >= other.keys.len()
            && other.keys.iter().zip(&self.keys).all(|(one, its)| one.is_like(its))
            && other.include.iter().all(held)
    }
}

fn key_sql(key: &Key) -> String {
    let class = key.operator_class.as_ref().map(|class| format!(" {class}")).unwrap_or_default();
    let order = match (key.descending, key.nulls_first) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    };
    format!("{}{class}{order}", key.sql)
}

/// Key columns of a candidate: a wider index rarely finds more, and costs each write.
pub const MOST_KEYS: usize = 4;
/// Columns that a candidate includes, so that its relation needn't be read.
pub const MOST_INCLUDED: usize = 3;
/// Scans that touch fewer blocks are well served.
pub const FEWEST_BLOCKS: u64 = 20;
/// Ranges of one scan that are tried.
const MOST_RANGES: usize = 2;

/// Candidates for these plans, at most `most`, those first that the scans with most blocks ask for: of each scan its likeliest, then of
/// each its second, and so on. What an index already serves isn't among them.
#[must_use]
pub fn candidates(plans: &[Planned], ground: &Ground, most: usize) -> Vec<Candidate> {
    let mut wanted: Vec<Need> = plans.iter().flat_map(|one| needs(one.plan, one.sql, ground)).collect();
    wanted.retain(|need| need.blocks >= FEWEST_BLOCKS);
    wanted.sort_by_key(|need| std::cmp::Reverse(need.blocks));
    // One order of equal columns for all queries, so that an index serves as many as may be.
    let mut uses: BTreeMap<(String, String), usize> = BTreeMap::new();
    for need in &wanted {
        for key in need.equal.iter().chain(&need.joins) {
            *uses.entry((need.relation.clone(), key.sql.clone())).or_default() += 1;
        }
    }
    for need in &mut wanted {
        let relation = need.relation.clone();
        let rank = |key: &Key| {
            let count = uses.get(&(relation.clone(), key.sql.clone())).copied().unwrap_or_default();
            (std::cmp::Reverse(count), key.sql.clone())
        };
        need.equal.sort_by_key(rank);
        need.joins.sort_by_key(rank);
    }
    let variants: Vec<Vec<Candidate>> = wanted.iter().map(variants).collect();
    let longest = variants.iter().map(Vec::len).max().unwrap_or_default();
    let mut seen = BTreeSet::new();
    let by_rank = (0..longest).flat_map(|rank| variants.iter().filter_map(move |of| of.get(rank)));
    by_rank
        .filter(|one| seen.insert((*one).clone()))
        .filter(|one| !ground.indexes.iter().any(|index| is_served(one, index)))
        .take(most)
        .cloned()
        .collect()
}

/// What might serve one scan, the likeliest first.
fn variants(need: &Need) -> Vec<Candidate> {
    let mut found = Vec::new();
    let all = joined(&need.equal, &need.joins);
    let mut bases = vec![need.equal.clone(), all];
    bases.extend(need.joins.iter().map(|key| vec![key.clone()]));
    for base in &bases {
        for range in
            need.ranges.iter().filter(|range| base.iter().all(|key| key.sql != range.sql)).take(MOST_RANGES)
        {
            push(&mut found, need, joined(base, std::slice::from_ref(range)), None);
        }
        if !need.order.is_empty() {
            push(&mut found, need, joined(base, &need.order), None);
        }
        push(&mut found, need, base.clone(), None);
    }
    for (about, predicate) in &need.constants {
        let rest: Vec<Key> = need.equal.iter().filter(|key| key.sql != about.sql).cloned().collect();
        let tail = need.ranges.first().map(std::slice::from_ref).unwrap_or(&need.order);
        let mut keys = joined(&rest, tail);
        if keys.is_empty() {
            keys = need.joins.first().or(Some(about)).into_iter().cloned().collect();
        }
        push(&mut found, need, keys, Some(predicate));
    }
    let plain = found.clone();
    for one in plain.iter().filter(|one| one.predicate.is_none()) {
        let held = |column: &&String| one.keys.iter().all(|key| key.sql != **column);
        let include: Vec<String> = need.columns.iter().filter(held).cloned().collect();
        if !include.is_empty() && include.len() <= MOST_INCLUDED {
            found.push(Candidate { include, ..one.clone() });
        }
    }
    for key in need.equal.iter().filter(|_| need.equal.len() > 1) {
        push(&mut found, need, vec![key.clone()], None);
    }
    found
}

/// Keys with those behind them that aren't among them yet.
fn joined(keys: &[Key], more: &[Key]) -> Vec<Key> {
    let mut all = keys.to_vec();
    for key in more {
        if all.iter().all(|known| known.sql != key.sql) {
            all.push(key.clone());
        }
    }
    all
}

fn push(found: &mut Vec<Candidate>, need: &Need, mut keys: Vec<Key>, predicate: Option<&String>) {
    keys.truncate(MOST_KEYS);
    if keys.is_empty() {
        return;
    }
    let candidate = Candidate {
        relation: need.relation.clone(),
        keys,
        include: Vec::new(),
        predicate: predicate.cloned(),
    };
    if !found.contains(&candidate) {
        found.push(candidate);
    }
}

/// Whether an index does already what a candidate would.
fn is_served(candidate: &Candidate, index: &Index) -> bool {
    let its = Candidate {
        relation: index.relation.clone(),
        keys: index.keys.clone(),
        include: index.include.clone(),
        predicate: None,
    };
    index.method == "btree"
        && index.predicate.is_none()
        && its.serves(&Candidate { predicate: None, ..candidate.clone() })
}
