//! `plimsoll regress record` and `accept`: what is written down, of queries of every kind; and what a fault leaves behind.

use rustix::process::Signal;

use crate::project::{MAJORS, Project};

const SCHEMA: &str = "create type mood as enum ('calm', 'rough');
create domain draught as numeric check (value > 0);
create table ships (id bigserial primary key, name text, tags text[], log jsonb, days daterange, mood mood, draught draught, seen timestamptz default now());
create table audit (ship bigint);
create function heard() returns trigger language plpgsql as $$ begin insert into audit values (new.id); return new; end $$;
create trigger hear after insert on ships for each row execute function heard();
";

const SEED: &str = "insert into ships (name, tags, log, days, mood, draught)
select 'ship ' || n, array['a', 'b' || n % 7], jsonb_build_object('n', n), daterange('2026-01-01', date '2026-01-02' + n), 'calm', 4 + n % 3
from generate_series(1, 3000) n;
";

const QUERIES: &str = "-- name: of_every_type
select id from ships where tags && :tags::text[] and log @> :log::jsonb and days && :days::daterange and mood = :mood and draught < :draught::draught
order by id limit 3;
-- name: launch
insert into ships (name) values (:name) returning name;
-- name: sink
delete from ships where id % 2 = 0;
-- name: endless
-- timeout: 300ms
select count(*) from generate_series(1, 1000000000) g where g > 0 order by 1;
-- name: quotient
select 10 / :by::int as quotient;
-- name: by_chance
select random(), clock_timestamp();
-- name: any_three
select id from ships limit 3;
-- name: seen_last
select max(seen) from ships;
-- name: ties
select id, draught from ships order by draught;
-- name: in_order
select id, name from ships order by draught, id;
";

const VALUES: &str = "[of_every_type]
tags = [\"b1\", \"with \\\"quote\\\" and, comma\"]
log = '{\"n\": 1}'
days = \"[2026-01-01,2026-02-01)\"
mood = \"calm\"
draught = 12.5
[launch]
name = \"it's\"
[quotient.two]
by = 2
[quotient.zero]
by = 0
";

fn harbour() -> Project {
    Project::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
        ("migrations/0001.sql", SCHEMA),
        ("seed.sql", SEED),
        ("queries/ships.sql", QUERIES),
        ("queries/ships.toml", VALUES),
    ])
}

fn baseline(project: &Project) -> String {
    std::fs::read_to_string(project.path().join("queries/ships.baseline")).unwrap()
}

/// The lines of a set in a baseline.
fn lines<'a>(baseline: &'a str, query: &str, set: &str) -> Vec<&'a str> {
    let of_query =
        baseline.split("\nquery ").find(|part| part.lines().next() == Some(query)).expect("the query");
    let of_set = of_query.split("\nset ").find(|part| part.lines().next() == Some(set)).expect("the set");
    of_set.lines().skip(1).collect()
}

