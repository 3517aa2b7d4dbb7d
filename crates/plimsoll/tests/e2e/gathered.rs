//! What one decision mends is told as one finding, with its places.

use serde_json::Value;

use crate::project::{Ended, Project};

fn project(second: &str, third: &str) -> Project {
    Project::new([
        ("migrations/1.sql", "create table t (id int, n int); create table u (id int);"),
        ("migrations/2.sql", second),
        ("migrations/3.sql", third),
    ])
}

/// Each finding as `rule file:line file:line`.
#[track_caller]
fn check(ended: &Ended, expected: &[&str]) {
    let json = ended.report().json;
    let place = |one: &Value| {
        let file = one["location"]["file"].as_str().unwrap_or_default().replace("migrations/", "");
        format!("{file}:{}", one["location"]["line"])
    };
    let told: Vec<String> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let further = one["further"].as_array().into_iter().flatten();
            let places: Vec<String> = [one].into_iter().chain(further).map(place).collect();
            format!("{} {}", one["rule"].as_str().unwrap_or_default(), places.join(" "))
        })
        .collect();
    assert_eq!(told, expected);
}

const LINT: [&str; 5] = ["lint", "--format", "json", "migrations/2.sql", "migrations/3.sql"];

#[test]
fn a_missing_lock_timeout_is_told_once_a_run() {
    let project = project("alter table t add column a int;", "alter table u add column a int;");
    check(&project.run(&LINT), &["require-lock-timeout 2.sql:1 3.sql:1"]);
    // What is accepted in one file is told of the other.
    project.run(&["lint", "--write-baseline", "b", "migrations/2.sql"]).prints(0, &["1 finding"]);
    let ended = project.run(&[&LINT[..], &["--baseline", "b"]].concat());
    check(&ended, &["require-lock-timeout 3.sql:1"]);
    let ignored = "-- plimsoll: ignore-file require-lock-timeout\nalter table t add column a int;";
    project.write("migrations/2.sql", ignored);
    check(&project.run(&LINT), &["require-lock-timeout 3.sql:1"]);
}

#[test]
fn each_place_has_its_own_proof() {
    let indexes = "set lock_timeout = '1s'; create index on t (n);\ncreate index on t (id);";
    let project = project(indexes, "select 1;");
    let report = project.check(18, &["migrations/2.sql"]);
    let rule = "require-concurrent-index-creation error confirmed";
    assert_eq!(report.findings(), [format!("1 {rule}"), format!("2 {rule}")]);
    assert_eq!(report.json["findings"].as_array().unwrap().len(), 1);
    let further = &report.json["findings"][0]["further"][0];
    assert_eq!(further["statement"], 2);
    assert_ne!(further["evidence"]["facts"], report.json["findings"][0]["evidence"]["facts"]);
}
