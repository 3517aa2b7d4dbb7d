//! Partitions: what attaching, creating and detaching one locks and reads, and when PostgreSQL
//! can do without reading.
//!
//! Source: PostgreSQL documentation, "Partition Maintenance"; `PartConstraintImpliedByRelConstraint`.

use plimsoll_core::{LockMode, Work};

use super::{Cause, Model, Taken};
use crate::command::{Comparison, ConstraintKind, PartitionBound};
use crate::name::ObjectName;
use crate::schema::{Relation, ResolvedName};

impl Model<'_> {
    pub(super) fn create_partition(&mut self, parent: &ResolvedName, bound: Option<&PartitionBound>) {
        self.lock(parent, &Taken::new(LockMode::AccessExclusive, Cause::CreatePartition));
        self.read_default(parent, bound);
        self.lock_referenced_by(parent, None);
        self.lock_referencing(parent);
    }

    /// Tables that reference the partitioned table get triggers for its new partition.
    fn lock_referencing(&mut self, parent: &ResolvedName) {
        for referencing in self.schema.referencing(parent) {
            if referencing != parent {
                let taken = Taken::new(LockMode::ShareRowExclusive, Cause::CreateTableReferences);
                self.lock(referencing, &taken);
            }
        }
    }

    pub(super) fn attach_partition(
        &mut self,
        parent: &ResolvedName,
        partition: &ObjectName,
        bound: Option<&PartitionBound>,
        taken: &Taken,
    ) {
        self.lock(parent, &Taken { mode: LockMode::ShareUpdateExclusive, ..*taken });
        let partition = self.schema.resolve(partition);
        let taken = Taken { mode: LockMode::AccessExclusive, cause: Cause::AttachPartition, ..*taken };
        let (known_parent, known) = (self.schema.relation(parent), self.schema.relation(&partition));
        let keys =
            known_parent.and_then(|parent| parent.partition_key.as_ref()).map(|key| key.keys.as_slice());
        let implied = match (known, bound, keys) {
            (Some(known), Some(bound), Some(keys)) => implies_bound(known, keys, bound),
            _ => false,
        };
        // The first and only partition may be the default one: it takes all rows.
        let all = self.schema.is_known()
            && bound == Some(&PartitionBound::Default)
            && self.schema.partitions(parent).next().is_none();
        match implied || all {
            true => self.lock_all(&partition, &taken),
            false => self.work(&partition, &taken, Work::Scan),
        }
        // A key that the partition has of its own gives way to the parent's.
        let own_key = |references: &ObjectName| {
            known.is_some_and(|known| known.references().any(|own| own == references))
        };
        let referenced: Vec<ResolvedName> = known_parent
            .into_iter()
            .flat_map(|parent| parent.references())
            .filter(|references| own_key(references))
            .map(|references| self.schema.resolve(references))
            .collect();
        for referenced in &referenced {
            let taken = Taken::new(LockMode::AccessExclusive, Cause::CreateTableReferences);
            self.lock(referenced, &taken);
        }
        let mut unchecked = None;
        if let (Some(known_parent), Some(known)) = (known_parent, known) {
            unchecked = self.attach_keys(known_parent, &partition, known, &taken).then_some(Work::Scan);
        }
        self.read_default(parent, bound);
        self.lock_referenced_by(parent, unchecked);
    }

    /// An index of the parent that the partition lacks is built; a foreign key is checked.
    /// Returns whether a foreign key is.
    fn attach_keys(
        &mut self,
        parent: &Relation,
        name: &ResolvedName,
        partition: &Relation,
        taken: &Taken,
    ) -> bool {
        let has_key = |columns: &[String], unique: bool| {
            let by_constraint = partition.constraints.iter().any(|constraint| match &constraint.kind {
                ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key.columns == columns,
                _ => false,
            });
            let by_index = partition.indexes.iter().any(|index| {
                let keys: Vec<Option<&String>> = index.keys.iter().map(|key| key.column.as_ref()).collect();
                let wanted: Vec<Option<&String>> = columns.iter().map(Some).collect();
                !index.partial && keys == wanted && (index.unique || !unique)
            });
            by_constraint || by_index
        };
        let missing_index = parent.indexes.iter().any(|index| {
            let columns: Option<Vec<String>> = index.keys.iter().map(|key| key.column.clone()).collect();
            columns.is_none_or(|columns| !has_key(&columns, index.unique))
        });
        let missing_key = parent.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => !has_key(&key.columns, true),
            _ => false,
        });
        if missing_index || missing_key {
            self.work(name, &Taken { cause: Cause::AttachIndex, ..*taken }, Work::IndexBuild);
        }
        let unchecked = parent.constraints.iter().any(|constraint| {
            let same = |own: &ConstraintKind| match (own, &constraint.kind) {
                (
                    ConstraintKind::ForeignKey { columns: own, references: to, .. },
                    ConstraintKind::ForeignKey { columns, references, .. },
                ) => own == columns && to == references,
                _ => false,
            };
            matches!(constraint.kind, ConstraintKind::ForeignKey { .. })
                && !partition.constraints.iter().any(|own| own.validated && same(&own.kind))
        });
        if unchecked {
            self.work(name, taken, Work::Scan);
        }
        unchecked
    }

    /// A default partition is read through when another partition takes rows that it may hold.
    fn read_default(&mut self, parent: &ResolvedName, bound: Option<&PartitionBound>) {
        let Some(default) = self.schema.default_partition(parent).cloned() else { return };
        if bound == Some(&PartitionBound::Default) {
            return;
        }
        let keys = self.schema.relation(parent).and_then(|parent| parent.partition_key.as_ref());
        let excluded = match (self.schema.relation(&default), keys, bound) {
            (Some(known), Some(key), Some(bound)) => default_excludes(known, &key.keys, bound),
            _ => false,
        };
        let taken = Taken::new(LockMode::AccessExclusive, Cause::PartitionDefault);
        match excluded {
            true => self.lock_all(&default, &taken),
            false => self.work(&default, &taken, Work::Scan),
        }
    }

    /// A new partition gets the parent's foreign keys, whose triggers go to the referenced tables.
    fn lock_referenced_by(&mut self, parent: &ResolvedName, work: Option<Work>) {
        let Some(known) = self.schema.relation(parent) else { return };
        let referenced: Vec<ResolvedName> =
            known.references().map(|referenced| self.schema.resolve(referenced)).collect();
        for referenced in referenced {
            let taken = Taken::new(LockMode::ShareRowExclusive, Cause::CreateTableReferences);
            self.push(&referenced, &taken, work);
        }
    }

    pub(super) fn detach_partition(
        &mut self,
        parent: &ResolvedName,
        partition: &ObjectName,
        concurrently: bool,
        taken: &Taken,
    ) {
        let partition = self.schema.resolve(partition);
        if concurrently {
            self.lock(parent, &Taken { mode: LockMode::ShareUpdateExclusive, cause: Cause::Brief, ..*taken });
            // ACCESS EXCLUSIVE at the end, once everybody has let go of it.
            self.lock_all(
                &partition,
                &Taken { mode: LockMode::AccessExclusive, cause: Cause::Brief, ..*taken },
            );
            return;
        }
        let taken = Taken { mode: LockMode::AccessExclusive, cause: Cause::DetachPartition, ..*taken };
        self.lock(parent, &taken);
        self.lock_all(&partition, &taken);
        if let Some(default) = self.schema.default_partition(parent).cloned() {
            self.lock(&default, &taken);
        }
        self.lock_referenced_by(parent, None);
    }
}

