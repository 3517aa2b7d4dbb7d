//! Who waits for a change's locks: predicted, measured by `--load`, and scaled to production's sizes.
//!
//! Times are compared with wide margins: the machine may be busy with other things.

use rustix::process::Signal;
use serde_json::Value;

use crate::project::{MAJORS, Project, Running};
use crate::report::{Report, list, text};

const BASE: &str = "create table ships (id int primary key, name text);\n\
                    create table calls (id serial primary key, ship_id int not null references ships (id));\n\
                    create view fleet as select id from ships;\n";

const SEED: &str = "insert into ships select n, 'ship ' || n from generate_series(1, 500) n;\n\
                    insert into calls (ship_id) select n from generate_series(1, 500) n;\n";

const CONFIG: &str = "[migrations]\npath = \"migrations\"\ntransaction = \"file\"\n[database]\nseed = \"seed.sql\"\n\
                      [queries]\npath = \"queries\"\nruns = 1\n[workload]\nlead = \"1s\"\nconnections = 8\n\
                      [workload.rates]\nship = \"60/s\"\nlog_call = 20\n";

const QUERIES: &str = "-- name: ship\nselect name from ships where id = :id;\n\
                       -- name: fleet_size\n-- rate: 600/min\nselect count(*) from fleet;\n\
                       -- name: log_call\ninsert into calls (ship_id) values (:ship);\n\
                       -- name: unsent\nselect 1;\n";

const VALUES: &str = "[ship]\nid = 5\n[log_call]\nship = 7\n";

/// A strong lock at the head of a transaction that goes on for 700 ms.
const CHANGE: &str = "alter table ships add column x int;\nselect pg_sleep(0.7);\n";

fn project(change: &str) -> Project {
    Project::new([
        ("plimsoll.toml", CONFIG),
        ("seed.sql", SEED),
        ("queries/q.sql", QUERIES),
        ("queries/q.toml", VALUES),
        ("migrations/1.sql", BASE),
        ("migrations/2.sql", change),
    ])
}

fn named<'a>(values: &'a Value, name: &str) -> &'a Value {
    let found = list(values).iter().find(|value| value["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {values:#}"))
}

fn names(values: &Value) -> Vec<&str> {
    list(values).iter().map(|value| text(&value["name"])).collect()
}

fn milliseconds(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn only_run(report: &Report) -> &Value {
    let runs = list(&report.json["load"]);
    assert_eq!(runs.len(), 1);
    &runs[0]
}

#[test]
fn who_would_wait_is_predicted_from_the_rates() {
    let project = project(CHANGE);
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        let blocked = &report.json["blocked"];
        assert_eq!(names(&blocked["workload"]), ["ship", "fleet_size", "log_call"]);
        // A view leads to its table, a foreign key to the table that it references.
        assert_eq!(names(&blocked["statements"]), ["ship", "fleet_size", "log_call"]);
        let ship = named(&blocked["statements"], "ship");
        assert!(milliseconds(&ship["longest_wait_ms"]) >= 700.0, "{ship}");
        let expected = 60.0 * milliseconds(&ship["longest_wait_ms"]) / 1000.0;
        assert!((milliseconds(&ship["requests"]) - expected).abs() < 0.01, "{ship}");
        let locks = list(&blocked["locks"]);
        assert!(locks.iter().all(|lock| lock["statement"] == 0), "on {major}: {locks:#?}");
        let hold = list(&report.json["rehearsal"]["lock_holds"]).iter().find(|hold| hold["statement"] == 0);
        assert!(milliseconds(&hold.unwrap()["held_ms"]) >= 700.0);
        assert!(report.json.get("load").is_none());
    }
}

#[test]
fn a_load_measures_what_was_predicted() {
    let project = project(CHANGE);
    for major in MAJORS {
        let report = project.check(major, &["--load", "migrations/2.sql"]);
        let run = only_run(&report);
        let ship = named(&run["statements"], "ship");
        assert!(milliseconds(&ship["during"]["max_ms"]) > 400.0, "on {major}: {ship:#}");
        assert!(milliseconds(&ship["longest_stall_ms"]) > 400.0, "on {major}: {ship:#}");
        assert!(milliseconds(&ship["predicted"]["longest_wait_ms"]) >= 700.0);
        assert_eq!(run["change"]["error"], Value::Null);
        let arrived: u64 =
            list(&run["timeline"]["buckets"]).iter().filter_map(|b| b["arrived"].as_u64()).sum();
        let counted: u64 = list(&run["statements"])
            .iter()
            .flat_map(|one| {
                ["before", "during", "after"].map(|phase| one[phase]["requests"].as_u64().unwrap())
            })
            .sum();
        assert_eq!(arrived, counted);
    }
}

