//! The history: what `check` leaves in it, what people say of its alarms, and what comes of that.

use rusqlite::Connection;

use crate::project::{MAJORS, Project};

const BEFORE: &str = "create table orders (id int primary key, customer int not null, note text not null);
create index orders_customer on orders (customer);
";
const CHANGE: &str = "drop index orders_customer;
alter table orders alter column id type bigint;
";
const SEED: &str = "insert into orders select n, n % 500, md5(n::text) from generate_series(1, 20000) n;\n";
const QUERIES: &str = "-- name: of_customer\nselect id from orders where customer = 7;\n-- name: by_id\nselect note from orders where id = 7;\n";
const CONFIG: &str =
    "[database]\nseed = \"seed.sql\"\n[queries]\npath = \"queries\"\n[history]\npath = \"history.db\"\n";
const FILE: &str = "migrations/0002.sql";

fn shop(config: &str) -> Project {
    Project::new([
        ("plimsoll.toml", format!("{CONFIG}{config}").as_str()),
        ("migrations/0001.sql", BEFORE),
        (FILE, CHANGE),
        ("seed.sql", SEED),
        ("queries/q.sql", QUERIES),
    ])
}

/// Text columns of the first row.
fn ask(project: &Project, sql: &str) -> Vec<String> {
    let history = Connection::open(project.path().join("history.db")).unwrap();
    let mut select = history.prepare(sql).unwrap();
    let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The id of a query in a report.
fn id_of(report: &crate::report::Report, query: &str) -> String {
    report.query(query)["growth"]["id"].as_str().unwrap().to_owned()
}

fn check_twice(major: u32) {
    let project = shop("");
    let first = project.check(major, &[FILE]);
    let second = project.check(major, &[FILE]);
    let id = id_of(&first, "of_customer");
    assert_eq!(id_of(&second, "of_customer"), id);
    assert_eq!(first.query("of_customer")["verdict"], "worse");
    assert!(first.query("of_customer")["growth"]["ratio"].as_f64().unwrap() > 1.25);
    assert_eq!(ask(&project, "SELECT format('%d', count(*)) FROM runs"), ["2"]);
    assert_eq!(ask(&project, "SELECT query FROM comparisons ORDER BY query"), ["by_id", "of_customer"]);
    let claims = "SELECT DISTINCT rule || ' ' || verdict FROM claims WHERE verdict <> 'untested' ORDER BY 1";
    assert_eq!(
        ask(&project, claims),
        ["changing-column-type confirmed", "require-concurrent-index-deletion confirmed"]
    );

    let told = project.run(&["check", "--postgres", &major.to_string(), FILE]);
    told.prints(
        1,
        &[&format!("id {id}: grew ×"), &format!("plimsoll confirm {id}"), &format!("plimsoll dismiss {id}")],
    );

    project
        .run(&["confirm", &id[..6], "--note", "seen in production"])
        .prints(0, &[&format!("{id} (query of_customer) is confirmed")]);
    project.run(&["dismiss", &id]).prints(0, &["is dismissed; it was confirmed before"]);
    project.run(&["confirm"]).prints(0, &["not judged  by_id", "dismissed   of_customer"]);
    let mut wrong = id.clone();
    wrong.replace_range(7.., if id.ends_with('z') { "y" } else { "z" });
    project
        .run(&["confirm", &wrong])
        .fails(2, &[&format!("did you mean {id}?"), "`plimsoll confirm` alone lists them"]);
    assert_eq!(
        ask(&project, "SELECT coalesce(note, '') FROM labels ORDER BY id"),
        ["seen in production", ""]
    );
}

#[test]
fn a_change_checked_twice_is_one_in_the_history_on_15() {
    check_twice(MAJORS[0]);
}

#[test]
fn a_change_checked_twice_is_one_in_the_history_on_18() {
    check_twice(MAJORS[1]);
}

/// As many confirmed alarms of a growth as `count`, put in beside what a check left.
fn confirm_many(project: &Project, count: u32, growth: f64, judgement: &str) {
    let history = Connection::open(project.path().join("history.db")).unwrap();
    for at in 0..count {
        let id = format!("{judgement}{at}");
        history.execute("INSERT INTO comparisons VALUES (?1, ?1, 'q', '0')", [&id]).unwrap();
        history
            .execute("INSERT INTO measurements VALUES (?1, 1, ?2, 1.25, 1)", rusqlite::params![id, growth])
            .unwrap();
        history
            .execute("INSERT INTO labels (comparison, judgement, at_s) VALUES (?1, ?2, 0)", [&id, judgement])
            .unwrap();
    }
}

#[test]
fn the_threshold_that_the_history_proposes_is_used_and_told() {
    let project = shop("[alarms]\nprecision = 0.95\n");
    let major = MAJORS[1].to_string();
    let told = |arguments: &[&str], says: &[&str]| {
        let ended =
            project.run(&[&["check", "--format", "json", "--postgres", &major, FILE], arguments].concat());
        ended.prints(1, says);
        ended.report().query("of_customer")["verdict"].as_str().unwrap().to_owned()
    };
    let few = ["Nobody has judged a query yet.", "22 further alarms at least have to be confirmed"];
    assert_eq!(told(&[], &few), "worse");

    confirm_many(&project, 60, 5000.0, "confirmed");
    confirm_many(&project, 30, 4000.0, "dismissed");
    let proposed = [
        "A query is worse from ×5000.00 on, as the history proposes: of 60 judged queries",
        "90 queries were judged in all.",
    ];
    assert_eq!(told(&[], &proposed), "same");

    project.run(&["evaluate", "--history"]).prints(
        0,
        &[
            "changing-column-type",
            "right alarms",
            "proposed threshold   5000 times as much, for a precision of 0.95: 1 [0.94, 1]",
            "growth: a precision of 0.95",
        ],
    );

    assert_eq!(told(&["--alarm-from", "1.5"], &["from ×1.5 on, as --alarm-from says"]), "worse");
    project.write(
        "plimsoll.toml",
        format!("{CONFIG}[alarms]\nprecision = 0.95\n[regress]\nbuffers_ratio = 1.3\nrows_ratio = 1.3\n"),
    );
    assert_eq!(told(&[], &["the history isn't asked, since the configuration wins"]), "worse");
}

#[test]
fn a_hazard_that_no_rule_claimed_is_missed_and_an_accepted_claim_is_not() {
    let project = shop("");
    let hidden =
        "do $$ begin execute 'alter table ' || 'orders alter column customer type bigint'; end $$;\n";
    let accepted =
        "-- plimsoll: ignore changing-column-type\nalter table orders alter column id type bigint;\n";
    project.write(FILE, format!("{hidden}{accepted}"));
    let rehearsed = project.run(&["rehearse", "--postgres", "18", FILE]);
    assert_eq!(rehearsed.status.code(), Some(1), "{}", rehearsed.shown());
    assert!(!project.path().join("history.db").exists(), "a rehearsal alone claims nothing");
    project.check(18, &[FILE]);
    let claims = "SELECT rule || ' ' || verdict || ' ' || relation FROM claims
                  WHERE verdict <> 'untested' ORDER BY 1";
    assert_eq!(
        ask(&project, claims),
        ["changing-column-type confirmed public.orders", "unclaimed-hazard missed public.orders"]
    );
}

#[test]
fn checks_at_once_lose_nothing() {
    let project = shop("");
    let arguments = ["check", "--format", "json", "--postgres", "18", FILE];
    let both = [project.plimsoll(&arguments).start(), project.plimsoll(&arguments).start()];
    let ids = both.map(|running| id_of(&running.end().report(), "of_customer"));
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ask(&project, "SELECT format('%d', count(*)) FROM runs"), ["2"]);
}