fn comparisons(relation: &Relation) -> impl Iterator<Item = &Comparison> {
    relation.constraints.iter().filter(|constraint| constraint.validated).flat_map(|constraint| {
        match &constraint.kind {
            ConstraintKind::Check { comparisons, .. } => comparisons.as_slice(),
            _ => &[],
        }
    })
}

/// Whether a table's validated checks prove that all its rows lie within a bound, so that
/// attaching it reads nothing. Says no where it can't tell.
#[must_use]
pub fn implies_bound(relation: &Relation, keys: &[String], bound: &PartitionBound) -> bool {
    let holds = |column: &str, operators: &[&str], value: &str, wanted: &[std::cmp::Ordering]| {
        comparisons(relation).any(|comparison| {
            comparison.column == column
                && operators.contains(&comparison.operator.as_str())
                && comparison
                    .values
                    .first()
                    .and_then(|own| order(own, value))
                    .is_some_and(|o| wanted.contains(&o))
        })
    };
    use std::cmp::Ordering::{Equal, Greater, Less};
    match (bound, keys) {
        (PartitionBound::Range { from, to }, [key]) => {
            let from_holds = from.first().is_some_and(|from| {
                from == "minvalue"
                    || holds(key, &[">=", ">"], from, &[Greater, Equal])
                    || holds(key, &["="], from, &[Equal, Greater])
            });
            let to_holds = to.first().is_some_and(|to| {
                to == "maxvalue"
                    || holds(key, &["<"], to, &[Less, Equal])
                    || holds(key, &["<=", "="], to, &[Less])
            });
            relation.proves_not_null(key) && from_holds && to_holds
        }
        (PartitionBound::List(values), [key]) => {
            relation.proves_not_null(key)
                && comparisons(relation).any(|comparison| {
                    comparison.column == *key
                        && ["in", "="].contains(&comparison.operator.as_str())
                        && comparison.values.iter().all(|value| values.contains(value))
                })
        }
        _ => false,
    }
}

