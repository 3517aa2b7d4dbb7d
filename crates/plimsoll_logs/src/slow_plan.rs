//! A plan that auto_explain has written, without literals, short enough to be kept with its query.

use plimsoll_core::plan::PlanNode;
use plimsoll_explain::from_log;
use plimsoll_sql::NormalForm;

use crate::summary::SlowPlan;

/// Longer plans are cut.
const LONGEST: usize = 8192;

/// The plan of a message `duration: … plan: …`. None if it can't be read.
pub(crate) fn slow_plan(message: &str, duration_us: u64) -> Option<SlowPlan> {
    let plan = from_log(message).plans.pop()?.plan;
    let mut text = String::new();
    write_node(&mut text, &plan.root, 0, &mut NormalForm::default());
    Some(SlowPlan { duration_us, text })
}

fn write_node(text: &mut String, node: &PlanNode, level: usize, form: &mut NormalForm) {
    if text.len() > LONGEST {
        return;
    }
    let indent = "  ".repeat(level);
    let rows = node.plan_rows.map_or_else(String::new, |rows| format!(" expected rows={rows}"));
    let actual = node
        .actual
        .as_ref()
        .map_or_else(String::new, |actual| format!(" (rows={} loops={})", actual.rows, actual.loops));
    text.push_str(&format!("{indent}{}{rows}{actual}\n", node.label()));
    for condition in &node.conditions {
        form.of(&condition.text);
        text.push_str(&format!("{indent}  {}: {}\n", condition.kind, form.text()));
    }
    for child in &node.children {
        write_node(text, child, level + 1, form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_kept_without_its_literals() {
        let message = "duration: 12.500 ms  plan:\n\tQuery Text: select * from t where a = 'secret' and b = 4711\n\tSeq Scan on t  (cost=0.00..35.50 rows=10 width=4) (actual time=0.01..12.00 rows=3 loops=1)\n\t  Filter: ((a = 'secret'::text) AND (b = 4711))\n\t  Rows Removed by Filter: 1000";
        let plan = slow_plan(message, 12_500).unwrap();
        assert!(plan.text.starts_with("Seq Scan on t expected rows=10 (rows=3 loops=1)\n"), "{}", plan.text);
        assert!(plan.text.contains("Filter") && !plan.text.contains("secret") && !plan.text.contains("4711"));
    }

    #[test]
    fn what_is_no_plan_is_none() {
        assert_eq!(slow_plan("duration: 12.500 ms  plan:\n\tQuery Text: select 1", 1), None);
    }
}