#[test]
fn a_change_that_waits_for_nobody_blocks_nobody() {
    let report = project("create table fresh (id int);\n").check(18, &["migrations/2.sql"]);
    assert!(list(&report.json["blocked"]["locks"]).is_empty());
    assert!(list(&report.json["blocked"]["statements"]).is_empty());
    let ended = project("create table fresh (id int);\n").run(&["check", "migrations/2.sql"]);
    ended.prints(
        0,
        &["Nobody waits: no lock of the change conflicts with what 3 statements of the workload take."],
    );
}

#[test]
fn a_change_without_statements_runs_among_requests_too() {
    let report = project("-- nothing yet\n").check(18, &["--load", "migrations/2.sql"]);
    assert!(milliseconds(&only_run(&report)["longest_stall_ms"]) >= 0.0);
    assert!(list(&report.json["blocked"]["locks"]).is_empty());
}

#[test]
fn behind_a_long_transaction_the_change_is_run_with_a_timeout_too() {
    let project = project("alter table ships add column x int;\n");
    let arguments = ["--load", "--long-transaction", "4500ms", "migrations/2.sql"];
    let report = project.check(15, &arguments);
    let runs = list(&report.json["load"]);
    assert_eq!(runs.len(), 2);
    let waits: Vec<f64> =
        runs.iter().map(|run| milliseconds(&named(&run["statements"], "ship")["during"]["max_ms"])).collect();
    assert!(waits[0] > 1700.0, "{waits:?}");
    assert_eq!(runs[0]["change"]["error"], Value::Null);
    assert_eq!(runs[1]["change"]["error"]["sqlstate"], "55P03");
    assert_eq!(runs[1]["change"]["error"]["line"], 1);
    assert_eq!(
        (&runs[0]["lock_timeout_ms"], milliseconds(&runs[1]["lock_timeout_ms"])),
        (&Value::Null, 1000.0)
    );
    assert!(waits[1] < waits[0], "{waits:?}");
    let predicted =
        |run: &Value| milliseconds(&named(&run["statements"], "ship")["predicted"]["longest_wait_ms"]);
    assert!(predicted(&runs[0]) >= 2500.0);
    assert_eq!(predicted(&runs[1]), 1000.0);
}

#[test]
fn a_workload_file_is_a_workload() {
    let project = project(CHANGE);
    project.write(
        "workload.jsonl",
        "{\"plimsoll_workload\": 1}\n\
         {\"name\": \"by_id\", \"statement\": \"select * from ships where id = $1\", \"parameters\": [[\"1\"], [2]], \"rate\": 30}\n\
         {\"statement\": \"update calls set ship_id = ship_id where id = 3\", \"rate\": 0.5}\n",
    );
    let report = project.check(18, &["--workload", "workload.jsonl", "migrations/2.sql"]);
    let workload = names(&report.json["blocked"]["workload"]).join(" ");
    assert_eq!(workload, "ship fleet_size log_call by_id statement-3");
    // The update doesn't change the key, so nothing is looked up in ships.
    assert_eq!(names(&report.json["blocked"]["statements"]), ["ship", "fleet_size", "log_call", "by_id"]);
}

#[test]
fn every_format_tells_it() {
    let project = project(CHANGE);
    let arguments =
        ["rehearse", "--load", "migrations/2.sql", "--report", "html=r.html", "--report", "markdown=r.md"];
    let ended = project.run(&[&arguments[..], &["--fail-on", "never"]].concat());
    ended.prints(
        0,
        &["Who would wait", "AccessExclusiveLock on public.ships, held for", "The change among requests"],
    );
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    let (html, markdown) = (read("r.html"), read("r.md"));
    for part in ["id=\"blocked\"", "id=\"load\"", "load-timeline", "class=\"latency\""] {
        assert!(html.contains(part), "no {part}");
    }
    for part in ["Who would wait", "The change among requests, as it is", "<code>ship</code>"] {
        assert!(markdown.contains(part), "no {part} in {markdown}");
    }
}

