//! `EXPLAIN (FORMAT JSON)` to a plan tree.

use plimsoll_core::PlanNode;
use serde_json::{Map, Value};

/// One run of a query.
pub(super) struct Explained {
    pub(super) plan: PlanNode,
    pub(super) execution_ms: f64,
    pub(super) temp_blocks: u64,
    pub(super) rows: u64,
}

/// Why a plan can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It isn't JSON.
    #[error("the server's plan isn't JSON")]
    NotJson,
    /// It has no plan in it.
    #[error("the server's answer holds no plan")]
    NoPlan,
}

/// Properties that say what a node does, in the order in which EXPLAIN prints them.
const CONDITIONS: [&str; 12] = [
    "Index Cond",
    "Recheck Cond",
    "TID Cond",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "Filter",
    "One-Time Filter",
    "Sort Key",
    "Presorted Key",
    "Group Key",
    "Order By",
];

impl Explained {
    pub(super) fn parse(text: &str) -> Result<Self, PlanError> {
        let json: Value = serde_json::from_str(text).map_err(|_| PlanError::NotJson)?;
        let top = json.get(0).and_then(Value::as_object).ok_or(PlanError::NoPlan)?;
        let plan = top.get("Plan").and_then(Value::as_object).ok_or(PlanError::NoPlan)?;
        Ok(Self {
            execution_ms: number(top, "Execution Time"),
            temp_blocks: (number(plan, "Temp Read Blocks") + number(plan, "Temp Written Blocks")) as u64,
            rows: rows(plan),
            plan: node(plan),
        })
    }
}

/// Rows returned; what a writing node got from below it when it returns none.
fn rows(plan: &Map<String, Value>) -> u64 {
    let writes = text(plan, "Node Type") == "ModifyTable";
    let input = plan.get("Plans").and_then(|plans| plans.get(0)).and_then(Value::as_object);
    match input {
        Some(input) if writes && number(plan, "Actual Rows") == 0.0 => rows(input),
        _ => (number(plan, "Actual Rows") * number(plan, "Actual Loops")).round() as u64,
    }
}

fn node(plan: &Map<String, Value>) -> PlanNode {
    let mut details: Vec<String> =
        CONDITIONS.iter().filter_map(|key| Some(format!("{key}: {}", shown(plan.get(*key)?)))).collect();
    let removed = number(plan, "Rows Removed by Filter") + number(plan, "Rows Removed by Join Filter");
    if removed > 0.0 {
        details.push(format!("Rows Removed by Filter: {removed}"));
    }
    if number(plan, "Heap Fetches") > 0.0 {
        details.push(format!("Heap Fetches: {}", number(plan, "Heap Fetches")));
    }
    let loops = number(plan, "Actual Loops");
    let children = plan.get("Plans").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    PlanNode {
        label: label(plan),
        details,
        cost: number(plan, "Total Cost"),
        plan_rows: number(plan, "Plan Rows"),
        actual_rows: number(plan, "Actual Rows"),
        loops: loops as u64,
        shared_buffers: (number(plan, "Shared Hit Blocks") + number(plan, "Shared Read Blocks")) as u64,
        time_ms: number(plan, "Actual Total Time") * loops,
        children: children.iter().filter_map(Value::as_object).map(node).collect(),
    }
}

/// What EXPLAIN's text form prints for the node: `Index Scan using i on public.t x`.
fn label(plan: &Map<String, Value>) -> String {
    let mut label = String::new();
    if plan.get("Parallel Aware").and_then(Value::as_bool) == Some(true) {
        label.push_str("Parallel ");
    }
    let node_type = text(plan, "Node Type");
    let join_type = text(plan, "Join Type");
    let strategy = text(plan, "Strategy");
    match (node_type, join_type, strategy) {
        ("Aggregate", _, "Hashed") => label.push_str("HashAggregate"),
        ("Aggregate", _, "Sorted") => label.push_str("GroupAggregate"),
        ("ModifyTable", ..) => label.push_str(text(plan, "Operation")),
        (join, kind, _) if !kind.is_empty() && kind != "Inner" => {
            label.push_str(&format!("{} {kind} Join", join.trim_end_matches(" Join")));
        }
        _ => label.push_str(node_type),
    }
    if text(plan, "Scan Direction") == "Backward" {
        label.push_str(" Backward");
    }
    for (word, key) in [("using", "Index Name"), ("on", "CTE Name"), ("on", "Function Name")] {
        if !text(plan, key).is_empty() {
            label.push_str(&format!(" {word} {}", text(plan, key)));
        }
    }
    let relation = text(plan, "Relation Name");
    if !relation.is_empty() {
        let schema = text(plan, "Schema");
        let dot = if schema.is_empty() { "" } else { "." };
        label.push_str(&format!(" on {schema}{dot}{relation}"));
        let alias = text(plan, "Alias");
        if alias != relation && !alias.is_empty() {
            label.push_str(&format!(" {alias}"));
        }
    }
    label
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn text<'a>(plan: &'a Map<String, Value>, key: &str) -> &'a str {
    plan.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(plan: &Map<String, Value>, key: &str) -> f64 {
    plan.get(key).and_then(Value::as_f64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_labelled_as_explain_does() {
        let text = r#"[{"Plan": {"Node Type": "Hash Join", "Join Type": "Left", "Parallel Aware": false,
            "Hash Cond": "(a.id = b.id)", "Total Cost": 12.5, "Plan Rows": 3, "Actual Rows": 4.00, "Actual Loops": 1,
            "Shared Hit Blocks": 7, "Shared Read Blocks": 2, "Temp Written Blocks": 5, "Plans": [
              {"Node Type": "Index Only Scan", "Scan Direction": "Backward", "Index Name": "a_pkey", "Schema": "public",
               "Relation Name": "a", "Alias": "x", "Index Cond": "(x.id > 1)", "Actual Loops": 2, "Actual Total Time": 1.5},
              {"Node Type": "Aggregate", "Strategy": "Hashed", "Group Key": ["b.id", "b.n"]}]},
            "Execution Time": 0.25}]"#;
        let explained = Explained::parse(text).unwrap();
        assert_eq!((explained.rows, explained.temp_blocks, explained.execution_ms), (4, 5, 0.25));
        let plan = explained.plan;
        assert_eq!((plan.label.as_str(), plan.shared_buffers), ("Hash Left Join", 9));
        assert_eq!(plan.children[0].label, "Index Only Scan Backward using a_pkey on public.a x");
        assert_eq!(plan.children[0].time_ms, 3.0);
        assert_eq!(plan.children[1].details, ["Group Key: b.id, b.n"]);
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        assert_eq!(Explained::parse("x").err(), Some(PlanError::NotJson));
        assert_eq!(Explained::parse("[]").err(), Some(PlanError::NoPlan));
    }
}