#[test]
fn a_broken_history_costs_no_verdict() {
    let project = shop("[alarms]\nprecision = 0.9\n");
    project.write("history.db", "not a history\n");
    let ended = project.run(&["check", "--format", "json", "--postgres", "18", FILE]);
    ended.fails(1, &["This run isn't in the history", "it is no SQLite file; it was left as it is"]);
    let report = ended.report();
    assert_eq!(report.query("of_customer")["verdict"], "worse");
    assert!(report.query("of_customer")["growth"]["id"].is_null());
    assert!(
        ended.stdout.contains("The history can't be asked: failed to read the history"),
        "{}",
        ended.shown()
    );
    assert_eq!(std::fs::read(project.path().join("history.db")).unwrap(), b"not a history\n");
    project.run(&["confirm", "abc"]).fails(2, &["it is no SQLite file"]);
}

#[test]
fn regress_test_appends_too() {
    let project = shop("");
    let run = |verb: &[&str]| project.run(&[verb, &["--postgres", "18"]].concat());
    std::fs::rename(project.path().join(FILE), project.path().join("0002.sql")).unwrap();
    run(&["regress", "record"]).prints(0, &[]);
    std::fs::rename(project.path().join("0002.sql"), project.path().join(FILE)).unwrap();
    let ids = [0, 1].map(|_| id_of(&run(&["regress", "test", "--format", "json"]).report(), "of_customer"));
    assert_eq!(ids[0], ids[1]);
    project.run(&["dismiss", &ids[0]]).prints(0, &["(query of_customer) is dismissed"]);
}

