//! Reading plans of 50 MB, in each structured format and as text, and what there is to say about them.
//!
//! Run `cargo bench -p plimsoll_explain`.

use divan::Bencher;
use divan::counter::BytesCount;
use plimsoll_explain::{Figures, advice, read};

fn main() {
    divan::main();
}

const SIZE: usize = 50_000_000;

/// An Append of as many scans as fit, each with all that `ANALYZE, BUFFERS, WAL` prints.
fn json() -> String {
    let node = r#"{
          "Node Type": "Index Scan", "Parent Relationship": "Member", "Parallel Aware": false, "Async Capable": false,
          "Scan Direction": "Forward", "Index Name": "visits_ship_idx", "Relation Name": "visits", "Alias": "visits_1",
          "Startup Cost": 0.29, "Total Cost": 8.31, "Plan Rows": 1, "Plan Width": 44, "Actual Startup Time": 0.010,
          "Actual Total Time": 0.011, "Actual Rows": 1.00, "Actual Loops": 1, "Disabled": false,
          "Index Cond": "(ship = 4711)", "Rows Removed by Index Recheck": 0, "Filter": "(state = 'at sea'::text)",
          "Rows Removed by Filter": 3, "Index Searches": 1, "Shared Hit Blocks": 3, "Shared Read Blocks": 1,
          "Shared Dirtied Blocks": 0, "Shared Written Blocks": 0, "Local Hit Blocks": 0, "Local Read Blocks": 0,
          "Local Dirtied Blocks": 0, "Local Written Blocks": 0, "Temp Read Blocks": 0, "Temp Written Blocks": 0,
          "WAL Records": 0, "WAL FPI": 0, "WAL Bytes": 0}"#;
    let nodes = vec![node; SIZE / node.len()].join(",\n");
    format!(
        r#"[{{"Plan": {{"Node Type": "Append", "Total Cost": 9, "Actual Total Time": 900.0, "Actual Rows": 1, "Actual Loops": 1, "Plans": [{nodes}]}}, "Execution Time": 1000.0}}]"#
    )
}

fn text() -> String {
    let node = "  ->  Index Scan using visits_ship_idx on visits visits_1  (cost=0.29..8.31 rows=1 width=44) (actual time=0.010..0.011 rows=1.00 loops=1)\n        Index Cond: (ship = 4711)\n        Filter: (state = 'at sea'::text)\n        Rows Removed by Filter: 3\n        Index Searches: 1\n        Buffers: shared hit=3 read=1\n";
    format!(
        "Append  (cost=0.00..9.00 rows=1 width=4) (actual time=0.1..900.0 rows=1 loops=1)\n{}Execution Time: 1000.0 ms\n",
        node.repeat(SIZE / node.len())
    )
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn json_of_50_mb(bencher: Bencher<'_, '_>) {
    let text = json();
    bencher.counter(BytesCount::of_str(&text)).bench(|| read(&text));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn text_of_50_mb(bencher: Bencher<'_, '_>) {
    let text = text();
    bencher.counter(BytesCount::of_str(&text)).bench(|| read(&text));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn advice_on_50_mb(bencher: Bencher<'_, '_>) {
    let plan = read(&json()).expect("a plan").remove(0);
    bencher.bench(|| advice::of(&plan, &Figures::of(&plan.root)));
}
