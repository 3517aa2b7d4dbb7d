use std::collections::BTreeMap;

use super::*;
use crate::causes::CauseKind;
use crate::record::{ColumnFacts, Facts, Failed, RelationFacts, ResultSum};
use crate::shape::Shape;

fn ordered(in_order: &str, as_a_set: &str) -> ResultHash {
    ResultHash::Ordered { in_order: in_order.to_owned(), as_a_set: as_a_set.to_owned() }
}

fn scan(label: &str, conditions: &[(&str, &str)], buffers: u64) -> Shape {
    let conditions = conditions.iter().map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned()));
    Shape {
        label: label.to_owned(),
        conditions: conditions.collect(),
        rows: 12,
        expected: 12,
        buffers,
        loops: 1,
        ..Shape::default()
    }
}

fn run(plan: Shape, rows_read: u64) -> Run {
    let result = ResultSum { rows: 12, hash: Some(ordered("a", "s")) };
    Run { result, shared_hit: plan.buffers, rows_read, cost: plan.buffers as f64, plan, ..Run::default() }
}

fn facts() -> Facts {
    let column = ColumnFacts { data_type: "bigint".to_owned(), ..ColumnFacts::default() };
    Facts {
        relations: [("public.orders".to_owned(), RelationFacts { rows: 100_000, pages: 900 })].into(),
        columns: [("public.orders.customer_id".to_owned(), column)].into(),
        indexes: [(
            "public.orders_i".to_owned(),
            "CREATE INDEX orders_i ON public.orders (customer_id)".to_owned(),
        )]
        .into(),
    }
}

/// The verdict and the surest cause when a run turns into another, with the facts of the new side.
fn check(
    before: &Run,
    after: &Run,
    now: &Facts,
    expected: QueryVerdict,
    cause: Option<CauseKind>,
) -> Comparison {
    check_texts(before, after, now, ("t", "t"), expected, cause)
}

fn check_texts(
    before: &Run,
    after: &Run,
    now: &Facts,
    texts: (&str, &str),
    expected: QueryVerdict,
    cause: Option<CauseKind>,
) -> Comparison {
    let (facts, settings) = (facts(), BTreeMap::new());
    let context = |facts, text| Context { facts, server: 18, settings: &settings, text };
    let (old, new) = (Outcome::Ran(Box::new(before.clone())), Outcome::Ran(Box::new(after.clone())));
    let compared =
        compare((&old, context(&facts, texts.0)), (&new, context(now, texts.1)), &Thresholds::default());
    assert_eq!(
        (compared.verdict, compared.causes.first().map(|cause| cause.kind)),
        (expected, cause),
        "{compared:?}"
    );
    compared
}

fn by_index() -> Run {
    run(scan("Index Scan using orders_i on public.orders", &[("Index Cond", "(customer_id = ?)")], 14), 12)
}

fn by_scan(condition: &str) -> Run {
    run(scan("Seq Scan on public.orders", &[("Filter", condition)], 900), 100_000)
}

#[test]
fn a_dropped_index_is_worse_and_named() {
    let now = Facts { indexes: BTreeMap::new(), ..facts() };
    let after = by_scan("(customer_id = ?)");
    let compared = check(&by_index(), &after, &now, QueryVerdict::Worse, Some(CauseKind::MissingIndex));
    assert_eq!(
        compared.reasons,
        [
            "shared buffers 14 → 900",
            "rows read 12 → 100,000",
            "Index Scan using orders_i on public.orders became Seq Scan on public.orders: 14 → 900 buffers",
            "estimated cost 14 → 900",
        ]
    );
    assert_eq!(
        compared.causes[0].to_string(),
        "missing index: orders_i is gone: CREATE INDEX orders_i ON public.orders (customer_id)"
    );
}

#[test]
fn what_a_condition_does_to_a_column_is_a_cause() {
    let cases = [
        ("((customer_id)::numeric = ?)", CauseKind::ChangedType),
        ("(abs(customer_id) = ?)", CauseKind::FunctionOnColumn),
        ("(abs((customer_id)::integer) = ?)", CauseKind::ChangedType),
        ("(NOT (ANY (customer_id = (hashed SubPlan ?).col1)))", CauseKind::NotIn),
    ];
    for (condition, cause) in cases {
        check_texts(&by_index(), &by_scan(condition), &facts(), ("t", "u"), QueryVerdict::Worse, Some(cause));
    }
}

#[test]
fn noise_is_the_same() {
    let mut after = by_index();
    after.shared_hit += 19;
    after.shared_read = 0;
    check(&by_index(), &after, &facts(), QueryVerdict::Same, None);
    let before = run(scan("Seq Scan on public.orders", &[], 900), 100_000);
    let mut after = before.clone();
    after.shared_hit = 1100;
    check(&before, &after, &facts(), QueryVerdict::Same, None);
}