fn check_record(major: u32) {
    let project = harbour();
    let version = major.to_string();
    let record = ["regress", "record", "--postgres", &version];
    let recorded = project.run(&record);
    assert_eq!(recorded.status.code(), Some(1), "{}", recorded.stderr);
    for told in [
        "query endless [default] fails: canceling statement due to statement timeout: it ran for 0.3 s (SQLSTATE 57014)",
        "query quotient [zero] fails: division by zero (SQLSTATE 22012)",
        "Query launch advances sequence public.ships_id_seq, which no rollback takes back.",
        "Query launch fires trigger hear on ships.",
        "10 queries recorded, 0 kept as before, in 1 file",
    ] {
        assert!(recorded.stderr.contains(told), "{told}\n{}", recorded.stderr);
    }
    let first = baseline(&project);
    assert!(first.contains(&format!("\nserver {major}\n")), "{first}");
    let result = |query: &str, set: &str| lines(&first, query, set)[0].to_owned();
    assert!(result("of_every_type", "default").starts_with("result 1 rows, ordered, "), "{first}");
    assert!(result("in_order", "default").starts_with("result 3000 rows, ordered, "), "{first}");
    // What the plan decides isn't compared: which three come first.
    assert_eq!(result("by_chance", "default"), "result 1 rows");
    assert_eq!(result("seen_last", "default"), "result 1 rows");
    assert!(result("launch", "default").starts_with("result 1 rows, "), "{first}");
    assert_eq!(result("quotient", "zero"), "failed 22012 division by zero");
    assert!(lines(&first, "sink", "default").iter().any(|line| line.starts_with("wal ")), "{first}");
    assert!(!first.contains("with \\\"quote"), "literals stay out: {first}");

    // Nothing has changed, so nothing is written.
    let again = project.run(&record);
    assert!(again.stderr.contains("0 queries recorded, 10 kept as before, in no file"), "{}", again.stderr);
    assert_eq!(baseline(&project), first);

    // One query changes; the lines of the others stay, and one is accepted alone.
    project.write(
        "queries/ships.sql",
        QUERIES
            .replace("select id, name from ships order by draught, id", "select id from ships order by id"),
    );
    let tested = project.run(&["regress", "test", "--postgres", &version]);
    assert_eq!(tested.status.code(), Some(1), "{}", tested.stdout);
    assert!(tested.stdout.contains("in_order returns something else"), "{}", tested.stdout);
    let accepted = project.run(&["regress", "accept", "in_order", "--postgres", &version]);
    assert!(accepted.stderr.contains("1 query recorded, 0 kept as before, in 1 file"), "{}", accepted.stderr);
    let differing = baseline(&project).lines().filter(|line| !first.contains(line)).count();
    assert!((1..12).contains(&differing), "{differing}");
    let tested = project.run(&["regress", "test", "--postgres", &version, "--format", "json"]).report();
    assert!(tested.queries().iter().all(|query| query.ends_with(" same")), "{:?}", tested.queries());
    project
        .run(&["regress", "accept", "in_ordr"])
        .fails(2, &["find query in_ordr", "did you mean in_order?"]);
}

#[test]
fn queries_of_every_kind_are_recorded_on_15() {
    check_record(MAJORS[0]);
}

#[test]
fn queries_of_every_kind_are_recorded_on_18() {
    check_record(MAJORS[1]);
}

#[test]
fn a_baseline_of_another_version_is_compared_and_told() {
    let project = Project::new([
        ("migrations/1.sql", "create table t (id int);"),
        ("queries/q.sql", "select * from t"),
    ]);
    assert_eq!(project.run(&["regress", "record", "--postgres", "15"]).status.code(), Some(0));
    let report = project.run(&["regress", "test", "--postgres", "18", "--format", "json"]).report();
    assert_eq!(report.queries(), ["q same"]);
    assert!(
        report
            .notes()
            .iter()
            .any(|note| note.contains("Baselines of PostgreSQL 15 are compared with a run on 18"))
    );
    project.run(&["regress", "accept", "q", "--postgres", "18"]).fails(
        2,
        &["queries/q.baseline: it was recorded on PostgreSQL 15 with default settings, this is 18"],
    );
    assert_eq!(project.run(&["regress", "record", "--postgres", "18"]).status.code(), Some(0));
    assert!(
        std::fs::read_to_string(project.path().join("queries/q.baseline")).unwrap().contains("\nserver 18\n")
    );
}

