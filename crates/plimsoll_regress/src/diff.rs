//! What became of a plan, in words: scans, joins, and what was added or has gone.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::units::count;

use crate::shape::Shape;

/// The differences between two plans, the weightiest first; none where they have one shape.
#[must_use]
pub fn differences(before: &Shape, after: &Shape) -> Vec<String> {
    if before.is_like(after) {
        return Vec::new();
    }
    let (old, new) = (Outline::of(before), Outline::of(after));
    let mut told = scans(&old, &new);
    told.extend(joins(&old, &new));
    if old.order.len() == new.order.len() && old.order != new.order && same_members(&old.order, &new.order) {
        told.push(format!("join order {} became {}", old.order.join(", "), new.order.join(", ")));
    }
    told.extend(others(&old, &new));
    if told.is_empty() {
        told.push("the plan has another shape".to_owned());
    }
    told
}

/// A plan by what its nodes are about.
#[derive(Default)]
struct Outline<'a> {
    /// Scans by relation and alias.
    scans: BTreeMap<&'a str, Scan<'a>>,
    /// The verb of each join and its buffers, by the relations below it.
    joins: BTreeMap<Vec<&'a str>, (&'a str, u64)>,
    /// Relations in the order in which they are joined.
    order: Vec<&'a str>,
    /// How often a verb stands for neither a scan nor a join.
    others: BTreeMap<&'a str, usize>,
}

struct Scan<'a> {
    node: &'a Shape,
    /// The index of a bitmap scan stands below it.
    bitmap_indexes: Vec<&'a str>,
    /// Conditions, those of a bitmap's index scans among them.
    conditions: Vec<(&'a str, &'a str)>,
}

impl Scan<'_> {
    fn label(&self) -> String {
        if self.bitmap_indexes.is_empty() {
            return self.node.label.clone();
        }
        let using = format!(" using {} on ", self.bitmap_indexes.join(", "));
        self.node.label.replacen(" on ", &using, 1)
    }
}

impl<'a> Outline<'a> {
    fn of(plan: &'a Shape) -> Self {
        let mut outline = Self::default();
        outline.add(plan);
        outline
    }

