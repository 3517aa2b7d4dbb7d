//! `plimsoll regress` with two servers side by side, on trunks and on plan branches.

use crate::production::Production;
use crate::project::Project;
use crate::stateful::Stateful;

#[test]
fn two_versions_are_compared_side_by_side() {
    let project = Project::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
        ("migrations/1.sql", "create table t (a int, b int, c text); create index t_ab on t (a, b);"),
        ("seed.sql", "insert into t select g % 3, g, repeat('x', 50) from generate_series(1, 30000) g;"),
        // 18 skips within an index whose first column isn't asked for.
        ("queries/skip.sql", "select count(*) from t where b = 4711"),
        ("queries/same.sql", "select count(*) from t"),
        ("queries/new.sql", "select uuid_extract_version(uuidv7())"),
    ]);
    let report = project.run(&["regress", "test", "--from", "15", "--to", "18", "--format", "json"]).report();
    assert_eq!(report.query("skip")["verdict"], "better", "{:#}", report.query("skip"));
    assert_eq!(report.query("same")["verdict"], "same");
    assert_eq!(report.query("new")["verdict"], "new");
    assert!(
        report.notes().iter().any(|note| note.starts_with("Compared PostgreSQL 15")),
        "{:?}",
        report.notes()
    );
}

#[test]
fn times_are_compared_in_pairs_before_and_after_a_change() {
    let project = Project::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
        (
            "migrations/1.sql",
            "create table t (a int); create function slow(a int) returns int language plpgsql as $$ begin return a; end $$;",
        ),
        ("seed.sql", "insert into t select g from generate_series(1, 2000) g;"),
        ("queries/calls.sql", "select sum(slow(a)) from t"),
        ("queries/plain.sql", "select sum(a) from t"),
    ]);
    project.git_init("main");
    project.git_commit_all();
    project.write(
        "migrations/2.sql",
        "create or replace function slow(a int) returns int language plpgsql as $$ begin for i in 1..200 loop a := a + 1; end loop; return a - 200; end $$;",
    );
    let report = project.run(&["regress", "test", "--time", "--format", "json"]).report();
    let calls = report.query("calls");
    assert_eq!(calls["verdict"], "worse", "{calls:#}");
    let reason = calls["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("time ") && reason.contains("sign test p = "), "{reason}");
    assert_eq!(report.query("plain")["verdict"], "same", "{:#}", report.query("plain"));
    assert!(report.query("plain")["before"]["time_ms"].is_number());
}

#[test]
fn a_corpus_is_tested_on_a_branch_of_a_trunk() {
    let stateful = Stateful::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
        ("migrations/1.sql", "create table t (id int primary key, n int); create index t_n on t (n);"),
        ("seed.sql", "insert into t select g, g from generate_series(1, 20000) g;"),
        ("queries/by_n.sql", "select id from t where n = 17"),
    ]);
    stateful.project.git_init("main");
    stateful.project.git_commit_all();
    stateful.succeed(&["trunk", "create", "main"]);
    let recorded = stateful.succeed(&["regress", "record", "--on", "main"]);
    assert!(recorded.stderr.contains("1 query recorded"), "{}", recorded.shown());
    stateful.project.write("migrations/2.sql", "drop index t_n;");
    let tested = stateful.run(&["regress", "test", "--on", "main"]);
    assert_eq!(tested.status.code(), Some(1), "{}", tested.shown());
    assert!(tested.stdout.contains("missing index: t_n is gone"), "{}", tested.shown());
    assert!(stateful.entries("branches").is_empty());
}

#[test]
fn plans_alone_are_compared_on_a_plan_branch() {
    for major in [15, 18] {
        let production = Production::start(major, "autovacuum = off\n");
        production.psql("postgres", "create database shop");
        production.psql(
            "shop",
            "create table t (id int primary key, n int); insert into t select g, g from generate_series(1, 50000) g;
             create index t_n on t (n); vacuum analyze",
        );
        let stateful = Stateful::new([
            ("plimsoll.toml", "[database]\nname = \"shop\"\n"),
            ("migrations/1.sql", "create table t (id int primary key, n int); create index t_n on t (n);"),
            ("queries/by_n.sql", "select id from t where n = $1"),
            ("queries/by_n.toml", "[by_n]\n1 = 17\n"),
            ("queries/by_id.sql", "select n from t where id = 17"),
        ]);
        stateful.project.git_init("main");
        stateful.project.git_commit_all();
        stateful.project.write("migrations/2.sql", "drop index t_n;");
        let url = production.url("shop");
        let report =
            stateful.run(&["regress", "plans", "--of", &url, "--keep-values", "--format", "json"]).report();
        assert_eq!(report.query("by_n")["verdict"], "worse", "{:#}", report.query("by_n"));
        assert_eq!(report.query("by_n")["causes"][0]["kind"], "missing index");
        assert_eq!(report.query("by_id")["verdict"], "same");
        assert!(report.notes()[0].contains("Plans and costs alone were compared"), "{:?}", report.notes());
        assert!(stateful.entries("branches").is_empty() && stateful.entries("building").is_empty());
    }
}