#[test]
fn a_baseline_with_a_conflict_is_placed_and_recorded_anew() {
    let project = Project::new([
        ("migrations/1.sql", "create table t (id int);"),
        ("queries/q.sql", "select * from t"),
    ]);
    project.run(&["regress", "record"]);
    let path = "queries/q.baseline";
    let text = std::fs::read_to_string(project.path().join(path)).unwrap();
    project.write(path, text.replace("cost ", "<<<<<<< ours\ncost 1.00\n=======\ncost "));
    project.run(&["regress", "test"]).fails(2, &["queries/q.baseline:11: git left a conflict here"]);
    assert_eq!(project.run(&["regress", "record"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(project.path().join(path)).unwrap(), text);
}

#[test]
fn a_server_that_dies_leaves_no_baseline() {
    let project = Project::new([
        ("migrations/1.sql", "create table t (id int);"),
        ("queries/a.sql", "select * from t"),
        ("queries/z.sql", "select pg_sleep(300), 'napping'"),
    ]);
    for stop in [true, false] {
        let mut running = project.plimsoll(&["regress", "record", "--postgres", "18"]).start();
        running.wait_for_query("EXECUTE plimsoll_query");
        if stop {
            running.signal(Signal::TERM);
            running.end().fails(143, &["stopped"]);
        } else {
            running.signal_server(Signal::KILL);
            running.end().fails(3, &["measure query", "the private server is gone"]);
        }
        let left = std::fs::read_dir(project.path().join("queries")).unwrap().count();
        assert_eq!(left, 2, "nothing may be written");
    }
}

#[test]
fn without_queries_the_way_to_some_is_told() {
    let project = Project::new([("migrations/1.sql", "create table t (id int);")]);
    project.run(&["regress", "record"]).fails(2, &["there is no folder of them", "plimsoll watch --save"]);
    project.write("queries/q.sql", "-- only a comment\n");
    project.run(&["regress", "test"]).fails(2, &["holds no .sql file with a query"]);
    project.write("queries/q.sql", "select 1");
    project
        .run(&["regress", "test", "--tag", "hot"])
        .fails(2, &["find queries tagged hot: no query has this tag"]);
    project.run(&["regress", "test", "--from", "15"]).fails(2, &["--to"]);
    project.run(&["regress", "test", "--from", "18", "--to", "18"]).fails(2, &["name two versions"]);
}

#[test]
fn fixtures_tags_and_migrations_in_git_are_heeded() {
    let project = Project::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
        ("migrations/0001.sql", "create table t (id int primary key, n int); create index t_n on t (n);"),
        ("seed.sql", "insert into t select g, g from generate_series(1, 5000) g;"),
        ("queries/plain.sql", "-- tags: hot\nselect count(*) from t"),
        ("queries/deep/more.sql", "select count(*) from t"),
        ("queries/deep/fixtures.sql", "insert into t select g, 0 from generate_series(5001, 9000) g;"),
        ("queries/deep/by_n.sql", "select id from t where n = 17"),
    ]);
    project.git_init("main");
    project.git_commit_all();
    assert_eq!(project.run(&["regress", "record"]).status.code(), Some(0));
    let of = |name: &str| {
        std::fs::read_to_string(project.path().join(format!("queries/{name}.baseline"))).unwrap()
    };
    assert!(of("plain").contains("read 5000 rows") && of("deep/more").contains("read 9000 rows"));
    // The seed is of the state before the new migration, which takes what it needs away.
    project.write(
        "migrations/0002.sql",
        "drop index t_n; alter table t rename n to m; alter table t add n int; update t set n = m;",
    );
    let report = project.run(&["regress", "test", "--format", "json"]).report();
    assert_eq!(report.query("by_n")["verdict"], "worse", "{:#}", report.query("by_n"));
    assert_eq!(report.query("by_n")["causes"][0]["kind"], "missing index");
    assert!(report.notes().iter().any(|note| note.contains("migrations/0002.sql")), "{:?}", report.notes());
    let hot = project.run(&["regress", "test", "--tag", "hot", "--format", "json"]).report();
    assert_eq!(hot.queries().len(), 1);
}

#[test]
fn a_history_is_kept_and_shown() {
    let project = Project::new([
        ("plimsoll.toml", "[regress]\nhistory = \"runs.jsonl\"\n"),
        ("migrations/1.sql", "create table t (id int);"),
        ("queries/q.sql", "select * from t"),
    ]);
    project.run(&["regress", "record"]);
    for _ in 0..2 {
        assert_eq!(project.run(&["regress", "test"]).status.code(), Some(0));
    }
    let ended = project.run(&[
        "regress",
        "test",
        "--format",
        "json",
        "--report",
        "html=report.html",
        "--report",
        "junit=tests.xml",
    ]);
    let report = ended.report();
    assert_eq!(report.query("q")["history"].as_array().unwrap().len(), 3);
    let written = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    assert_eq!(written("runs.jsonl").lines().count(), 3);
    assert!(written("report.html").contains("Shared buffers over 3 runs: 0 at first, 0 now"));
    assert!(written("tests.xml").contains("name=\"q\""), "{}", written("tests.xml"));
    project.write("runs.jsonl", "{}\n");
    project.run(&["regress", "test"]).fails(2, &["runs.jsonl:1: this is no run of queries"]);
}
