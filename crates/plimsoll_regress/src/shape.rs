//! A plan's shape: what each node does, on what and on which conditions, without costs and without literals; with the rows and
//! buffers that a run showed.

use plimsoll_core::PlanNode;
use plimsoll_core::plan::{Actual, Buffers, Condition};
use plimsoll_sql::NormalForm;

/// A node of a plan's shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// What it does, such as `Index Scan using ships_pkey on public.ships s`.
    pub label: String,
    /// EXPLAIN's name of a condition, and the condition with `?` for each literal.
    pub conditions: Vec<(String, String)>,
    /// Rows returned over all loops.
    pub rows: u64,
    /// Rows that the planner expected over all loops.
    pub expected: u64,
    /// Rows that a filter threw away, over all loops.
    pub removed: u64,
    /// Shared blocks touched by it and what is below it.
    pub buffers: u64,
    /// How often it ran.
    pub loops: u64,
    /// Its inputs.
    pub children: Vec<Self>,
}

/// Conditions that don't say which rows a node is about.
const NOT_OF_THE_SHAPE: [&str; 2] = ["Cache Mode", "Window"];

impl Shape {
    /// The shape of a plan.
    #[must_use]
    pub fn of(node: &PlanNode) -> Self {
        Self::with(node, &mut NormalForm::default())
    }

    fn with(node: &PlanNode, form: &mut NormalForm) -> Self {
        let loops = node.loops();
        let over_loops = |rows: Option<f64>| (rows.unwrap_or_default() * loops as f64).round() as u64;
        let expected = node.plan_rows.map(|rows| rows * loops.max(1) as f64);
        let conditions = node.conditions.iter().filter(|one| !NOT_OF_THE_SHAPE.contains(&one.kind.as_str()));
        Self {
            label: subplan(node) + &node.label(),
            conditions: conditions.map(|one| (one.kind.clone(), without_literals(&one.text, form))).collect(),
            rows: node.total_rows().round() as u64,
            expected: expected.unwrap_or_default().round() as u64,
            removed: over_loops(node.rows_removed_by_filter)
                + over_loops(node.rows_removed_by_join_filter)
                + over_loops(node.rows_removed_by_index_recheck),
            buffers: node.buffers.shared(),
            loops,
            children: node.children.iter().map(|child| Self::with(child, form)).collect(),
        }
    }

    /// Whether both do the same work in the same way, whatever it took.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.label == other.label
            && self.conditions == other.conditions
            && self.children.len() == other.children.len()
            && self.children.iter().zip(&other.children).all(|(a, b)| a.is_like(b))
    }

    /// The plan that a person is shown for it.
    #[must_use]
    pub fn to_plan(&self) -> PlanNode {
        let loops = self.loops.max(1) as f64;
        let conditions =
            self.conditions.iter().map(|(kind, text)| Condition { kind: kind.clone(), text: text.clone() });
        PlanNode {
            node_type: self.label.clone(),
            conditions: conditions.collect(),
            plan_rows: Some(self.expected as f64 / loops),
            actual: Some(Actual {
                startup_ms: None,
                total_ms: None,
                rows: self.rows as f64 / loops,
                loops: self.loops,
            }),
            rows_removed_by_filter: (self.removed > 0).then(|| self.removed as f64 / loops),
            buffers: Buffers { shared_hit: self.buffers, ..Buffers::default() },
            children: self.children.iter().map(Self::to_plan).collect(),
            ..PlanNode::default()
        }
    }

    /// What it does, without what it does it on: `Index Scan`.
    #[must_use]
    pub fn verb(&self) -> &str {
        let verb = self.label.split(" using ").next().unwrap_or_default();
        verb.split(" on ").next().unwrap_or_default()
    }

    /// The index that it takes.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        match self.label.split_once(" using ") {
            Some((_, rest)) => rest.split(" on ").next(),
            None => self.label.split_once("Bitmap Index Scan on ").map(|(_, index)| index),
        }
    }

    /// The qualified relation that it scans or writes.
    #[must_use]
    pub fn relation(&self) -> Option<&str> {
        self.target().map(|target| target.split(' ').next().unwrap_or(target))
    }

    /// The relation with its alias: what tells the two sides of a self-join apart.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        if self.label.contains("Bitmap Index Scan on ") {
            return None;
        }
        let (_, target) = self.label.split_once(" on ")?;
        // A schema is always known of a table; a CTE or a function has none.
        target.split(' ').next().is_some_and(|name| name.contains('.')).then_some(target)
    }

    /// Calls a function for it and every node below it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }
}

/// `InitPlan: `, `CTE recent: `; the numbers of sub-plans, which differ between versions, are left out.
fn subplan(node: &PlanNode) -> String {
    match node.subplan_name.as_deref() {
        Some(name) if name.starts_with("CTE ") => format!("{name}: "),
        Some(_) => format!("{}: ", node.parent_relationship.as_deref().unwrap_or("SubPlan")),
        None => String::new(),
    }
}

/// A condition with `?` for each literal and parameter.
fn without_literals(text: &str, form: &mut NormalForm) -> String {
    let text = without_plan_parameters(text);
    form.of(&text);
    let mut bare = String::new();
    let mut at = 0;
    for place in form.values() {
        // Ranges that were folded away come in order too.
        if place.range.start < at {
            continue;
        }
        bare.push_str(&text[at..place.range.start]);
        bare.push('?');
        at = place.range.end;
    }
    bare.push_str(&text[at..]);
    bare
}

/// What 17 and later print for another part's result, `(InitPlan 1).col1`, as its predecessors' `$0`: parameters both.
fn without_plan_parameters(text: &str) -> String {
    let mut rest = text;
    let mut bare = String::new();
    while let Some(at) = rest.find("(InitPlan ") {
        let Some(end) = rest[at..].find(").col") else { break };
        let column = at + end + ").col".len();
        let digits = rest[column..].bytes().take_while(u8::is_ascii_digit).count();
        bare.push_str(&rest[..at]);
        bare.push_str("$0");
        rest = &rest[column + digits..];
    }
    bare + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(condition: &str, expected: &str) {
        assert_eq!(without_literals(condition, &mut NormalForm::default()), expected);
    }

    #[test]
    fn literals_go_and_types_stay() {
        check("(id = 4711)", "(id = ?)");
        check("((name)::text = 'it''s'::text)", "((name)::text = ?::text)");
        check("(id = ANY ('{1,2,3}'::integer[]))", "(id = ANY (?::integer[]))");
        check("((a > '-5'::integer) AND (b IS NOT NULL))", "((a > ?::integer) AND (b IS NOT NULL))");
        check("(x = $0)", "(x = ?)");
        check("(x = (InitPlan 12).col3)", "(x = ?)");
        check("(NOT (ANY (x = (hashed SubPlan 1).col1)))", "(NOT (ANY (x = (hashed SubPlan ?).col1)))");
    }

    #[test]
    fn a_label_tells_its_parts() {
        let of = |label: &str| Shape { label: label.to_owned(), ..Shape::default() };
        let scan = of("Index Only Scan Backward using a_pkey on public.a x");
        assert_eq!((scan.verb(), scan.index()), ("Index Only Scan Backward", Some("a_pkey")));
        assert_eq!((scan.relation(), scan.target()), (Some("public.a"), Some("public.a x")));
        let bitmap = of("Bitmap Index Scan on a_n_idx");
        assert_eq!((bitmap.index(), bitmap.relation()), (Some("a_n_idx"), None));
        assert_eq!(of("CTE Scan on recent r").relation(), None);
        assert_eq!(of("Hash Left Join").verb(), "Hash Left Join");
    }
}