#[test]
fn settings_that_make_no_sense_are_pointed_at() {
    let check = |config: &str, says: &str| {
        Project::new([("plimsoll.toml", config)]).run(&["confirm"]).fails(2, &[says]);
    };
    check("[alarms]\nprecision = 95.0\n", "plimsoll.toml:2:13: precision = 95 is no share");
    check("[history]\npath = \"no/h.db\"\n", "plimsoll.toml:2:8: the folder of no/h.db doesn't exist");
    check("[history]\npath = \".\"\n", "plimsoll.toml:2:8: . is a folder");
    check(
        "[regress]\nhistory = \"h\"\n[history]\npath = \"h\"\n",
        "plimsoll.toml:4:8: h is the file of [regress] history",
    );
    check("", "none is kept; name its file by [history] path");
}

#[test]
fn a_history_is_judged_in_every_format_and_no_other_file() {
    let project = shop("");
    project.run(&["evaluate", "--history"]).fails(2, &["judge by the history", "history.db"]);
    project.check(MAJORS[1], &[FILE]);
    let empty = ["require-concurrent-index-deletion", "Nobody has judged an alarm yet"];
    project.run(&["evaluate", "--history"]).prints(0, &empty);
    project
        .run(&["evaluate", "--history", "--svg", "a.svg"])
        .fails(2, &["some were confirmed and some dismissed"]);
    confirm_many(&project, 4, 50.0, "confirmed");
    confirm_many(&project, 3, 1.5, "dismissed");
    let told = project.run(&["evaluate", "--history", "history.db", "--format", "json", "--svg", "a.svg"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let alarm = &told["alarm"];
    assert_eq!(
        (&alarm["right"], &alarm["false_alarms"], &alarm["judged"]),
        (&4.into(), &3.into(), &7.into())
    );
    assert_eq!(alarm["evaluation"]["detectors"][0]["roc_area"]["value"], 1.0);
    let rule = told["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == "changing-column-type");
    assert_eq!(rule.unwrap()["precision"]["value"], 1.0);
    assert!(project.path().join("a.svg").exists());
    project
        .run(&["evaluate", "--history", "--format", "html"])
        .prints(0, &["How far Plimsoll can be trusted"]);
    project.run(&["evaluate", "--history", "seed.sql"]).fails(2, &["seed.sql", "SQLite"]);
    project.run(&["evaluate", "--history", "--label", "y"]).fails(2, &["cannot be used with"]);
}