/// Whether the default partition's validated checks prove that it holds no row of a bound.
#[must_use]
pub fn default_excludes(default: &Relation, keys: &[String], bound: &PartitionBound) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let holds = |column: &str, operator: &str, value: &str, wanted: &[std::cmp::Ordering]| {
        comparisons(default).any(|comparison| {
            comparison.column == column
                && comparison.operator == operator
                && comparison
                    .values
                    .first()
                    .and_then(|own| order(own, value))
                    .is_some_and(|o| wanted.contains(&o))
        })
    };
    match (bound, keys) {
        (PartitionBound::Range { from, to }, [key]) => {
            // All below the lower bound, or all from the upper bound on.
            from.first()
                .is_some_and(|from| holds(key, "<", from, &[Less, Equal]) || holds(key, "<=", from, &[Less]))
                || to.first().is_some_and(|to| {
                    holds(key, ">=", to, &[Greater, Equal]) || holds(key, ">", to, &[Greater, Equal])
                })
                || from
                    .first()
                    .zip(to.first())
                    .is_some_and(|(from, to)| below_or_above(default, key, from, to))
        }
        (PartitionBound::List(values), [key]) => values.iter().all(|value| {
            comparisons(default).any(|comparison| {
                comparison.column == *key && comparison.operator == "<>" && comparison.values.contains(value)
            })
        }),
        _ => false,
    }
}

/// Whether a check says that the key lies below one constant or from another one on, the bound
/// being in between: `day < '2026-01-01' OR day >= '2027-01-01'`.
fn below_or_above(relation: &Relation, key: &str, from: &str, to: &str) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let excludes = |part: &str| {
        let mut words = part.trim_matches(['(', ')', ' ']).splitn(3, ' ');
        let (Some(column), Some(operator), Some(value)) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        let compared = |bound: &str, wanted: &[std::cmp::Ordering]| {
            order(value, bound).is_some_and(|found| wanted.contains(&found))
        };
        column.trim_matches('"') == key
            && match operator {
                "<" => compared(from, &[Less, Equal]),
                "<=" => compared(from, &[Less]),
                ">=" | ">" => compared(to, &[Greater, Equal]),
                "is" => value == "null",
                _ => false,
            }
    };
    relation.constraints.iter().filter(|constraint| constraint.validated).any(|constraint| {
        let ConstraintKind::Check { expression, .. } = &constraint.kind else { return false };
        let words: Vec<&str> = expression.split_whitespace().collect();
        let text = words.join(" ").to_ascii_lowercase();
        text.contains(" or ") && text.split(" or ").all(excludes)
    })
}

/// How two constants compare: as numbers, or as ISO dates and times, or equal texts.
pub(super) fn order(left: &str, right: &str) -> Option<std::cmp::Ordering> {
    let plain = |text: &str| text.trim_matches('\'').to_owned();
    let (left, right) = (plain(left), plain(right));
    // An f64 tells bigints apart up to 2^53 only.
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return Some(left.cmp(&right));
    }
    if let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) {
        return left.partial_cmp(&right);
    }
    let dated = |text: &str| text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    if left.is_ascii() && right.is_ascii() && dated(&left) && dated(&right) {
        // What lies behind a time in local figures: an offset from UTC, a zone's name, BC.
        let zone = |text: &str| {
            let local = |one: char| one.is_ascii_digit() || [' ', 'T', ':', '.'].contains(&one);
            text[10..].trim_start_matches(local).to_owned()
        };
        if zone(&left) != zone(&right) {
            return None;
        }
        let length = left.len().max(right.len());
        // A date is its midnight.
        let full = |text: &str| format!("{text}{}", &" 00:00:00.000000"[..(length - text.len()).min(16)]);
        return Some(full(&left).cmp(&full(&right)));
    }
    (left == right).then_some(std::cmp::Ordering::Equal)
}