#[test]
fn hold_times_are_scaled_to_known_sizes() {
    let seed = "insert into ships select n, repeat('x', 50) from generate_series(1, 60000) n;\n";
    let config =
        CONFIG.replace("seed = \"seed.sql\"", "seed = \"seed.sql\"\nsizes = \"production.plimsoll\"");
    let snapshot = "-- plimsoll snapshot 1\n--: {\"server\": {\"taken\": \"2026-11-01\"}}\n\
                    --: {\"table\": [\"public\", \"ships\"], \"main_bytes\": 1048576000, \"rows\": 12000000}\n\
                    -- end of snapshot\n";
    let change = "alter table ships alter column name type varchar(90);\n\
                  alter table calls add constraint positive check (ship_id > 0);\n";
    let project = project(change);
    project.write("plimsoll.toml", config);
    project.write("seed.sql", seed);
    project.write("production.plimsoll", snapshot);
    let report = project.check(18, &["migrations/2.sql"]);
    let scale = &report.json["scale"];
    assert_eq!(scale["source"], "production.plimsoll of 2026-11-01");
    let rewrite = &scale["statements"][0];
    assert!(milliseconds(&rewrite["ratio"][0]) > 150.0, "{rewrite:#}");
    let (least, most) = (milliseconds(&rewrite["there_ms"][0]), milliseconds(&rewrite["there_ms"][1]));
    assert!(least > 20.0 * milliseconds(&rewrite["here_ms"][0]) && most >= least, "{rewrite:#}");
    // Nothing is known of the other table, which has no page here either.
    assert!(text(&scale["statements"][1]["why_not"]).contains("public.calls"), "{scale:#}");
    let hold = list(&scale["holds"]).iter().find(|hold| hold["relation"] == "public.ships").unwrap();
    assert_eq!(hold["there_ms"], Value::Null, "its transaction goes on with what can't be told");
}

#[test]
fn a_table_of_a_few_pages_says_nothing_about_a_large_one() {
    let config =
        CONFIG.replace("seed = \"seed.sql\"", "seed = \"seed.sql\"\nsizes = \"production.plimsoll\"");
    let project = project("alter table ships alter column name type varchar(90);\n");
    project.write("plimsoll.toml", config);
    project.write(
        "production.plimsoll",
        "-- plimsoll snapshot 1\n--: {\"table\": [\"public\", \"ships\"], \"main_bytes\": 1048576000, \"rows\": 12000000}\n\
         -- end of snapshot\n",
    );
    let ended = project.run(&["check", "migrations/2.sql"]);
    ended.prints(1, &["public.ships has", "pages here: too few to tell", "can’t be told for production"]);
}

