//! Statements that refuse a transaction are sampled while they run; statements that fail are
//! recorded, and those behind them still run.

use crate::project::{MAJORS, Project};
use crate::report::{deed, text};

const BASE: &str =
    "create table t (id int, n int);\ncreate index t_n on t (n);\ncreate table other (id int);\n";
const SEED: &str = "insert into t select i, i % 100 from generate_series(1, 5000) i;";
const CONFIG: &str = "[database]\nseed = \"seed.sql\"\n";

fn project(change: &str) -> Project {
    Project::new([
        ("plimsoll.toml", CONFIG),
        ("seed.sql", SEED),
        ("migrations/1.sql", BASE),
        ("migrations/2.sql", change),
    ])
}

#[test]
fn concurrent_statements_show_their_locks_and_work() {
    let project = project(
        "create index concurrently t_id on t (id);\n\
         reindex index concurrently t_id;\n\
         drop index concurrently t_n;\n\
         vacuum t;\n\
         reindex table concurrently t;\n",
    );
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        for statement in report.statements() {
            assert!(statement["error"].is_null() && statement["in_transaction"] == false, "{statement:#}");
            let deed = deed(statement);
            assert!(deed.contains("ShareUpdateExclusiveLock public.t"), "on {major}: {deed} {statement:#}");
            let strong = deed.replace("ShareUpdateExclusiveLock", "");
            assert!(
                !strong.contains("Lock public.t,") && !strong.ends_with("Lock public.t"),
                "on {major}: {deed}"
            );
        }
        let built = |part: &str| report.statement(part)["index_builds"].clone();
        assert_eq!(built("create index concurrently t_id"), serde_json::json!(["public.t_id"]));
        assert_eq!(built("reindex index"), serde_json::json!(["public.t_id"]));
        assert_eq!(built("drop index"), serde_json::json!([]));
        assert_eq!(built("reindex table"), serde_json::json!(["public.t_id"]));
        assert_eq!(report.findings(), Vec::<String>::new(), "on {major}: {:#}", report.json);
    }
}

#[test]
fn looking_on_makes_no_statement_wait_for_too_long() {
    let project =
        project("set lock_timeout = '50ms';\ncreate index concurrently t_id on t (id);\nvacuum t;\n");
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        assert!(report.findings().is_empty(), "{:#}", report.json);
    }
}

#[test]
fn a_failing_concurrent_build_is_recorded_and_the_rest_runs() {
    let project = project(
        "create unique index concurrently t_dup on t (n);\n\
         create table after_all (id int);\n\
         create index concurrently t_id on t (id);\n",
    );
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        let deeds = report.deeds();
        assert!(deeds[0].starts_with("failed 23505"), "{deeds:?}");
        assert_eq!(deeds[1], "");
        assert!(deeds[2].ends_with("built public.t_id"), "{deeds:?}");
        assert_eq!(report.findings(), ["1 statement-fails error observed"]);
        let error = &report.statements()[0]["error"];
        assert_eq!(text(&error["message"]), "could not create unique index \"t_dup\"");
        assert!(text(&error["detail"]).contains("is duplicated"), "{error}");
        assert_eq!((&error["line"], &error["column"]), (&1.into(), &1.into()));
    }
}

#[test]
fn a_failure_in_a_transaction_leaves_the_rest_whole() {
    let project = project(
        "begin;\ncreate table a (id int primary key);\ninsert into a values ('x');\ninsert into a values (1);\n\
         alter table t add column m int references a;\ncommit;\ncreate table b (id int);\n",
    );
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        let altered = "ShareRowExclusiveLock public.t, AccessExclusiveLock public.t";
        assert_eq!(report.deeds(), ["", "built public.a_pkey", "failed 22P02", "", altered, "", ""]);
        let error = &report.statements()[2]["error"];
        assert_eq!((&error["line"], &error["column"]), (&3.into(), &23.into()));
        let ran = report.ran();
        assert_eq!(
            (ran[0].as_str(), ran[5].as_str(), ran[6].as_str()),
            ("+begin", "+commit", "create table b (id int)")
        );
        assert_eq!(report.findings_of("statement-fails").len(), 1);
        assert_eq!(report.json["rehearsal"]["notes"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn concurrently_within_a_transaction_is_an_error_that_is_confirmed() {
    let project =
        project("-- migrate:up\nset local lock_timeout = '1s';\ncreate index concurrently t_id on t (id);\n");
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        assert_eq!(report.findings(), ["3 ban-concurrent-in-transaction error confirmed"]);
        assert_eq!(report.deeds(), ["", "failed 25001"]);
    }
}

#[test]
fn what_commits_by_itself_is_sampled() {
    let project = project(
        "create procedure p() language plpgsql as $$ begin alter table t add column m int; commit; end $$;\n\
         call p();\nalter system set work_mem = '5MB';\ncreate database another;\n",
    );
    let report = project.check(15, &["migrations/2.sql"]);
    assert!(report.statements().iter().all(|statement| statement["error"].is_null()), "{:#}", report.json);
}

#[test]
fn deferred_constraints_fail_at_the_commit() {
    let change = "-- migrate:up\ncreate table p (id int primary key);\n\
                  create table c (p int references p deferrable initially deferred);\ninsert into c values (1);\n";
    let report = project(change).check(18, &["migrations/2.sql"]);
    assert_eq!(report.deeds(), ["built public.p_pkey", "", "failed 23503"]);
    assert_eq!(report.findings(), ["4 statement-fails error observed"]);
}
