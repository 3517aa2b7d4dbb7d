//! EXPLAIN's four formats, as 15 and 18 print them, are read to the same plan.

mod support;

use plimsoll_core::plan::{Plan, PlanNode};
use tokio_postgres::{Client, SimpleQueryMessage};

const SCHEMA: &str = r#"
CREATE TABLE ships (id int PRIMARY KEY, name text NOT NULL, port int, draught numeric, "Odd Name" text);
INSERT INTO ships SELECT n, 'ship ' || n, n % 50, n % 17, 'x' FROM generate_series(1, 20000) n;
CREATE INDEX ships_port_idx ON ships (port, draught);
CREATE INDEX "Odd Index" ON ships ("Odd Name");
CREATE TABLE ports (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO ports SELECT n, 'port ' || n FROM generate_series(0, 49) n;
CREATE TABLE visits (ship int REFERENCES ships, port int REFERENCES ports ON DELETE CASCADE, at timestamptz DEFAULT now());
INSERT INTO visits SELECT 1 + n % 20000, n % 50 FROM generate_series(1, 60000) n;
CREATE TABLE measures (at date NOT NULL, value int) PARTITION BY RANGE (at);
CREATE TABLE measures_1 PARTITION OF measures FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measures_2 PARTITION OF measures FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO measures SELECT '2025-06-01'::date + n % 400, n FROM generate_series(1, 2000) n;
CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."My ""Table""" (a int, b text);
INSERT INTO "My Schema"."My ""Table""" VALUES (1, 'a');
CREATE VIEW busy AS SELECT port, count(*) AS ships FROM ships GROUP BY port HAVING count(*) > 1;
CREATE TABLE logged (id int); CREATE TABLE log (id int);
CREATE RULE twice AS ON INSERT TO logged DO ALSO INSERT INTO log VALUES (NEW.id);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON ports FOR EACH ROW EXECUTE FUNCTION touch();
"#;

/// Statements that between them print every kind of node and property.
const STATEMENTS: &[&str] = &[
    "SELECT 1",
    "SELECT * FROM ships WHERE id = 3",
    "SELECT * FROM ships s WHERE name = E'a\\nb  c: ''d''' AND draught > 3",
    "SELECT name FROM ships ORDER BY name LIMIT 5 OFFSET 3",
    "SELECT id FROM ships WHERE id BETWEEN 3 AND 900 ORDER BY id DESC",
    "SELECT \"Odd Name\" FROM ships WHERE \"Odd Name\" = 'y'",
    "SELECT * FROM \"My Schema\".\"My \"\"Table\"\"\" AS \"An Alias\" WHERE b LIKE '%<&>\"x%'",
    "SELECT p.name, count(*) FROM ships s JOIN ports p ON p.id = s.port GROUP BY p.name ORDER BY 2 DESC",
    "SELECT * FROM ships s LEFT JOIN visits v ON v.ship = s.id AND v.port > 40 WHERE s.port = 3",
    "SELECT * FROM ships WHERE NOT EXISTS (SELECT FROM visits WHERE visits.ship = ships.id)",
    "SELECT * FROM ships WHERE EXISTS (SELECT FROM visits WHERE visits.ship = ships.id AND visits.port = 4)",
    "SELECT * FROM ships WHERE port NOT IN (SELECT id FROM ports WHERE name > 'port 2')",
    "SELECT (SELECT max(id) FROM ports), s.id, (SELECT count(*) FROM ports WHERE ports.id = s.port) FROM ships s LIMIT 50",
    "WITH recent AS MATERIALIZED (SELECT * FROM visits WHERE port = 3) SELECT * FROM recent a, recent b WHERE a.ship = b.ship LIMIT 10",
    "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 30) SELECT sum(n) FROM up",
    "SELECT port, draught, count(*), sum(id) FROM ships GROUP BY GROUPING SETS ((port, draught), (port), ())",
    "SELECT port, draught, count(*) FROM ships GROUP BY CUBE (port, draught)",
    "SELECT * FROM ships ORDER BY port, name LIMIT 700",
    "SELECT *, row_number() OVER (PARTITION BY port ORDER BY name) FROM ships WHERE port < 5",
    "SELECT * FROM (SELECT *, row_number() OVER (ORDER BY id) AS r FROM ships) x WHERE r < 5",
    "SELECT id FROM ships EXCEPT ALL SELECT ship FROM visits",
    "SELECT port FROM ships INTERSECT SELECT port FROM visits",
    "SELECT port FROM ships UNION SELECT id FROM ports",
    "SELECT DISTINCT port FROM ships ORDER BY port",
    "SELECT * FROM measures WHERE at > '2026-02-01' ORDER BY at",
    "SELECT * FROM measures m JOIN generate_series(1, 3) g(n) ON m.value = g.n",
    "SELECT * FROM ships WHERE port IN (1, 2, 3) OR id = 7 OR draught = 3 AND port = 2",
    "SELECT * FROM ships TABLESAMPLE system (10) REPEATABLE (1)",
    "SELECT * FROM ships WHERE ctid = '(0,1)'",
    "SELECT * FROM ships WHERE ctid < '(2,1)' AND id > 5",
    "SELECT * FROM (VALUES (1), (2)) v(n) JOIN ships ON ships.id = v.n",
    "SELECT * FROM json_to_recordset('[{\"a\": 1}]') AS x(a int)",
    "SELECT * FROM xmltable('/a' PASSING '<a><b>1</b></a>' COLUMNS b int)",
    "SELECT * FROM busy WHERE port > 3",
    "SELECT * FROM ships WHERE false",
    "SELECT * FROM ships WHERE current_date > '2000-01-01' AND id < 0",
    "SELECT generate_series(1, 3), unnest(ARRAY[1, 2])",
    "SELECT * FROM ships WHERE id = ANY (ARRAY[1, 5, 9]) FOR UPDATE",
    "SELECT count(*), max(draught) FROM visits JOIN ships ON ships.id = visits.ship",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY draught) FROM ships",
    "INSERT INTO ports VALUES (1, 'again'), (700, 'new') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE ports.id > 0",
    "INSERT INTO ports VALUES (1, 'again') ON CONFLICT DO NOTHING",
    "UPDATE measures SET value = value + 1 WHERE value < 100",
    "UPDATE ports SET name = 'x' FROM ships WHERE ships.port = ports.id AND ships.id < 50 RETURNING ports.*",
    "DELETE FROM ports WHERE id > 20",
    "DELETE FROM measures USING ports WHERE ports.id = measures.value",
    "MERGE INTO ports p USING ships s ON p.id = s.id WHEN MATCHED AND s.id < 20 THEN UPDATE SET name = s.name WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND s.id < 500 THEN INSERT VALUES (s.id, s.name)",
    "INSERT INTO logged VALUES (3)",
];