#[test]
fn a_new_shape_that_costs_nothing_is_the_same_and_told() {
    let compared = check(
        &by_index(),
        &run(scan("Bitmap Heap Scan on public.orders", &[], 15), 12),
        &facts(),
        QueryVerdict::Same,
        None,
    );
    assert_eq!(compared.reasons.len(), 1);
}

#[test]
fn fewer_blocks_are_better() {
    check(
        &by_scan("(customer_id = ?)"),
        &by_index(),
        &facts(),
        QueryVerdict::Better,
        Some(CauseKind::ChangedPlan),
    );
}

#[test]
fn a_larger_table_is_more_rows_and_a_spill_is_told() {
    let now = Facts {
        relations: [("public.orders".to_owned(), RelationFacts { rows: 300_000, pages: 2700 })].into(),
        ..facts()
    };
    let before = run(scan("Seq Scan on public.orders", &[], 900), 100_000);
    let after = run(scan("Seq Scan on public.orders", &[], 2700), 300_000);
    check(&before, &after, &now, QueryVerdict::Worse, Some(CauseKind::MoreRows));
    let spilled = Run { temp_written: 400, ..before.clone() };
    check(&before, &spilled, &facts(), QueryVerdict::Worse, Some(CauseKind::Spilled));
}

#[test]
fn another_result_is_told_before_all() {
    let mut after = by_index();
    after.result.hash = Some(ordered("b", "t"));
    let compared = check(&by_index(), &after, &facts(), QueryVerdict::ChangedResult, None);
    assert_eq!(compared.reasons, ["it returns other rows, as many as before"]);
    after.result.hash = None;
    after.result.rows = 13;
    check(&by_index(), &after, &facts(), QueryVerdict::Same, None);
    after.result.hash = Some(ordered("a", "s"));
    check(&by_index(), &after, &facts(), QueryVerdict::ChangedResult, None);
}

#[test]
fn failures_are_compared_by_their_sqlstate() {
    let failed =
        |sqlstate: &str| Outcome::Failed(Failed { sqlstate: sqlstate.to_owned(), message: "no".to_owned() });
    let (facts, settings) = (facts(), BTreeMap::new());
    let context = Context { facts: &facts, server: 18, settings: &settings, text: "t" };
    let verdict = |old: &Outcome, new: &Outcome| {
        compare((old, context), (new, context), &Thresholds::default()).verdict
    };
    let ran = Outcome::Ran(Box::new(by_index()));
    assert_eq!(verdict(&ran, &failed("42P01")), QueryVerdict::Failed);
    assert_eq!(verdict(&failed("42P01"), &failed("42P01")), QueryVerdict::Same);
    assert_eq!(verdict(&failed("42P01"), &failed("57014")), QueryVerdict::Failed);
    assert_eq!(verdict(&failed("42P01"), &ran), QueryVerdict::New);
}

#[test]
fn plans_alone_are_compared_by_cost_and_shape() {
    let (facts, settings) = (facts(), BTreeMap::new());
    let context = Context { facts: &facts, server: 18, settings: &settings, text: "t" };
    let (old, new) = (by_index(), by_scan("(customer_id = ?)"));
    let compared = compare_plans((&old, context), (&new, context), &Thresholds::default());
    assert_eq!(compared.verdict, QueryVerdict::Worse);
    assert_eq!(
        compared.reasons,
        [
            "estimated cost 14 → 900",
            "Index Scan using orders_i on public.orders became Seq Scan on public.orders"
        ]
    );
}

#[test]
fn ties_may_come_in_another_order_while_the_text_and_collations_stay() {
    let mut after = by_index();
    after.result.hash = Some(ordered("b", "s"));
    let compared = check(&by_index(), &after, &facts(), QueryVerdict::Same, None);
    assert_eq!(compared.reasons, ["rows that its ORDER BY leaves equal come in another order"]);
    check_texts(
        &by_index(),
        &after,
        &facts(),
        ("t", "u"),
        QueryVerdict::ChangedResult,
        Some(CauseKind::ChangedQuery),
    );
}

#[test]
fn an_alarm_rests_on_the_figure_that_is_nearest_to_it() {
    let growth = |before: (u64, u64), after: (u64, u64), thresholds: &Thresholds| {
        let of = |(buffers, rows)| run(scan("Seq Scan on public.orders", &[], buffers), rows);
        let growth = growth(&of(before), &of(after), thresholds);
        (growth.ratio, growth.threshold)
    };
    let usual = Thresholds::default();
    assert_eq!(growth((100, 5000), (300, 10_000), &usual), (3.0, 1.25));
    assert_eq!(growth((100, 5000), (119, 5900), &usual), (1.0, 1.25), "neither grew by its floor");
    assert_eq!(growth((0, 0), (50, 0), &usual), (50.0, 1.25), "from 0 is from 1");
    let lax = Thresholds { buffers_ratio: 5.0, ..usual };
    assert_eq!(
        growth((100, 5000), (300, 10_000), &lax),
        (2.0, 1.25),
        "the rows are an alarm, the buffers aren't"
    );
}
