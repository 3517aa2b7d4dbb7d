//! The page of a real server's log: bursts, waits for locks, a deadlock, failures, temporary files and checkpoints that
//! did happen are in its tables, and what the log told of values isn't.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::production::Production;
use crate::project::Project;

const CONFIGURATION: &str = "log_min_duration_statement = 0\nlogging_collector = on\nlog_connections = on\nlog_disconnections = on\n\
    log_line_prefix = '%m [%p] %q%u@%d %a '\nlog_timezone = 'UTC'\nlog_destination = 'stderr'\nlog_filename = 'all'\n\
    log_directory = 'logs'\nlog_lock_waits = on\ndeadlock_timeout = '60ms'\nlog_temp_files = 0\nlog_checkpoints = on\n";

/// Four updates in two sessions, which wait for each other.
fn deadlock(production: &Production) {
    let update = |first: u32, second: u32| {
        production.psql(
            "postgres",
            &format!(
                "\\set ON_ERROR_STOP off\nset application_name = 'shop';\nbegin;\nupdate a set n = n + 1 where id = {first};\n\
                 select pg_sleep(0.5);\nupdate a set n = n + 1 where id = {second};\ncommit;\n"
            ),
        )
    };
    std::thread::scope(|scope| {
        scope.spawn(|| update(1, 2));
        scope.spawn(|| update(2, 1));
    });
}

/// An update that waits for a table's lock.
fn lock_wait(production: &Production) {
    std::thread::scope(|scope| {
        scope.spawn(|| production.psql("postgres", "begin;\nlock table a;\nselect pg_sleep(1);\ncommit;\n"));
        scope.spawn(|| {
            production.psql(
                "postgres",
                "select pg_sleep(0.4);\nset application_name = 'shop';\nupdate a set n = 7 where id = 3;\n",
            )
        });
    });
}

fn log(major: u32) -> (Production, PathBuf) {
    let production = Production::start(major, CONFIGURATION);
    production.psql("postgres", "create table a (id int primary key, n int);\ninsert into a select g, g from generate_series(1, 20000) g;\n");
    deadlock(&production);
    lock_wait(&production);
    let mut burst = "set application_name = '</script><img src=x>';\nselect id from a limit 40;\n".to_owned();
    (0..40)
        .for_each(|id| burst.push_str(&format!("select n from a where id = {id} /*route='%2Fbooks'*/;\n")));
    production.psql("postgres", &burst);
    production.psql(
        "postgres",
        "set work_mem = '64kB';\nselect count(*) from (select * from a order by n desc offset 1) s;\n",
    );
    production.psql("postgres", "\\set ON_ERROR_STOP off\nselect 'unspeakable' from nowhere;\n");
    production.psql("postgres", "checkpoint");
    production.stop();
    let log = production.data().join("logs/all");
    (production, log)
}

/// The rows of one of the page's tables, with texts in the place of their numbers.
fn rows(data: &Value, id: &str) -> Vec<Value> {
    let sheet = data["sheets"].as_array().unwrap().iter().find(|sheet| sheet["id"] == id);
    let sheet = sheet.unwrap_or_else(|| panic!("the page has no table {id}"));
    let text = |value: &Value| data["texts"][value.as_u64().unwrap() as usize].clone();
    let told = |row: &Value| {
        let cells = row.as_array().unwrap().iter().zip(sheet["columns"].as_array().unwrap());
        cells
            .map(|(cell, column)| match column[1].as_str().unwrap() {
                "name" | "text" | "query" if !cell.is_null() => text(cell),
                "names" | "parts" => cell.as_array().unwrap().iter().map(text).collect(),
                _ => cell.clone(),
            })
            .collect()
    };
    sheet["rows"].as_array().unwrap().iter().map(told).collect()
}

fn page(project: &Project, log: &Path) -> (String, Value) {
    project.run(&["logs", log.to_str().unwrap(), "--format", "html", "-o", "page.html"]).prints(0, &[]);
    let page = std::fs::read_to_string(project.path().join("page.html")).unwrap();
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let data = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    (page, data)
}

fn a_page_tells_what_happened(major: u32) {
    let (_production, log) = log(major);
    let project = Project::new([("plimsoll.toml", "")]);
    let (page, data) = page(&project, &log);
    assert!(std::fs::read_to_string(&log).unwrap().contains("unspeakable") && !page.contains("unspeakable"));
    assert!(!page.contains("<img") && page.contains("&lt;img src=x&gt;"));
    let addresses = page
        .match_indices("http")
        .filter(|(at, _)| page[*at..].contains("://") && page[*at..].find("://") < Some(6));
    assert!(addresses.into_iter().all(|(at, _)| page[at..].starts_with("http://www.w3.org/2000/svg")));

    let of = |id: &str, begin: &str| -> Value {
        let rows = rows(&data, id);
        let is_it = |cell: &Value| cell.as_str().is_some_and(|text| text.starts_with(begin));
        rows.iter()
            .find(|row| row.as_array().unwrap().iter().any(is_it))
            .cloned()
            .unwrap_or_else(|| panic!("{begin}: {rows:?}"))
    };
    let burst = of("bursts", "select n from a where id");
    assert_eq!((&burst[0], &burst[2]), (&1.into(), &40.into()), "{burst}");
    assert_eq!((&burst[6], &burst[7]), (&"/books".into(), &"</script><img src=x>".into()), "{burst}");
    assert_eq!(of("queries", "select n from a where id")[0], 40);
    assert_eq!(of("failed", "select $1 from nowhere")[0], 1);
    let waited = of("lock-waits", "update a set n = $1 where");
    assert!(waited[0] == 1 && waited[3].as_f64().unwrap() > 100.0, "{waited}");
    assert!(of("lock-edges", "update a set n = $1 where")[0] == 1);
    assert_eq!(of("problems", "deadlock detected")[0], 1);
    assert!(of("temporary-files", "select count(*)")[1].as_u64().unwrap() > 100_000);
    assert!(of("checkpoints", "checkpoint")[0].as_u64().unwrap() >= 1);
    let circle = rows(&data, "deadlocks")[0].clone();
    assert!(
        circle[0] == 1 && circle[1].to_string().matches("update a set n = n + $1").count() == 2,
        "{circle}"
    );

    let lanes = data["charts"]["lanes"].as_array().unwrap();
    let lane = |name: &str| lanes.iter().any(|lane| lane[0] == name && lane[2].is_array());
    assert!(["deadlock", "lock wait", "temporary file", "checkpoint"].into_iter().all(lane), "{lanes:?}");
    assert_eq!(data["charts"]["charts"].as_array().unwrap().len(), 4);
    let json: Value =
        serde_json::from_str(&project.run(&["logs", log.to_str().unwrap(), "--format", "json"]).stdout)
            .unwrap();
    assert_eq!(rows(&data, "queries").len(), json["queries"].as_array().unwrap().len());
    let burst = json["queries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|query| query["query"] == "select n from a where id = $1")
        .unwrap();
    assert_eq!(
        (&burst["streams"][0]["calls"], &burst["streams"][0]["route"]),
        (&40.into(), &"/books".into())
    );
}

#[test]
fn a_page_tells_what_happened_15() {
    a_page_tells_what_happened(15);
}

#[test]
fn a_page_tells_what_happened_18() {
    a_page_tells_what_happened(18);
}
