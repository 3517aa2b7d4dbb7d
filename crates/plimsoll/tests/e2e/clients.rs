//! Real clients behind both kinds of tap: what they print, and what they leave in the database, is what they print and
//! leave without one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{Project, Run, open_folder, programs};
use crate::served::Served;

pub(crate) fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/clients")
}

/// The Python that has drivers and frameworks.
pub(crate) fn python() -> String {
    std::env::var("PLIMSOLL_TEST_PYTHON").expect("no Python with drivers is named: run `make test`")
}

/// Node.js and the folder of its drivers, which stand beside that Python, and this binary, which is a client too.
fn others() -> [(&'static str, PathBuf); 3] {
    let environment = Path::new(&python()).parent().and_then(Path::parent).unwrap().join("node");
    [
        ("NODE", environment.join("bin/node")),
        ("NODE_PATH", environment.join("node_modules")),
        ("TESTS", std::env::current_exe().unwrap()),
    ]
}

/// PATH with the server's own psql and pg_dump first.
pub(crate) fn path(major: u32) -> std::ffi::OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([programs(major)].into_iter().chain(std::env::split_paths(&old))).unwrap()
}

/// What the clients wrote, by file.
fn written(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        (name, String::from_utf8_lossy(&bytes).replace(&*folder.to_string_lossy(), "OUT"))
    };
    files.map(read).collect()
}

fn directly(major: u32, out: &Path) {
    let project = Project::new([("plimsoll.toml", "")]);
    let served = Served::start(&project, major);
    let mut all = Command::new("sh");
    all.arg(clients().join("all.sh")).env("OUT", out).env("CLIENTS", clients()).env("PYTHON", python());
    all.envs(others()).env("PATH", path(major)).env("SERVER_SOCKET", served.socket_folder());
    all.env("PGHOST", served.socket_folder()).env("PGPORT", "5432").env("PGUSER", "postgres");
    let ended = all.env("PGDATABASE", "plimsoll").status().unwrap();
    served.stop();
    assert!(ended.success(), "{ended}");
}

fn tapped(project: &Project, verb: &str, major: u32, out: &Path) -> Run {
    let script = clients().join("all.sh");
    let major_text = major.to_string();
    let command = ["--postgres", &major_text, "--env", "SERVER_SOCKET={socket}", "--format", "json"];
    let words = [&[verb][..], &command, &["--", "sh", script.to_str().unwrap()]].concat();
    let run = project.plimsoll(&words).env("OUT", out).env("CLIENTS", clients());
    let run = others().into_iter().fold(run, |run, (name, value)| run.env(name, value));
    run.env("PYTHON", python()).env("PATH", path(major))
}

#[track_caller]
fn check_same(direct: &BTreeMap<String, String>, tapped: &BTreeMap<String, String>, what: &str) {
    assert_eq!(direct.keys().collect::<Vec<_>>(), tapped.keys().collect::<Vec<_>>(), "{what}");
    for (name, text) in direct {
        let other: Vec<&str> = tapped[name].lines().collect();
        let lines = text.lines().collect::<Vec<_>>();
        let differ =
            lines.iter().zip(&other).position(|(a, b)| a != b).unwrap_or(lines.len().min(other.len()));
        assert!(
            *text == tapped[name],
            "{what}: {name} differs from line {}:\n{:#?}\n{:#?}",
            differ + 1,
            lines.get(differ..(differ + 5).min(lines.len())),
            other.get(differ..(differ + 5).min(other.len()))
        );
    }
}

fn check(major: u32) {
    let folder = open_folder();
    let out = |name: &str| folder.path().join(name);
    directly(major, &out("direct"));
    let mut direct = written(&out("direct"));
    if let Some(why) = direct.get("tests") {
        // The tap had no part in it: what is compared with has to be whole. Twice in a row is no accident.
        println!("without a tap, tokio-postgres failed once: {why}");
        std::fs::remove_dir_all(out("direct")).unwrap();
        directly(major, &out("direct"));
        direct = written(&out("direct"));
    }
    for client in ["psycopg3", "psycopg2_client", "asyncpg_client", "sqlalchemy_client", "node_postgres"] {
        assert!(direct[client].ends_with("exit code 0\n"), "{client}: {}", direct[client]);
    }
    assert!(!direct.contains_key("tests"), "tokio-postgres: {}", direct["tests"]);
    assert!(direct["tokio_postgres"].contains("canceling statement"), "{}", direct["tokio_postgres"]);
    // The server is there and did what it was asked.
    assert!(direct["psql-cancel"].contains("canceling statement due to user request"), "{direct:#?}");
    assert!(direct["pgbench"].matches("number of transactions actually processed: 40/40").count() == 3);
    assert!(
        direct["dump-directory"].contains("CREATE PROCEDURE p.commits()") && direct["restore"].is_empty()
    );
    assert!(
        direct["database"].contains("CREATE TABLE c3.t") && direct["database"].contains("CREATE TABLE p.t")
    );
    let project = Project::new([("plimsoll.toml", "")]);
    let ended = tapped(&project, "watch", major, &out("watch")).run();
    check_same(&direct, &written(&out("watch")), "plimsoll watch");
    let report = ended.report();
    let queries = report.json["traffic"]["queries"].as_array().unwrap();
    assert!(
        queries.iter().any(|query| query["query"].as_str().unwrap().starts_with("copy c3.t")),
        "{queries:#?}"
    );
    let ended = tapped(&project, "rehearse", major, &out("rehearse")).run();
    check_same(&direct, &written(&out("rehearse")), "plimsoll rehearse");
    let report = ended.report();
    let building = report.statement("create index concurrently t_name on c3.t");
    assert!(building["error"].is_null(), "{building:#}");
}

#[test]
fn clients_notice_no_tap_on_15() {
    check(15);
}

#[test]
fn clients_notice_no_tap_on_18() {
    check(18);
}

#[test]
fn the_port_wants_the_password_and_speaks_no_tls() {
    let project = Project::new([("plimsoll.toml", "")]);
    // psycopg's libpq has TLS; a private server's psql may have none.
    let script = "psql -X -c 'select 1' && PGSSLMODE=prefer $PYTHON -c 'import psycopg; psycopg.connect().execute(\"select 2\")' && \
                  ! PGPASSWORD=wrong psql -X -c 'select 3' && \
                  ! PGSSLMODE=require $PYTHON -c 'import psycopg; psycopg.connect().execute(\"select 4\")' && \
                  PGHOST=$SERVER_SOCKET PGPORT=6432 PGPASSWORD=wrong psql -X -c 'select 5'";
    for verb in ["watch", "rehearse"] {
        let words = [verb, "--postgres", "18", "--env", "SERVER_SOCKET={socket}", "--", "sh", "-c", script];
        let ended = project.plimsoll(&words).env("PATH", path(18)).env("PYTHON", python()).run();
        ended.fails(0, &["password authentication failed: PGPASSWORD", "server does not support SSL"]);
    }
}