    /// Adds a node and those below it; returns the relations below it.
    fn add(&mut self, node: &'a Shape) -> BTreeSet<&'a str> {
        if let Some(target) = node.target().filter(|_| is_scan(node)) {
            let mut conditions = Vec::new();
            let mut indexes = Vec::new();
            node.walk(&mut |part| {
                conditions.extend(part.conditions.iter().map(|(kind, text)| (kind.as_str(), text.as_str())));
                if part.label.starts_with("Bitmap Index Scan") {
                    indexes.extend(part.index());
                }
            });
            self.order.push(target);
            self.scans.entry(target).or_insert(Scan { node, bitmap_indexes: indexes, conditions });
            return [target].into();
        }
        let mut below = BTreeSet::new();
        for child in &node.children {
            below.extend(self.add(child));
        }
        if is_join(node) {
            self.joins.insert(below.iter().copied().collect(), (node.verb(), node.buffers));
        } else if !node.label.is_empty() && !is_scan(node) && node.verb() != "Hash" {
            *self.others.entry(node.verb()).or_default() += 1;
        }
        below
    }
}

fn is_scan(node: &Shape) -> bool {
    node.verb().contains("Scan")
}

fn is_join(node: &Shape) -> bool {
    node.verb().ends_with("Join") || node.verb().contains("Nested Loop")
}

fn same_members(a: &[&str], b: &[&str]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

fn scans(old: &Outline, new: &Outline) -> Vec<String> {
    let mut told = Vec::new();
    for (target, before) in &old.scans {
        let Some(after) = new.scans.get(target) else {
            told.push(format!("{} is gone: {} buffers", before.label(), count(before.node.buffers)));
            continue;
        };
        let buffers = format!("{} → {} buffers", count(before.node.buffers), count(after.node.buffers));
        if before.label() == after.label() {
            if before.conditions != after.conditions {
                let (gone, come) = (without(before, after), without(after, before));
                told.push(format!("{}: {gone} became {come}: {buffers}", before.label()));
            }
        } else {
            told.push(format!("{} became {}: {buffers}", before.label(), after.label()));
        }
    }
    for (target, after) in &new.scans {
        if !old.scans.contains_key(target) {
            told.push(format!("{} is new: {} buffers", after.label(), count(after.node.buffers)));
        }
    }
    told
}

/// The conditions of a scan that another one lacks.
fn without(scan: &Scan, other: &Scan) -> String {
    let own = scan.conditions.iter().filter(|one| !other.conditions.contains(one));
    let told: Vec<String> = own.map(|(kind, text)| format!("{kind} {text}")).collect();
    if told.is_empty() { "no condition".to_owned() } else { told.join(" and ") }
}

fn joins(old: &Outline, new: &Outline) -> Vec<String> {
    let mut told = Vec::new();
    for (members, (before, old_buffers)) in &old.joins {
        if let Some((after, new_buffers)) = new.joins.get(members)
            && after != before
        {
            let (old_buffers, new_buffers) = (count(*old_buffers), count(*new_buffers));
            told.push(format!(
                "{before} became {after} of {}: {old_buffers} → {new_buffers} buffers",
                members.join(", ")
            ));
        }
    }
    told
}

fn others(old: &Outline, new: &Outline) -> Vec<String> {
    let verbs: BTreeSet<&str> = old.others.keys().chain(new.others.keys()).copied().collect();
    let mut told = Vec::new();
    for verb in verbs {
        let times = |outline: &Outline| outline.others.get(verb).copied().unwrap_or_default();
        match (times(old), times(new)) {
            (before, after) if before < after => told.push(format!("{verb} was added")),
            (before, after) if before > after => told.push(format!("{verb} is gone")),
            _ => {}
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(label: &str, buffers: u64, children: Vec<Shape>) -> Shape {
        Shape { label: label.to_owned(), buffers, children, ..Shape::default() }
    }

    fn check(before: &Shape, after: &Shape, expected: &[&str]) {
        assert_eq!(differences(before, after), expected);
    }

    #[test]
    fn a_lost_index_is_told_with_its_buffers() {
        let index = node("Index Scan using orders_customer_idx on public.orders", 3, Vec::new());
        let scan = node("Seq Scan on public.orders", 12_408, Vec::new());
        check(
            &node("Limit", 3, vec![index.clone()]),
            &node("Limit", 12_408, vec![node("Sort", 12_408, vec![scan])]),
            &[
                "Index Scan using orders_customer_idx on public.orders became Seq Scan on public.orders: 3 → 12,408 buffers",
                "Sort was added",
            ],
        );
        check(&index, &index, &[]);
    }

    #[test]
    fn a_bitmap_scan_goes_by_its_index() {
        let bitmap = node(
            "Bitmap Heap Scan on public.a x",
            9,
            vec![node("Bitmap Index Scan on a_n_idx", 2, Vec::new())],
        );
        check(
            &bitmap,
            &node("Seq Scan on public.a x", 90, Vec::new()),
            &["Bitmap Heap Scan using a_n_idx on public.a x became Seq Scan on public.a x: 9 → 90 buffers"],
        );
    }

    #[test]
    fn joins_and_their_order_are_told() {
        let scan = |name: &str| node(&format!("Seq Scan on public.{name}"), 5, Vec::new());
        let before =
            node("Hash Join", 15, vec![node("Nested Loop", 10, vec![scan("a"), scan("b")]), scan("c")]);
        let after =
            node("Merge Join", 20, vec![scan("c"), node("Nested Loop", 15, vec![scan("b"), scan("a")])]);
        check(
            &before,
            &after,
            &[
                "Hash Join became Merge Join of public.a, public.b, public.c: 15 → 20 buffers",
                "join order public.a, public.b, public.c became public.c, public.b, public.a",
            ],
        );
    }

    #[test]
    fn a_self_join_keeps_its_sides_apart_and_a_new_relation_is_told() {
        let scan = |alias: &str| node(&format!("Seq Scan on public.a {alias}"), 5, Vec::new());
        let index = node("Index Scan using a_pkey on public.a y", 2, Vec::new());
        check(
            &node("Hash Join", 10, vec![scan("x"), scan("y")]),
            &node("Hash Join", 9, vec![scan("x"), index, scan("z")]),
            &[
                "Seq Scan on public.a y became Index Scan using a_pkey on public.a y: 5 → 2 buffers",
                "Seq Scan on public.a z is new: 5 buffers",
            ],
        );
    }

    #[test]
    fn a_condition_that_moved_is_told() {
        let scan = |kind: &str, text: &str| Shape {
            conditions: vec![(kind.to_owned(), text.to_owned())],
            ..node("Index Scan using i on public.a", 3, Vec::new())
        };
        check(
            &scan("Index Cond", "(n = ?)"),
            &scan("Filter", "(lower(n) = ?)"),
            &[
                "Index Scan using i on public.a: Index Cond (n = ?) became Filter (lower(n) = ?): 3 → 3 buffers",
            ],
        );
    }
}
