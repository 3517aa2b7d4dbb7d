//! Indexes that a database has: which of them no plan took, and which another one makes needless.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::PlanNode;

use crate::candidates::Candidate;

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The qualified name of the relation, as `pg_class` has it.
    pub relation: String,
    /// Its schema's name and its own.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The access method.
    pub method: String,
    /// Its keys, in order.
    pub keys: Vec<Key>,
    /// Columns that it holds beside them, quoted where they must be.
    pub include: Vec<String>,
    /// The condition of a partial index.
    pub predicate: Option<String>,
    /// Whether it keeps rows apart.
    pub unique: bool,
    /// Whether NULLs count as equal for that.
    pub nulls_not_distinct: bool,
    /// The constraint that it is made for: a primary key, a unique or an exclusion constraint.
    pub constraint: Option<String>,
    /// A foreign key that points to its columns, or whose rows are found by it when what they point to is deleted.
    pub foreign_key: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// `CREATE INDEX`, as the server prints it.
    pub definition: String,
}

/// A key of an index: a column or an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The column, quoted where it must be, or the expression.
    pub sql: String,
    /// The operator class, where it isn't the type's own.
    pub operator_class: Option<String>,
    /// The collation, where it isn't the column's own.
    pub collation: Option<String>,
    /// `DESC`.
    pub descending: bool,
    /// `NULLS FIRST`.
    pub nulls_first: bool,
}

impl Key {
    /// Whether both order the same by the same; spaces and outer parentheses don't count.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        bare(&self.sql) == bare(&other.sql)
            && self.operator_class == other.operator_class
            && self.collation == other.collation
            && self.descending == other.descending
            && self.nulls_first == other.nulls_first
    }
}

/// An expression without what two spellings of it may differ in.
fn bare(sql: &str) -> String {
    sql.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '(' | ')')).collect()
}

/// An index that another one makes needless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duplicate<'a> {
    /// The needless one.
    pub index: &'a Index,
    /// The one that does its work.
    pub by: &'a Index,
    /// Whether the other one has more columns.
    pub is_prefix: bool,
}

/// The indexes that others make needless. Unique ones are needless beside their equals alone: as a prefix they still keep rows apart.
#[must_use]
pub fn duplicates(indexes: &[Index]) -> Vec<Duplicate<'_>> {
    let mut found: Vec<Duplicate> = Vec::new();
    for index in indexes {
        let needless = |by: &&Index| {
            !std::ptr::eq(index, *by) && serves(by, index) && (!serves(index, by) || yields(index, by))
        };
        // The smallest that does its work is the one that it duplicates.
        if let Some(by) = indexes.iter().filter(needless).min_by_key(|by| (by.keys.len(), by.include.len())) {
            found.push(Duplicate { index, by, is_prefix: by.keys.len() > index.keys.len() });
        }
    }
    found
}

/// The indexes that a new one would make needless.
#[must_use]
pub fn replaced<'a>(new: &Candidate, indexes: &'a [Index]) -> Vec<&'a Index> {
    let new = Index {
        relation: new.relation.clone(),
        method: "btree".to_owned(),
        keys: new.keys.clone(),
        include: new.include.clone(),
        // Another spelling of the same condition is possible, so none is compared.
        predicate: None,
        ..Index::default()
    };
    indexes.iter().filter(|index| index.predicate.is_none() && serves(&new, index)).collect()
}

/// Whether `by` finds, orders and keeps apart all that `index` does.
fn serves(by: &Index, index: &Index) -> bool {
    let same_ground =
        by.relation == index.relation && by.method == index.method && by.predicate == index.predicate;
    let longer_does = index.method == "btree" && !index.unique;
    let keys_fit = by.keys.len() == index.keys.len() || (longer_does && by.keys.len() > index.keys.len());
    let held = |column: &String| by.include.contains(column) || by.keys.iter().any(|key| key.sql == *column);
    let kept_apart = !index.unique || (by.unique && (index.nulls_not_distinct == by.nulls_not_distinct));
    let is_exclusion = index.constraint.is_some() && !index.unique;
    same_ground
        && keys_fit
        && kept_apart
        && !is_exclusion
        && index.keys.iter().zip(&by.keys).all(|(one, other)| one.is_like(other))
        && index.include.iter().all(held)
}

/// Which of two equals goes: the one that less hangs on, else the later name.
fn yields(index: &Index, by: &Index) -> bool {
    let weight = |index: &Index| (index.constraint.is_some(), index.unique);
    (weight(index), std::cmp::Reverse(&index.name)) < (weight(by), std::cmp::Reverse(&by.name))
}

/// Names of the indexes that plans take, by schema and name.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    names: BTreeSet<(String, String)>,
    relations: BTreeSet<String>,
}

impl Taken {
    /// Adds what a plan takes.
    pub fn add(&mut self, plan: &PlanNode) {
        self.walk(plan, "");
    }

    // An index is in its relation's schema; a bitmap index scan doesn't name its relation, but the node above it does.
    fn walk(&mut self, node: &PlanNode, schema: &str) {
        let schema = node.schema.as_deref().unwrap_or(schema);
        self.names.extend(node.index.iter().map(|index| (schema.to_owned(), index.clone())));
        self.relations.extend(node.qualified());
        for child in &node.children {
            self.walk(child, schema);
        }
    }

