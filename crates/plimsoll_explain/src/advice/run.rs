//! What a run showed that the planner didn't expect, and what surrounds the nodes.

use plimsoll_core::plan::{Plan, PlanNode};
use plimsoll_core::units::duration_ms;

use super::{Case, relation, rows};

/// By how many times an estimate is wrong.
const WRONG: f64 = 10.0;

/// Rows below which a wrong estimate can't do harm.
const FEW: f64 = 100.0;

/// How many times one number of rows is the other, and whether more were seen than expected.
fn factor(node: &PlanNode) -> Option<(f64, bool)> {
    let actual = node.actual.filter(|actual| actual.loops > 0)?;
    let expected = node.plan_rows?.max(1.0);
    let seen = actual.rows.max(1.0);
    let more = seen > expected;
    (seen.max(expected) >= FEW).then_some((if more { seen / expected } else { expected / seen }, more))
}

fn is_wrong(node: &PlanNode) -> bool {
    factor(node).is_some_and(|(factor, _)| factor >= WRONG)
}

pub(super) fn misestimate(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    // These return no rows, or pass on those of their input.
    if matches!(
        node.node_type.as_str(),
        "BitmapAnd" | "BitmapOr" | "Hash" | "Materialize" | "ModifyTable" | "Limit" | "Memoize"
    ) {
        return None;
    }
    let (times, more) = factor(node).filter(|(factor, _)| *factor >= WRONG)?;
    let below = case.figures.below(case.index).skip(1);
    if below.into_iter().any(|place| is_wrong(case.figures.nodes[place].node)) {
        return None;
    }
    // Whoever takes no more than the first rows leaves the rest unseen.
    let stops = |above: &PlanNode| {
        matches!(above.node_type.as_str(), "Limit" | "Merge Join" | "Result")
            || matches!(above.join_type.as_deref(), Some("Semi" | "Anti"))
            || above.subplan_name.is_some()
    };
    if !more && (stops(node) || case.ancestors().any(stops)) {
        return None;
    }
    // The estimate is used above: it matters as far as what is above it does.
    let reach = case.figures.nodes[case.index].parent.unwrap_or(case.index);
    (case.figures.share_below(reach) >= super::MATTERS).then_some(())?;
    let actual = node.actual?;
    let condition =
        node.conditions.first().map(|one| format!(" ({}: {})", one.kind, one.text)).unwrap_or_default();
    Some(format!(
        "{} rows expected, {} seen, {} times {}: {}{condition}; ANALYZE, a higher statistics target, or CREATE STATISTICS on its columns would tell the planner",
        rows(node.plan_rows?),
        rows(actual.rows),
        rows(times),
        if more { "more" } else { "fewer" },
        node.label(),
    ))
}

pub(super) fn runaway_nested_loop(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    (node.node_type == "Nested Loop").then_some(())?;
    let joined: Vec<usize> = case
        .figures
        .below(case.index)
        .filter(|place| case.figures.nodes[*place].parent == Some(case.index))
        .filter(|place| case.figures.nodes[*place].node.subplan_name.is_none())
        .collect();
    let [outer, inner] = joined[..] else { return None };
    let (times, more) = factor(case.figures.nodes[outer].node)?;
    let runs = case.figures.nodes[inner].node.loops();
    (more && times >= WRONG && runs >= 1_000).then_some(())?;
    // The inner side's time is printed a run, in whole microseconds: what a quick run takes is rounded off, and then stands at the join.
    let share = (case.figures.nodes[case.index].share + case.figures.share_below(inner)).min(1.0);
    (share >= 0.2).then_some(())?;
    Some(format!(
        "the inner side ran {} times and was expected to run {} times; with the join itself it makes {:.0} % of the plan",
        rows(runs as f64),
        rows(case.figures.nodes[outer].node.plan_rows? * node.loops().max(1) as f64),
        share * 100.0
    ))
}

