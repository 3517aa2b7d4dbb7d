//! Each kind of advice is given on a plan that calls for it, on 15 and 18, and not on its sibling.

mod support;

use plimsoll_core::plan::Plan;
use plimsoll_explain::Figures;
use plimsoll_explain::advice::{self, KINDS};
use tokio_postgres::{Client, SimpleQueryMessage};

const SCHEMA: &str = "
CREATE TABLE ships (id int PRIMARY KEY, name text NOT NULL, port int, draught int, filler text);
INSERT INTO ships SELECT n, 'ship ' || n, n % 1000, n % 17, repeat('x', 50) FROM generate_series(1, 100000) n;
CREATE INDEX ships_port_idx ON ships (port);
CREATE INDEX ships_draught_id_idx ON ships (draught, id);
CREATE INDEX ships_name_idx ON ships (name);
CREATE TABLE partly (a int, b int, c text);
INSERT INTO partly SELECT n, n, 'c' FROM generate_series(1, 100000) n;
CREATE INDEX partly_idx ON partly (a, b);
CREATE TABLE pairs (a int, b int);
INSERT INTO pairs SELECT n % 100, n % 100 FROM generate_series(1, 100000) n;
CREATE TABLE plain (id int, other int);
INSERT INTO plain SELECT n, n FROM generate_series(1, 3000) n;
CREATE TABLE indexed (id int PRIMARY KEY, other int);
INSERT INTO indexed SELECT n, n FROM generate_series(1, 3000) n;
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents SELECT n FROM generate_series(1, 1000) n;
CREATE TABLE children (parent int REFERENCES parents ON DELETE CASCADE);
INSERT INTO children SELECT 900 FROM generate_series(1, 30000) n;
CREATE TABLE indexed_children (parent int);
CREATE TABLE stale (id int PRIMARY KEY, n int);
INSERT INTO stale SELECT n, n FROM generate_series(1, 20000) n;
CREATE TABLE nullable (id int);
INSERT INTO nullable SELECT n FROM generate_series(1, 20000) n;
";

/// What is done before each statement.
const CALM: &str = "RESET ALL; SET max_parallel_workers_per_gather = 0; SET jit = off; SET work_mem = '64MB'";