/// Settings that lead to nodes of other kinds.
const HABITS: &[&str] = &[
    "",
    "SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
    "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3",
    "SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET enable_hashjoin = off; SET enable_seqscan = off",
    "SET enable_hashagg = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_sort = off; SET enable_incremental_sort = on",
];

/// Every so many of the statements run with each of these.
const STEP: usize = 6;

/// What EXPLAIN is asked for; `{all}` stands for what the version has.
const OPTIONS: &[&str] = &[
    "ANALYZE, {all}",
    "ANALYZE, VERBOSE, {all}",
    "ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF",
    "COSTS OFF",
    "VERBOSE, SETTINGS",
];

async fn explained(client: &Client, options: &str, format: &str, statement: &str) -> String {
    let sql = format!("BEGIN; EXPLAIN ({options}, FORMAT {format}) {statement}; ROLLBACK");
    let answers = client.simple_query(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let rows = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// A plan without what another run has other figures for, and without what one format prints and another doesn't.
fn comparable(mut plan: Plan, statement: &str) -> Plan {
    plan.planning_ms = plan.planning_ms.map(|_| 0.0);
    plan.execution_ms = plan.execution_ms.map(|_| 0.0);
    plan.planning_buffers = Default::default();
    for trigger in &mut plan.triggers {
        trigger.time_ms = trigger.time_ms.map(|_| 0.0);
        // The text form leaves out what the name says already.
        trigger.relation = None;
        if trigger.constraint.is_some() {
            trigger.name = String::new();
        }
    }
    if let Some(jit) = &mut plan.jit {
        let functions = jit.functions;
        *jit = Default::default();
        jit.functions = functions;
    }
    plan.others.retain(|(name, _)| !name.starts_with("Planning Memory") && name != "Serialization");
    node(&mut plan.root);
    // What is rolled back leaves the table longer.
    if ["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|verb| statement.starts_with(verb)) {
        without_estimates(&mut plan.root);
    }
    plan
}

/// How workers share rows out differs between runs.
fn shared_out(one: &mut PlanNode) {
    if let Some(actual) = &mut one.actual {
        (actual.rows, actual.loops) = (0.0, 1);
    }
    (one.sort, one.hash, one.cache) = (None, None, None);
    (one.rows_removed_by_filter, one.rows_removed_by_join_filter) = (None, None);
    (one.exact_heap_blocks, one.heap_fetches, one.index_searches) = (None, None, None);
    one.others.clear();
    one.children.iter_mut().for_each(shared_out);
}

fn without_estimates(node: &mut PlanNode) {
    (node.startup_cost, node.total_cost, node.plan_rows) = (None, None, None);
    node.hash = None;
    node.children.iter_mut().for_each(without_estimates);
}

fn node(one: &mut PlanNode) {
    if let Some(actual) = &mut one.actual {
        let timed = actual.loops > 0 && actual.total_ms.is_some();
        actual.startup_ms = timed.then_some(0.0);
        actual.total_ms = timed.then_some(0.0);
    }
    let none = |value: &mut Option<f64>| *value = value.filter(|value| *value > 0.0);
    none(&mut one.rows_removed_by_filter);
    none(&mut one.rows_removed_by_join_filter);
    none(&mut one.rows_removed_by_index_recheck);
    let none = |value: &mut Option<u64>| *value = value.filter(|value| *value > 0);
    none(&mut one.lossy_heap_blocks);
    none(&mut one.exact_heap_blocks);
    // What was rolled back is looked up once, and known for dead from then on.
    one.heap_fetches = one.heap_fetches.map(|_| 0);
    // The text form prints it with VERBOSE alone.
    one.others.retain(|(name, _)| name != "Inner Unique");
    for (_, text) in &mut one.others {
        // XML doesn't tell which.
        *text = text.replace("Sort Space Memory", "Sort Space").replace("Sort Space Disk", "Sort Space");
    }
    one.buffers = Default::default();
    one.wal = Default::default();
    // Which worker does what differs between runs.
    one.workers.clear();
    if one.workers_launched.is_some() || one.workers_planned.is_some() {
        one.workers_launched = None;
        shared_out(one);
    }
    one.children.iter_mut().for_each(node);
}

fn same_in_all_formats(major: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let server = support::start(major);
        let client = server.connect("postgres").await.expect("the server answers");
        client.batch_execute(SCHEMA).await.expect("the server answers");
        // Rows whose commits aren't in the WAL's file yet aren't visible to all, and are so a moment later.
        client.batch_execute("CHECKPOINT").await.expect("the server answers");
        client.batch_execute("VACUUM ANALYZE").await.expect("the server answers");
        let all = match major {
            18.. => "BUFFERS, WAL, SETTINGS, SERIALIZE TEXT, MEMORY",
            _ => "BUFFERS, WAL, SETTINGS",
        };
        // The ready-made 18 is built without XML.
        let has_xml = client.batch_execute("SELECT '<a/>'::xml").await.is_ok();
        let statements: Vec<&str> =
            STATEMENTS.iter().copied().filter(|one| has_xml || !one.contains("xmltable")).collect();
        let mut read = 0;
        for habit in HABITS {
            client
                .batch_execute(&format!(
                    "RESET ALL; SET max_parallel_workers_per_gather = 0; SET jit = off; {habit}"
                ))
                .await
                .expect("the server answers");
            // Compiling each, or joining without a hash, takes long: some of them show what there is to see.
            let step = if habit.is_empty() { 1 } else { STEP };
            for statement in statements.iter().step_by(step) {
                for options in if habit.is_empty() { OPTIONS } else { &OPTIONS[..1] } {
                    let options = options.replace("{all}", all);
                    let json = explained(&client, &options, "JSON", statement).await;
                    let expected: Vec<Plan> = plimsoll_explain::read(&json)
                        .unwrap_or_else(|error| panic!("{error}:\n{json}"))
                        .into_iter()
                        .map(|plan| comparable(plan, statement))
                        .collect();
                    for format in ["TEXT", "YAML", "XML"] {
                        let text = explained(&client, &options, format, statement).await;
                        let plans =
                            plimsoll_explain::read(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
                        let plans: Vec<Plan> =
                            plans.into_iter().map(|plan| comparable(plan, statement)).collect();
                        assert_same(&expected, &plans, &format!("{statement}\n{habit}\n{options}\n{text}"));
                        read += 1;
                    }
                }
            }
        }
        let with_habits = (HABITS.len() - 1) * statements.len().div_ceil(STEP);
        assert_eq!(read, (OPTIONS.len() * statements.len() + with_habits) * 3);
    });
}

#[track_caller]
fn assert_same(expected: &[Plan], plans: &[Plan], what: &str) {
    assert_eq!(expected.len(), plans.len(), "{what}");
    for (expected, plan) in expected.iter().zip(plans) {
        let (expected, plan) = (sorted(expected), sorted(plan));
        if expected == plan {
            continue;
        }
        // A property a line.
        let (expected, plan) = (format!("{expected:#?}"), format!("{plan:#?}"));
        for (expected, line) in expected.lines().zip(plan.lines()) {
            assert_eq!(expected, line, "{what}");
        }
        assert_eq!(expected, plan, "{what}");
    }
}

fn sorted(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.others.sort();
    sort(&mut plan.root);
    plan
}

/// What the model keeps in the order of a format's own.
fn sort(node: &mut PlanNode) {
    node.others.sort();
    node.children.iter_mut().for_each(sort);
}

#[test]
fn formats_of_15_are_read_alike() {
    same_in_all_formats(15);
}

#[test]
fn formats_of_18_are_read_alike() {
    same_in_all_formats(18);
}
