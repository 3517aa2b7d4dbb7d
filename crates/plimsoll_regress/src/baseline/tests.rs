use plimsoll_core::plan::Wal;
use proptest::prelude::*;

use super::*;
use crate::record::{
    Baseline, ColumnFacts, Facts, Failed, Outcome, RecordedQuery, RelationFacts, ResultHash, ResultSum, Run,
};
use crate::shape::Shape;

fn ordered(hash: &str) -> ResultHash {
    ResultHash::Ordered { in_order: hash.to_owned(), as_a_set: "9d91".to_owned() }
}

fn sample() -> Baseline {
    let scan = Shape {
        label: "Index Scan using calls_ship_idx on public.calls".to_owned(),
        conditions: vec![("Index Cond".to_owned(), "(ship_id = ?)".to_owned())],
        rows: 12,
        expected: 10,
        removed: 3,
        buffers: 14,
        loops: 1,
        children: Vec::new(),
    };
    let plan = Shape {
        label: "Limit".to_owned(),
        rows: 12,
        expected: 10,
        buffers: 14,
        loops: 1,
        children: vec![scan.clone(), Shape { loops: 4, ..scan }],
        ..Shape::default()
    };
    let result = ResultSum { rows: 12, hash: Some(ordered("5d41402a")) };
    let run = Run { result, shared_hit: 14, rows_read: 15, cost: 43.25, plan, ..Run::default() };
    let wal = Wal { records: 2, full_page_images: 0, bytes: 120 };
    let write = Run { temp_written: 7, wal, result: ResultSum { rows: 1, hash: None }, ..run.clone() };
    let failed =
        Failed { sqlstate: "22P02".to_owned(), message: "invalid \"x\\y\"\nin two lines".to_owned() };
    let column = ColumnFacts {
        data_type: "character varying(20)".to_owned(),
        collation: Some("C".to_owned()),
        statistics: Some(5),
    };
    let facts = Facts {
        relations: [("public.calls".to_owned(), RelationFacts { rows: 14_000, pages: 120 })].into(),
        columns: [("public.calls.ship_id".to_owned(), column)].into(),
        indexes: [("public.calls_ship_idx".to_owned(), "CREATE INDEX … (ship_id)".to_owned())].into(),
    };
    let sets = [
        ("big".to_owned(), Outcome::Ran(Box::new(write))),
        ("default".to_owned(), Outcome::Ran(Box::new(run))),
        ("odd".to_owned(), Outcome::Failed(failed)),
    ];
    let query = RecordedQuery { text: "8c1f0a6be5d2417c".to_owned(), facts, sets: sets.into() };
    Baseline {
        server: 18,
        settings: [("work_mem".to_owned(), "64kB".to_owned())].into(),
        queries: [("calls_of_ship".to_owned(), query)].into(),
    }
}

#[test]
fn a_baseline_is_a_text_for_review() {
    insta::assert_snapshot!(write(&sample()));
}

#[test]
fn what_is_written_is_read() {
    assert_eq!(read(&write(&sample())), Ok(sample()));
    assert_eq!(read(&write(&sample()).replace('\n', "\r\n")), Ok(sample()));
}

#[test]
fn what_is_no_baseline_is_refused_with_its_line() {
    let error = |from: &str, to: &str| read(&write(&sample()).replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(
        read("").unwrap_err().to_string(),
        "line 1: it doesn't begin as a baseline does: record it anew"
    );
    assert!(error("baseline 1", "baseline 2").contains("the format is 2, and this program reads 1"));
    assert!(
        error("query calls", "<<<<<<< ours\nquery calls").starts_with("line 5: git left a conflict here")
    );
    assert_eq!(error("14 hit", "x hit"), "line 12: `x` is no number");
    assert_eq!(error("cost ", "price "), "line 16: a baseline has no line `price`");
    assert_eq!(error("set odd", "set big"), "line 33: set big is there twice");
    assert!(error("  -> Index", "        -> Index").contains("indented further"));
    assert_eq!(error("server 18\n", ""), "line 1: the server's version is missing: record it anew");
}

#[test]
fn sizes_keep_two_digits() {
    assert_eq!(
        [0, 9, 99, 100, 149, 155, 14_967, u64::MAX].map(rounded)[..7],
        [0, 9, 99, 100, 150, 160, 15_000]
    );
}

fn shape() -> impl Strategy<Value = Shape> {
    let condition = ("[A-Z][a-z]{1,5}", "\\PC{0,12}[\\\\\n\u{2028}x]?");
    let leaf = (
        "[A-Z]\\PC{0,20}",
        proptest::collection::vec(condition, 0..3),
        any::<u32>(),
        0..100_u64,
        any::<u16>(),
        any::<u32>(),
        any::<u16>(),
    );
    let leaf = leaf.prop_map(|(label, conditions, rows, expected, removed, buffers, loops)| Shape {
        label,
        conditions,
        rows: rows.into(),
        expected,
        removed: removed.into(),
        buffers: buffers.into(),
        loops: loops.into(),
        children: Vec::new(),
    });
    leaf.prop_recursive(4, 12, 3, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..3))
            .prop_map(|(node, children)| Shape { children, ..node })
    })
}

proptest! {
    #[test]
    fn any_plan_round_trips(plan in shape(), name in "\\PC{0,10}[\\\\\n\r]?", message in "\\PC{0,20}\n?") {
        let run = Run { plan, ..Run::default() };
        let failed = Failed { sqlstate: "XX000".to_owned(), message };
        let sets = [(name.clone(), Outcome::Ran(Box::new(run))), (name.clone() + "2", Outcome::Failed(failed))];
        let query = RecordedQuery { text: "0".to_owned(), sets: sets.into(), ..RecordedQuery::default() };
        let baseline = Baseline { server: 15, queries: [(name, query)].into(), ..Baseline::default() };
        prop_assert_eq!(read(&write(&baseline)), Ok(baseline));
    }

    #[test]
    fn no_text_makes_it_panic(lines in proptest::collection::vec("(query|set|result|shared|->|  ->|     |failed|column|wal)? ?\\PC{0,20}", 0..20)) {
        let text = format!("{HEAD}1\nserver 1\n{}", lines.join("\n"));
        drop(read(&text));
    }
}