pub(super) fn rows_thrown_away(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    (node.node_type == "Limit" && node.loops() > 0).then_some(())?;
    let input = node.children.iter().find(|child| child.subplan_name.is_none())?;
    let (got, returned) = (input.total_rows(), node.total_rows());
    (got >= 1_000.0 && got >= 10.0 * returned).then_some(())?;
    case.matters_below()?;
    Some(format!(
        "{} rows are worked out and {} returned: OFFSET drops the others; page by the last key seen instead",
        rows(got),
        rows(returned)
    ))
}

pub(super) fn not_in_subplan(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let is_sub = |child: &&PlanNode| child.parent_relationship.as_deref() == Some("SubPlan");
    let text = node.conditions.iter().map(|one| one.text.as_str()).find(|text| {
        // NOT EXISTS, where it isn't pulled up, looks alike up to 16: its sub-plan has a condition of its own on outer columns.
        text.contains("NOT (hashed SubPlan")
            || text.contains("NOT (SubPlan")
            || text.contains("NOT (ANY (") && text.contains("SubPlan")
    })?;
    case.matters_below()?;
    let subplan = node.children.iter().find(is_sub)?;
    let hashed = text.contains("hashed SubPlan");
    let how = if hashed {
        "by a hash table of all its rows".to_owned()
    } else {
        format!("by running it {} times", rows(subplan.loops() as f64))
    };
    Some(format!(
        "NOT IN is answered {how}, and can't become an anti join, on {}; NOT EXISTS can",
        relation(node)
    ))
}

pub(super) fn workers_not_launched(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let (planned, launched) = (node.workers_planned?, node.workers_launched?);
    (launched < planned).then_some(())?;
    case.matters_below()?;
    Some(format!(
        "{launched} of {planned} planned workers were launched: max_parallel_workers or max_worker_processes was used up"
    ))
}

pub(super) fn jit_cost(plan: &Plan) -> Option<(f64, String)> {
    let jit = plan.jit.as_ref()?;
    let all = plan.execution_ms.filter(|all| *all > 0.0)?;
    let share = jit.total_ms / all;
    (share >= 0.2 && jit.total_ms >= 5.0).then(|| {
        let message = format!(
            "compiling {} functions took {} of {} ({:.0} %); raise jit_above_cost, or SET jit = off",
            jit.functions,
            duration_ms(jit.total_ms),
            duration_ms(all),
            share * 100.0
        );
        (share.min(1.0), message)
    })
}

pub(super) fn trigger_time(plan: &Plan) -> Option<(f64, String)> {
    let all = plan.execution_ms.filter(|all| *all > 0.0)?;
    let spent: f64 = plan.triggers.iter().filter_map(|trigger| trigger.time_ms).sum();
    let share = spent / all;
    (share >= 0.1 && spent >= 1.0).then_some(())?;
    let worst = plan
        .triggers
        .iter()
        .max_by(|one, other| one.time_ms.unwrap_or_default().total_cmp(&other.time_ms.unwrap_or_default()))?;
    let name = match &worst.constraint {
        Some(constraint) => {
            format!("constraint {constraint}; an index on its referencing columns may be missing")
        }
        None => format!("trigger {}", worst.name),
    };
    Some((
        share.min(1.0),
        format!(
            "triggers took {} of {} ({:.0} %), the most in {} calls for {name}",
            duration_ms(spent),
            duration_ms(all),
            share * 100.0,
            rows(worst.calls as f64)
        ),
    ))
}

pub(super) fn cold_cache(plan: &Plan) -> Option<(f64, String)> {
    let buffers = &plan.root.buffers;
    let share = buffers.shared_read as f64 / buffers.shared().max(1) as f64;
    (buffers.shared() >= 1_000 && share > 0.1 && plan.root.actual.is_some()).then(|| {
        let message = format!(
            "{} of {} blocks ({:.0} %) had to be read into shared buffers; run it again to see whether they stay there",
            rows(buffers.shared_read as f64),
            rows(buffers.shared() as f64),
            share * 100.0
        );
        // What it costs is unknown without track_io_timing.
        (share.min(super::WEIGHS / 2.0), message)
    })
}
