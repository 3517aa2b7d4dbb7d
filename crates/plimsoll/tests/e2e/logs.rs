//! `plimsoll logs` of real servers' logs, held to what `pg_stat_statements` counted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::production::Production;
use crate::project::Project;

/// A server that logs everything in all three formats, and has run pgbench.
fn production(major: u32) -> Production {
    let production = Production::start(
        major,
        "shared_preload_libraries = 'pg_stat_statements'\nlog_min_duration_statement = 0\nlogging_collector = on\n\
         log_connections = on\nlog_disconnections = on\nlog_line_prefix = '%m [%p] %q%u@%d %a '\nlog_timezone = 'UTC'\n\
         log_destination = 'stderr,csvlog,jsonlog'\nlog_filename = 'all'\nlog_directory = 'logs'\n",
    );
    production.psql("postgres", "create extension pg_stat_statements");
    production.tool("pgbench", &["-i", "-q", "postgres"]);
    production.psql("postgres", "select pg_stat_statements_reset()");
    production.tool("pgbench", &["-n", "-c", "2", "-t", "150", "postgres"]);
    production.tool("pgbench", &["-n", "-S", "-M", "prepared", "-t", "400", "postgres"]);
    production
}

/// Calls of the statements that pgbench sends, by how they begin, as the server counted them.
fn counted(production: &Production) -> BTreeMap<String, u64> {
    let rows = production.psql(
        "postgres",
        "select lower(split_part(query, ' ', 1) || ' ' || split_part(query, ' ', 2)), sum(calls) from pg_stat_statements \
         where query ~ 'pgbench_' group by 1",
    );
    rows.lines()
        .map(|row| row.split_once('|').unwrap())
        .map(|(query, calls)| (query.to_owned(), calls.parse().unwrap()))
        .collect()
}

fn logs(production: &Production) -> Vec<PathBuf> {
    let folder = production.data().join("logs");
    ["all", "all.csv", "all.json"].map(|name| folder.join(name)).into()
}

fn counts_are_the_servers(major: u32) {
    let production = production(major);
    let counted = counted(&production);
    assert_eq!(counted["update pgbench_accounts"], 300, "{counted:?}");
    production.stop();
    let project = Project::new([("plimsoll.toml", "")]);
    let mut reports = Vec::new();
    for log in logs(&production) {
        let ended = project.run(&["logs", log.to_str().unwrap(), "--format", "json", "--save", "all.psum"]);
        ended.prints(0, &[]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(report["read"]["unparsed"], 0, "{}", report["read"]);
        let calls = |begin: &str| -> u64 {
            let queries = report["queries"].as_array().unwrap().iter();
            let of = queries.filter(|query| query["query"].as_str().unwrap().starts_with(begin));
            // Making the tables is logged as well, but was not counted.
            of.filter(|query| !query["query"].as_str().unwrap().contains("pgbench_branches(bid"))
                .map(|query| query["calls"].as_u64().unwrap())
                .sum()
        };
        for begin in ["update pgbench_accounts", "update pgbench_branches", "update pgbench_tellers"] {
            assert_eq!(calls(begin), counted[begin], "{begin} in {}", log.display());
        }
        assert_eq!(calls("select abalance"), counted["select abalance"]);
        let connections = report["connections"].as_array().unwrap().iter();
        let connected: u64 = connections.map(|one| one["connections"].as_u64().unwrap()).sum();
        let received =
            report["events"].as_array().unwrap().iter().find(|event| event["name"] == "connection received");
        assert_eq!(Some(connected), received.map(|event| event["count"].as_u64().unwrap()));
        let shown = project.run(&["logs", "all.psum", "--format", "json"]);
        let again: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(again["queries"], report["queries"]);
        let mut queries = report["queries"].clone();
        // Where they came from is told as far as the format goes: this prefix has no host.
        queries.as_array_mut().unwrap().iter_mut().for_each(|query| query["streams"] = Value::Null);
        reports.push((report["statements"].clone(), queries));
    }
    assert!(reports.iter().all(|report| *report == reports[0]));
}

#[test]
fn counts_are_the_servers_15() {
    counts_are_the_servers(15);
}

#[test]
fn counts_are_the_servers_18() {
    counts_are_the_servers(18);
}

const LINES: &str =
    "2026-11-23 12:00:00.000 UTC [5] LOG:  duration: 1.5 ms  statement: SELECT 'secret' FROM t\n";

#[test]
fn days_merge_to_the_summary_of_both() {
    let project =
        Project::new([("plimsoll.toml", ""), ("a.log", LINES), ("b.log", &LINES.replace("12:", "13:"))]);
    for (logs, save) in [("a.log", "a.psum"), ("b.log", "b.psum")] {
        project.run(&["logs", logs, "--save", save]).prints(0, &["1 record of"]);
    }
    project.run(&["logs", "b.log", "a.log", "--save", "both.psum"]).prints(0, &["2 records of"]);
    project
        .run(&["logs", "merge", "a.psum", "b.psum", "--save", "ab.psum"])
        .prints(0, &["2 statements of 1 query"]);
    project.run(&["logs", "merge", "b.psum", "a.psum", "--save", "ba.psum"]).prints(0, &[]);
    let bytes = |name: &str| std::fs::read(project.path().join(name)).unwrap();
    assert!(bytes("ab.psum") == bytes("ba.psum") && bytes("ab.psum") == bytes("both.psum"));
}

#[test]
fn literals_are_not_told() {
    let project = Project::new([("plimsoll.toml", ""), ("a.log", LINES)]);
    for format in ["terminal", "json", "markdown", "html"] {
        let ended = project.run(&["logs", "a.log", "--format", format]);
        ended.prints(0, &["1 from t"]);
        assert!(!ended.stdout.contains("secret"), "{}", ended.stdout);
    }
}

#[test]
fn bad_input_is_told() {
    let project = Project::new([
        ("plimsoll.toml", ""),
        ("a.log", LINES),
        ("x.txt", "GET / HTTP/1.1\n"),
        ("empty.log", ""),
    ]);
    project.run(&["logs", "none.log"]).fails(2, &["none.log", "No such file"]);
    project.run(&["logs", "x.txt"]).fails(2, &["x.txt", "--prefix"]);
    project.run(&["logs", "a.log", "--prefix", "%u%d"]).fails(2, &["%u ends and %d begins"]);
    project.run(&["logs", "merge", "a.log"]).fails(2, &["a.log", "no summary"]);
    project.run(&["logs", "empty.log"]).prints(0, &["0 records"]);
    project.plimsoll(&["logs", "-"]).stdin(LINES).run().prints(0, &["1 record of"]);
    project.write("torn.log", format!("no prefix here\n{LINES}{}", &LINES[..30]));
    project.run(&["logs", "torn.log"]).prints(0, &["2 lines couldn't be read"]);
    project.run(&["logs", "torn.log", "--unparsed"]).prints(0, &["no prefix here\n2026-11-23"]);
}