/// A kind, the settings and the statement that call for it, and those of its sibling.
type Pair = (&'static str, (&'static str, &'static str), (&'static str, &'static str));

const PAIRS: &[Pair] = &[
    (
        "misestimate",
        ("", "SELECT * FROM pairs WHERE a = 7 AND b = 7 AND a + b = 14"),
        ("", "SELECT * FROM pairs WHERE a = 7"),
    ),
    (
        "function-on-column",
        ("", "SELECT * FROM ships WHERE lower(name) = 'ship 5'"),
        ("", "SELECT * FROM ships WHERE name = 'ship 5'"),
    ),
    (
        "filtered-seq-scan",
        ("", "SELECT * FROM ships WHERE filler = 'y'"),
        ("", "SELECT * FROM ships WHERE filler > 'a'"),
    ),
    (
        "missing-index",
        (
            "SET enable_hashjoin = off; SET enable_mergejoin = off",
            "SELECT * FROM plain a JOIN plain b ON a.other = b.other",
        ),
        (
            "SET enable_hashjoin = off; SET enable_mergejoin = off",
            "SELECT * FROM plain a JOIN indexed b ON a.other = b.id",
        ),
    ),
    (
        "index-filter",
        (
            "SET enable_seqscan = off; SET enable_bitmapscan = off",
            "SELECT * FROM ships WHERE draught = 3 AND filler = 'y'",
        ),
        ("SET enable_seqscan = off; SET enable_bitmapscan = off", "SELECT * FROM ships WHERE draught = 3"),
    ),
    (
        "index-partly-used",
        ("SET enable_seqscan = off; SET enable_bitmapscan = off", "SELECT c FROM partly WHERE b = 77"),
        ("SET enable_seqscan = off; SET enable_bitmapscan = off", "SELECT c FROM partly WHERE a = 77"),
    ),
    (
        "heap-fetches",
        (
            "SET enable_seqscan = off; SET enable_bitmapscan = off; UPDATE stale SET n = n + 1",
            "SELECT count(id) FROM stale WHERE id > 0",
        ),
        ("SET enable_seqscan = off; SET enable_bitmapscan = off", "SELECT count(id) FROM ships WHERE id > 0"),
    ),
    (
        "lossy-bitmap",
        (
            "SET work_mem = '64kB'; SET enable_seqscan = off; SET enable_indexscan = off",
            "SELECT * FROM ships WHERE port < 900",
        ),
        ("SET enable_seqscan = off; SET enable_indexscan = off", "SELECT * FROM ships WHERE port < 900"),
    ),
    (
        "sort-on-disk",
        ("SET work_mem = '256kB'", "SELECT * FROM ships ORDER BY filler, port"),
        ("", "SELECT * FROM ships ORDER BY filler, port"),
    ),
    (
        "hash-on-disk",
        (
            "SET work_mem = '256kB'; SET enable_mergejoin = off; SET enable_nestloop = off",
            "SELECT * FROM ships a JOIN ships b ON a.filler = b.name",
        ),
        (
            "SET enable_mergejoin = off; SET enable_nestloop = off",
            "SELECT * FROM ships a JOIN ships b ON a.filler = b.name",
        ),
    ),
    (
        "runaway-nested-loop",
        (
            "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off; SET enable_material = off",
            "SELECT sum(s.draught) FROM pairs p JOIN ships s ON s.id = p.a WHERE p.a + p.b >= 0 AND p.a * 2 = p.b * 2",
        ),
        (
            "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off; SET enable_material = off",
            "SELECT sum(s.draught) FROM pairs p JOIN ships s ON s.id = p.a",
        ),
    ),
    (
        "rows-thrown-away",
        ("", "SELECT * FROM ships ORDER BY id LIMIT 10 OFFSET 50000"),
        ("", "SELECT * FROM ships WHERE id > 50000 ORDER BY id LIMIT 10"),
    ),
    (
        "not-in-subplan",
        ("", "SELECT count(*) FROM ships WHERE id NOT IN (SELECT id FROM nullable)"),
        ("", "SELECT count(*) FROM ships s WHERE NOT EXISTS (SELECT FROM nullable n WHERE n.id = s.id)"),
    ),
    (
        "workers-not-launched",
        (
            "SET max_parallel_workers_per_gather = 2; SET max_parallel_workers = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
            "SELECT count(*) FROM ships",
        ),
        (
            "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
            "SELECT count(*) FROM ships",
        ),
    ),
    (
        "trigger-time",
        ("", "DELETE FROM parents WHERE id BETWEEN 100 AND 130"),
        ("", "DELETE FROM indexed WHERE id < 100"),
    ),
    (
        "cold-cache",
        ("SET enable_seqscan = off; SELECT pg_sleep(0)", "SELECT sum(length(filler)) FROM cold"),
        ("", "SELECT sum(length(filler)) FROM ships"),
    ),
];

async fn advised(client: &Client, settings: &str, statement: &str) -> (Vec<&'static str>, Plan, String) {
    for one in CALM.split("; ").chain(settings.split("; ")).filter(|one| !one.is_empty()) {
        client.batch_execute(one).await.unwrap_or_else(|error| panic!("{one}: {error:?}"));
    }
    client.batch_execute("BEGIN").await.expect("the server answers");
    let sql = format!("EXPLAIN (ANALYZE, BUFFERS, SETTINGS) {statement}");
    let answers = client.simple_query(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    client.batch_execute("ROLLBACK").await.expect("the server answers");
    let rows = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let text = rows.collect::<Vec<_>>().join("\n");
    let plan = plimsoll_explain::read(&text).expect("a plan").remove(0);
    let figures = Figures::of(&plan.root);
    let given = advice::of(&plan, &figures);
    let told: Vec<String> = given.iter().map(|one| format!("{}: {}", one.kind.name, one.message)).collect();
    let kinds = given.iter().map(|one| one.kind.name).collect();
    (kinds, plan.clone(), format!("{text}\n{}", told.join("\n")))
}

fn each_kind_is_given_where_it_fits(major: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let server = support::start(major);
        let client = server.connect("postgres").await.expect("the server answers");
        client.batch_execute(SCHEMA).await.expect("the server answers");
        // A private server commits asynchronously, and VACUUM vouches for no page whose commit isn't on disk.
        client.batch_execute("CHECKPOINT").await.expect("the server answers");
        client.batch_execute("VACUUM ANALYZE").await.expect("the server answers");
        // More than shared buffers hold: what was read first is gone.
        let cold =
            "CREATE TABLE cold AS SELECT n, repeat('x', 900) AS filler FROM generate_series(1, 300000) n";
        client.batch_execute(cold).await.expect("the server answers");
        let mut wrong = Vec::new();
        for (kind, (settings, statement), (calm, sibling)) in PAIRS {
            let (given, _, told) = advised(&client, settings, statement).await;
            if !given.contains(kind) {
                wrong.push(format!("{kind} is missing on {major}:\n{told}"));
            }
            let (given, _, told) = advised(&client, calm, sibling).await;
            if given.contains(kind) {
                wrong.push(format!("{kind} is given needlessly on {major}:\n{told}"));
            }
        }
        wrong.extend(not_enough(&client, major).await);
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    });
}

