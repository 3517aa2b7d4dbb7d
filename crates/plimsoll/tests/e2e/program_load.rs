//! `plimsoll check -- COMMAND` together with queries and a load: the program is run again, as it is.

use serde_json::Value;

use crate::project::{MAJORS, Project, programs};
use crate::report::{Report, list, text};

const CONFIG: &str = "[migrations]\nbefore = \"psql -q -f before.sql\"\n[database]\nseed = \"seed.sql\"\n\
                      [queries]\npath = \"queries\"\nruns = 1\n[workload]\nlead = \"1s\"\nconnections = 8\n\
                      [workload.rates]\nship = 60\n";

/// What the program sends binds parameters, and it waits by itself while it holds a lock.
const CHANGE: &str = "\\set ON_ERROR_STOP on\n\
                      update ships set name = $1 where id = $2 \\bind lugger 5 \\g\n\
                      begin;\nalter table ships add column x int;\n\\! sleep 0.7\ncommit;\n\
                      alter table ships rename column name to title -- said so\n;\ncreate table after (id int)\n";

fn project(change: &str) -> Project {
    Project::new([
        ("plimsoll.toml", CONFIG),
        ("before.sql", "create table ships (id int primary key, name text);\n"),
        ("seed.sql", "insert into ships select n, 'ship ' || n from generate_series(1, 500) n;\n"),
        (
            "queries/q.sql",
            "-- name: ship\nselect id from ships where id = :id;\n-- name: named\nselect name from ships;\n",
        ),
        ("queries/q.toml", "[ship]\nid = 5\n"),
        ("change.sql", change),
    ])
}

/// Judges what psql sends. It is that of 18: older ones can't bind.
fn check(project: &Project, major: u32, arguments: &[&str]) -> Report {
    let path = format!("{}:{}", programs(18).display(), std::env::var("PATH").unwrap());
    let whole = ["check", "--format", "json", "--postgres", &major.to_string()];
    let command = ["--", "psql", "-X", "-f", "change.sql"];
    let run = project.plimsoll(&[&whole[..], arguments, &command].concat()).env("PATH", path);
    run.run().report()
}

fn named<'a>(values: &'a Value, name: &str) -> &'a Value {
    list(values).iter().find(|value| value["name"] == name).unwrap()
}

#[test]
fn a_load_runs_the_program_itself() {
    for major in MAJORS {
        let report = check(&project(CHANGE), major, &["--load"]);
        let run = &report.json["load"][0];
        assert_eq!(run["change"]["error"], Value::Null, "on {major}: {run:#}");
        let ship = named(&run["statements"], "ship");
        let milliseconds = |value: &Value| value.as_f64().unwrap();
        assert!(milliseconds(&ship["during"]["max_ms"]) > 400.0, "on {major}: {ship:#}");
        assert!(milliseconds(&ship["predicted"]["longest_wait_ms"]) > 600.0, "on {major}: {ship:#}");
    }
}

#[test]
fn a_program_that_gives_up_is_placed() {
    let report = check(&project(CHANGE), 18, &["--load", "--long-transaction", "4500ms"]);
    let [patient, hasty] = list(&report.json["load"]) else { panic!("two runs") };
    assert_eq!(patient["change"]["error"], Value::Null);
    let error = &hasty["change"]["error"];
    assert_eq!((text(&error["sqlstate"]), &error["line"]), ("55P03", &3.into()), "{error:#}");
}

#[test]
fn a_program_that_can_be_run_once_cant_be_measured() {
    let project = project("create table fresh (id int);\n");
    let command = "test ! -e once || exit 4; touch once; psql -X -f change.sql";
    let ended = project.run(&["rehearse", "--load", "--", "sh", "-c", command]);
    ended.fails(2, &["this time it never connected", "can be run twice"]);
}

#[test]
fn the_statement_that_broke_a_query_is_named() {
    let report = check(&project(CHANGE), 18, &[]);
    let query = named(&report.json["queries"], "named");
    let reasons: Vec<&str> = list(&query["reasons"]).iter().map(text).collect();
    assert!(
        reasons.iter().any(|why| why.contains("broken by") && why.contains("rename column")),
        "{reasons:?}"
    );
}

#[test]
fn a_comment_at_a_statements_end_swallows_nothing() {
    let report = check(&project(CHANGE), 18, &[]);
    let statements: Vec<&str> =
        list(&report.json["rehearsal"]["statements"]).iter().map(|one| text(&one["sql"])).collect();
    assert_eq!(statements.len(), 6, "{statements:#?}");
    let places: Vec<String> = report.findings();
    assert!(places.iter().any(|place| place.contains("renaming-column")), "{places:#?}");
}
