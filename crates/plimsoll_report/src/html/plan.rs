//! A plan as a tree of nodes that fold. Nodes that the other plan doesn't have are marked.

use std::collections::HashSet;

use maud::{Markup, html};
use plimsoll_core::PlanNode;
use plimsoll_core::units::{count, duration_ms};

use super::shown;

/// What makes two nodes the same work: what they do and on which conditions.
type Signature<'a> = (&'a str, &'a [String]);

/// The tree, compared with the plan on the other side if there is one.
pub(super) fn tree(plan: &PlanNode, other: Option<&PlanNode>) -> Markup {
    let known = other.map(|other| {
        let mut signatures = HashSet::new();
        collect(other, &mut signatures);
        signatures
    });
    html! { ul class="plan" { (node(plan, known.as_ref())) } }
}

fn signature(node: &PlanNode) -> Signature<'_> {
    (&node.label, &node.details)
}

fn collect<'a>(node: &'a PlanNode, signatures: &mut HashSet<Signature<'a>>) {
    signatures.insert(signature(node));
    for child in &node.children {
        collect(child, signatures);
    }
}

fn node(plan_node: &PlanNode, known: Option<&HashSet<Signature>>) -> Markup {
    let differs = known.is_some_and(|known| !known.contains(&signature(plan_node)));
    html! {
        li {
            details class={ "node" @if differs { " differs" } } open {
                summary {
                    span class="label" { (shown(&plan_node.label)) }
                    @if differs { " " span class="badge plain" { "differs" } }
                }
                @for detail in &plan_node.details { p class="detail" { (shown(detail)) } }
                (numbers(plan_node))
                @if !plan_node.children.is_empty() {
                    ul { @for child in &plan_node.children { (node(child, known)) } }
                }
            }
        }
    }
}

fn numbers(node: &PlanNode) -> Markup {
    let rows = |rows: f64| count(rows.round() as u64);
    html! {
        p class="node-numbers" {
            span { "cost " (format!("{:.2}", node.cost)) }
            span { "rows " (rows(node.actual_rows)) ", expected " (rows(node.plan_rows)) }
            @if node.loops != 1 { span { "loops " (count(node.loops)) } }
            span { "buffers " (count(node.shared_buffers)) }
            span { (duration_ms(node.time_ms)) }
        }
    }
}