#[test]
fn a_bad_workload_is_placed() {
    let check = |config: &str, queries: &str, arguments: &[&str], says: &str| {
        let project = project(CHANGE);
        project.write("plimsoll.toml", config);
        project.write("queries/q.sql", queries);
        project.write(
            "broken.jsonl",
            "{\"plimsoll_workload\": 1}\n{\"statement\": \"select 1\", \"rate\": -1}\n",
        );
        project.write(
            "lost.jsonl",
            "{\"plimsoll_workload\": 1}\n{\"statement\": \"select * from nowhere\", \"rate\": 1}\n",
        );
        for (name, sql) in
            [("begin", "begin"), ("both", "select 1; select 2"), ("copy", "copy ships to stdout")]
        {
            let text = format!("{{\"plimsoll_workload\": 1}}\n{{\"statement\": \"{sql}\", \"rate\": 1}}\n");
            project.write(format!("{name}.jsonl"), text);
        }
        project.run(&[&["check"], arguments, &["migrations/2.sql"]].concat()).fails(2, &[says]);
    };
    let rates = |rates: &str| CONFIG.replace("ship = \"60/s\"\nlog_call = 20\n", rates);
    check(
        &rates("shp = 1\n"),
        QUERIES,
        &[],
        "use plimsoll.toml:13:1: there is no query `shp`; did you mean `ship`?",
    );
    check(&rates("ship = 0\n"), QUERIES, &[], "use plimsoll.toml:13:8: rate 0 isn't above 0");
    check(&rates("ship = -3\n"), QUERIES, &[], "use plimsoll.toml:13:8: rate -3 isn't above 0");
    check(&rates("ship = \"fast\"\n"), QUERIES, &[], "use plimsoll.toml:13:8: `fast` is no rate");
    check(&rates("ship = true\n"), QUERIES, &[], "use plimsoll.toml:13:8: `true` is no rate");
    let commented = QUERIES.replace("600/min", "often");
    check(CONFIG, &commented, &[], "read queries/q.sql:4:1: `often` is no rate");
    let connections = CONFIG.replace("connections = 8", "connections = 0");
    check(&connections, QUERIES, &[], "use plimsoll.toml:11:15: connections = 0 is not between 1 and 500");
    check(CONFIG, QUERIES, &["--workload", "broken.jsonl"], "read broken.jsonl:2:27: rate -1");
    check(CONFIG, QUERIES, &["--workload", "none.jsonl"], "read none.jsonl: No such file");
    check(
        CONFIG,
        QUERIES,
        &["--workload", "lost.jsonl"],
        "run statement statement-2 of the workload at lost.jsonl:2:1: relation \"nowhere\" does not exist",
    );
    check(
        CONFIG,
        QUERIES,
        &["--workload", "begin.jsonl"],
        "use statement-2 of the workload at begin.jsonl:2:1: it is transaction control",
    );
    check(
        CONFIG,
        QUERIES,
        &["--workload", "copy.jsonl"],
        "copy.jsonl:2:1: its rows go to or come from the client",
    );
    check(CONFIG, QUERIES, &["--workload", "both.jsonl"], "both.jsonl:2:1: it holds 2 statements");
    check(CONFIG, QUERIES, &["--long-transaction", "1s"], "--load");
    check(CONFIG, QUERIES, &["--load", "--long-transaction", "soon"], "write a duration as PostgreSQL does");
    let none = CONFIG.split("[workload.rates]").next().unwrap();
    check(
        none,
        "-- name: ship\nselect :id;\n-- name: log_call\nselect :ship;\n",
        &["--load"],
        "use --load: no workload is known",
    );
}

#[test]
fn a_change_that_fails_among_requests_is_told() {
    // Requests write such rows, the seed doesn't.
    let change = "alter table calls add constraint few check (ship_id <> 7) not valid;\n\
                  select pg_sleep(0.5);\nalter table calls validate constraint few;\n";
    let project = project(change);
    project.write("seed.sql", "insert into ships select n, 'x' from generate_series(1, 500) n;\n");
    let report = project.check(18, &["--load", "migrations/2.sql"]);
    let run = only_run(&report);
    assert_eq!(run["change"]["error"]["sqlstate"], "23514");
    assert_eq!(run["change"]["error"]["line"], 3);
    assert!(
        list(&report.json["notes"])
            .iter()
            .any(|note| text(note).contains("Among the requests the change failed at"))
    );
}

/// A load whose change has begun and doesn't end by itself.
fn endless_load(major: u32) -> (Project, Running) {
    let change = "select pg_sleep(case current_database() when 'plimsoll_copy' then 300 else 0 end);\n";
    let project = project(change);
    let arguments = ["rehearse", "--load", "--postgres", &major.to_string(), "migrations/2.sql"];
    let mut running = project.plimsoll(&arguments).start();
    running.wait_for_query("then 300 else");
    (project, running)
}

#[test]
fn a_signal_ends_a_load_and_leaves_nothing() {
    for (signal, major) in [(Signal::INT, 15), (Signal::TERM, 18)] {
        let (_project, running) = endless_load(major);
        running.signal(signal);
        running.end().fails(128 + signal.as_raw(), &["stopped"]);
    }
}

#[test]
fn a_server_that_dies_ends_a_load() {
    let (_project, running) = endless_load(18);
    running.signal_server(Signal::KILL);
    running.end().fails(3, &["the private server is gone"]);
}