    /// The indexes that no plan takes, and whether a plan touches their relation. `roots` are the partitioned relations and indexes
    /// that partitions' belong to, by qualified name.
    #[must_use]
    pub fn unused<'a>(
        &self,
        indexes: &'a [Index],
        roots: &BTreeMap<String, String>,
    ) -> Vec<(&'a Index, bool)> {
        let root = |name: String| roots.get(&name).cloned().unwrap_or(name);
        let taken: BTreeSet<String> =
            self.names.iter().map(|(schema, name)| root(format!("{schema}.{name}"))).collect();
        let relations: BTreeSet<String> = self.relations.iter().map(|name| root(name.clone())).collect();
        let unused = indexes.iter().filter(|one| !taken.contains(&format!("{}.{}", one.schema, one.name)));
        unused.map(|one| (one, relations.contains(&one.relation))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: &str, keys: &[&str]) -> Index {
        let keys = keys.iter().map(|key| Key { sql: (*key).to_owned(), ..Key::default() }).collect();
        let names = |text: &str| text.to_owned();
        Index {
            relation: names("public.t"),
            schema: names("public"),
            name: names(name),
            method: names("btree"),
            keys,
            ..Index::default()
        }
    }

    fn check(indexes: &[Index], expected: &[(&str, &str)]) {
        let found = duplicates(indexes);
        let seen: Vec<(&str, &str)> =
            found.iter().map(|one| (one.index.name.as_str(), one.by.name.as_str())).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn equals_and_prefixes_are_duplicates() {
        check(&[index("a", &["x"]), index("b", &["x"])], &[("b", "a")]);
        check(&[index("a", &["x"]), index("b", &["x", "y"])], &[("a", "b")]);
        check(&[index("a", &["y"]), index("b", &["x", "y"])], &[]);
        check(&[index("a", &["(lower(x))"]), index("b", &["lower(x)"])], &[("b", "a")]);
    }

    #[test]
    fn a_wider_index_replaces_a_narrower_one() {
        let new = |keys: &[&str]| Candidate {
            relation: "public.t".into(),
            keys: index("", keys).keys,
            ..Candidate::default()
        };
        let there = [index("a", &["x"]), Index { unique: true, ..index("b", &["x"]) }, index("c", &["y"])];
        let names = |found: Vec<&Index>| found.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(replaced(&new(&["x", "y"]), &there)), ["a"]);
        assert!(replaced(&new(&["z"]), &there).is_empty());
    }

    #[test]
    fn what_orders_otherwise_is_none() {
        let mut descending = index("b", &["x"]);
        descending.keys[0].descending = true;
        let mut pattern = index("c", &["x"]);
        pattern.keys[0].operator_class = Some("text_pattern_ops".into());
        let partial = Index { predicate: Some("(y = 1)".into()), ..index("d", &["x"]) };
        let hash = Index { method: "hash".into(), ..index("e", &["x"]) };
        let elsewhere = Index { relation: "public.u".into(), ..index("f", &["x"]) };
        check(&[index("a", &["x"]), descending, pattern, partial, hash, elsewhere], &[]);
    }

    #[test]
    fn unique_indexes_stay() {
        let unique = |name: &str, keys: &[&str]| Index { unique: true, ..index(name, keys) };
        check(&[unique("a", &["x"]), index("b", &["x", "y"])], &[]);
        check(&[index("a", &["x"]), unique("b", &["x"])], &[("a", "b")]);
        let primary = Index { constraint: Some("PRIMARY KEY".into()), ..unique("t_pkey", &["x"]) };
        check(&[unique("a", &["x"]), primary], &[("a", "t_pkey")]);
        let exclusion = Index { constraint: Some("EXCLUDE".into()), ..index("a", &["x"]) };
        check(&[exclusion, index("b", &["x", "y"])], &[]);
    }

    #[test]
    fn included_columns_must_be_held() {
        let including = Index { include: vec!["z".into()], ..index("a", &["x"]) };
        check(&[including.clone(), index("b", &["x", "y"])], &[]);
        check(&[including, index("b", &["x", "z"])], &[("a", "b")]);
    }

    #[test]
    fn an_index_of_a_partition_counts_for_its_root() {
        let plan = PlanNode {
            schema: Some("public".into()),
            relation: Some("t_1".into()),
            children: vec![PlanNode { index: Some("t_1_x_idx".into()), ..PlanNode::default() }],
            ..PlanNode::default()
        };
        let mut taken = Taken::default();
        taken.add(&plan);
        let roots = [("public.t_1_x_idx", "public.a"), ("public.t_1", "public.t")];
        let roots = roots.map(|(part, root)| (part.to_owned(), root.to_owned())).into();
        let indexes = [index("a", &["x"]), index("b", &["y"])];
        let unused = taken.unused(&indexes, &roots);
        assert_eq!(
            unused.iter().map(|(one, read)| (one.name.as_str(), *read)).collect::<Vec<_>>(),
            [("b", true)]
        );
    }
}
