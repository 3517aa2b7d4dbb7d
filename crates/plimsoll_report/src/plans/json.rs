//! Plans for programs: nodes in a flat list, since many readers of JSON refuse a deep tree.

use plimsoll_explain::Measure;
use plimsoll_explain::advice::Advice;
use serde_json::{Value, json};

use super::{PLANS_FORMAT_VERSION, Seen};

pub(super) fn render(plans: &[Seen<'_>]) -> String {
    let plans: Vec<Value> = plans.iter().map(plan).collect();
    let document = json!({ "format_version": PLANS_FORMAT_VERSION, "plans": plans });
    format!("{document:#}\n")
}

fn plan(seen: &Seen<'_>) -> Value {
    let plan = seen.plan;
    let settings: serde_json::Map<String, Value> =
        plan.settings.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let triggers: Vec<Value> = plan
        .triggers
        .iter()
        .map(|one| json!({ "name": one.name, "constraint": one.constraint, "relation": one.relation, "time_ms": one.time_ms, "calls": one.calls }))
        .collect();
    json!({
        "title": seen.title,
        "query": plan.query,
        "query_id": plan.query_id,
        "planning_ms": plan.planning_ms,
        "execution_ms": plan.execution_ms,
        "jit_ms": plan.jit.as_ref().map(|jit| jit.total_ms),
        "triggers": triggers,
        "settings": settings,
        "share_of": match seen.figures.measure {
            Measure::Time => "time",
            Measure::Buffers => "buffers",
            Measure::Cost => "cost",
        },
        "nodes": (0..seen.figures.nodes.len()).map(|place| node(seen, place)).collect::<Vec<_>>(),
        "advice": seen.advice.iter().map(advice).collect::<Vec<_>>(),
    })
}

fn node(seen: &Seen<'_>, place: usize) -> Value {
    let figure = &seen.figures.nodes[place];
    let node = figure.node;
    let conditions: Vec<Value> =
        node.conditions.iter().map(|one| json!({ "kind": one.kind, "text": one.text })).collect();
    json!({
        "id": place,
        "parent": figure.parent,
        "label": node.label(),
        "node_type": node.node_type,
        "subplan_name": node.subplan_name,
        "relation": node.qualified(),
        "index": node.index,
        "conditions": conditions,
        "cost": node.total_cost,
        "own_cost": figure.own_cost,
        "rows_expected": node.plan_rows,
        "rows_seen": node.actual.map(|actual| actual.rows),
        "loops": node.actual.map(|actual| actual.loops),
        "total_ms": figure.total_ms,
        "own_ms": figure.own_ms,
        "own_shared_hit_blocks": figure.own_hit,
        "own_shared_read_blocks": figure.own_read,
        "own_temp_blocks": figure.own_temp,
        "share": figure.share,
        "differs": seen.differing.contains(&place),
    })
}

fn advice(one: &Advice) -> Value {
    json!({
        "kind": one.kind.name,
        "severity": one.severity.word(),
        "share": one.share,
        "node": one.node,
        "message": one.message,
    })
}