/// What still doesn't fit in the work_mem that the advice names.
async fn not_enough(client: &Client, major: u32) -> Vec<String> {
    let mut wrong = Vec::new();
    for kind in ["lossy-bitmap", "sort-on-disk", "hash-on-disk"] {
        let (_, (settings, statement), _) = PAIRS.iter().find(|pair| pair.0 == kind).expect("a pair");
        let (_, _, told) = advised(client, settings, statement).await;
        let named =
            told.split(&format!("{kind}: ")).nth(1).and_then(|told| told.split("work_mem = '").nth(1));
        let Some(memory) = named.and_then(|named| named.split('\'').next()) else {
            wrong.push(format!("{kind} names no work_mem on {major}:\n{told}"));
            continue;
        };
        let settings = format!("{settings}; SET work_mem = '{memory}'");
        let (given, _, told) = advised(client, &settings, statement).await;
        if given.contains(&kind) {
            wrong.push(format!("{kind}: {memory} doesn't do on {major}:\n{told}"));
        }
    }
    wrong
}

/// Compiling needs LLVM, which not every server has; its advice is tested on a text.
#[test]
fn every_kind_has_a_pair() {
    let paired: Vec<&str> = PAIRS.iter().map(|(kind, ..)| *kind).collect();
    for kind in KINDS.iter().filter(|kind| kind.name != "jit-cost") {
        assert!(paired.contains(&kind.name), "{}", kind.name);
    }
}

#[test]
fn jit_is_advised_against_where_it_takes_a_fifth() {
    let plan = |total: &str| {
        let text = format!(
            "Seq Scan on a  (actual time=0..100 rows=1 loops=1)\nJIT:\n  Functions: 3\n  Timing: Generation 1.0 ms, Total {total} ms\nExecution Time: 100.0 ms\n"
        );
        plimsoll_explain::read(&text).expect("a plan").remove(0)
    };
    let given = |plan: &Plan| {
        advice::of(plan, &Figures::of(&plan.root)).iter().any(|one| one.kind.name == "jit-cost")
    };
    assert!(given(&plan("60.0")) && !given(&plan("10.0")));
}

/// A server prints times of a run in whole microseconds, so that a hundred thousand quick ones may come to nothing.
#[test]
fn an_inner_side_too_quick_to_be_timed_still_ran_away() {
    let text = "Nested Loop  (cost=0.29..3892.77 rows=167 width=4) (actual time=0.016..76.446 rows=99000 loops=1)\n  \
        ->  Seq Scan on pairs p  (cost=0.00..2693.00 rows=167 width=4) (actual time=0.008..9.005 rows=100000 loops=1)\n  \
        ->  Index Scan using ships_pkey on ships s  (cost=0.29..7.18 rows=1 width=8) (actual time=0.000..0.000 rows=1 loops=100000)\n\
        Execution Time: 80.550 ms\n";
    let plan = plimsoll_explain::read(text).expect("a plan").remove(0);
    let given = advice::of(&plan, &Figures::of(&plan.root));
    let one = given.iter().find(|one| one.kind.name == "runaway-nested-loop").expect("the advice");
    assert!(one.message.contains("88 % of the plan"), "{}", one.message);
}

#[test]
fn advice_fits_on_15() {
    each_kind_is_given_where_it_fits(15);
}

#[test]
fn advice_fits_on_18() {
    each_kind_is_given_where_it_fits(18);
}
