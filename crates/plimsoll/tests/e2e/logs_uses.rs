//! What is made of a real server's log: comparisons of two times, budgets, workloads, a corpus, events.

use std::path::PathBuf;

use serde_json::Value;

use crate::production::Production;
use crate::project::Project;

const LOGGED: &str = "log_min_duration_statement = 0\nlogging_collector = on\nlog_line_prefix = '%m [%p] %q%u@%d %a '\n\
                      log_timezone = 'UTC'\nlog_filename = 'all.log'\nlog_directory = 'logs'\nlog_lock_waits = on\n\
                      deadlock_timeout = 100\n";

fn production() -> Production {
    let production = Production::start(18, LOGGED);
    production.psql(
        "postgres",
        "create table ships (id int primary key, name text); create index on ships (name); \
         insert into ships select n, 'ship ' || n from generate_series(1, 200000) n; analyze ships",
    );
    production
}

fn log(production: &Production) -> Vec<u8> {
    std::fs::read(production.data().join("logs/all.log")).unwrap()
}

/// Ten seconds of a service: each statement some times, and a pause.
fn traffic(production: &Production, statements: &str) {
    let round = format!("{statements}; select pg_sleep(0.2);\n");
    let file = production.path().join("traffic.sql");
    std::fs::write(&file, round.replace(';', ";\n")).unwrap();
    production.tool("pgbench", &["-n", "-T", "10", "-f", file.to_str().unwrap(), "postgres"]);
}

/// The log of a time, behind what was there.
fn log_of(production: &Production, statements: &str) -> Vec<u8> {
    let before = log(production).len();
    traffic(production, statements);
    log(production).split_off(before)
}

fn changes(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let changes = report["changes"].as_array().unwrap().iter();
    changes.map(|change| (text(&change["kind"]), text(&change["what"]))).collect()
}

#[test]
fn a_deploy_that_loses_an_index_is_told_from_chance() {
    let production = production();
    let project = Project::new([("plimsoll.toml", "")]);
    let by_name = "select id from ships where name = 'ship 77'";
    let by_id = "select name from ships where id = 5";
    project.write("before.log", log_of(&production, &format!("{by_name};{by_id};select 1")));
    project.write("again.log", log_of(&production, &format!("{by_name};{by_id};select 1")));
    production.psql("postgres", "drop index ships_name_idx");
    project.write("after.log", log_of(&production, &format!("{by_name};{by_id};select 1, 2")));

    let ended =
        project.run(&["logs", "diff", "before.log", "after.log", "--format", "json", "--fail-on", "slower"]);
    ended.prints(1, &[]);
    let told = changes(&serde_json::from_str(&ended.stdout).unwrap());
    let has = |kind: &str, what: &str| told.iter().any(|(is, of)| is == kind && of.contains(what));
    assert!(has("slower", "where name = $1"), "{told:?}");
    assert!(has("new", "select $1, $2") && has("gone", "select $1"), "{told:?}");

    // Summaries say the same.
    for log in ["before", "after"] {
        project.run(&["logs", &format!("{log}.log"), "--save", &format!("{log}.psum")]).prints(0, &[]);
    }
    let of_summaries = project.run(&["logs", "diff", "before.psum", "after.psum", "--format", "json"]);
    assert_eq!(changes(&serde_json::from_str(&of_summaries.stdout).unwrap()), told);

    let same =
        project.run(&["logs", "diff", "before.log", "again.log", "--format", "json", "--fail-on", "new"]);
    let told = changes(&serde_json::from_str(&same.stdout).unwrap());
    assert!(!told.iter().any(|(kind, _)| kind == "new" || kind == "gone"), "{told:?}");
    project.run(&["logs", "diff", "before.log", "nowhere.log"]).fails(2, &["nowhere.log"]);
    project.run(&["logs", "diff", "before.log", "after.log", "--chance", "2"]).fails(2, &["between 0 and 1"]);
}

#[test]
fn a_log_gives_a_workload_a_corpus_and_events() {
    let production = production();
    let project = Project::new([
        ("plimsoll.toml", "[queries]\npath = \"queries\"\n"),
        ("queries/one.sql", "-- name: one\nselect 1;\n"),
    ]);
    let log = log_of(
        &production,
        "select id from ships where name = 'ship 77';update ships set name = 'a' where id = 5;select name from ships where id = 5",
    );
    project.write("all.log", log);
    let workload = project.run(&["logs", "workload", "all.log", "-o", "load.jsonl", "--keep-values"]);
    workload.prints(0, &[]);
    let written = std::fs::read_to_string(project.path().join("load.jsonl")).unwrap();
    // The three, and pg_sleep; behind the format's line.
    assert_eq!(written.lines().count(), 5, "{written}");
    let statement: Value = serde_json::from_str(written.lines().nth(1).unwrap()).unwrap();
    let rate = statement["rate"].as_f64().unwrap();
    assert!((2.0..6.0).contains(&rate), "{statement}");

    project.run(&["regress", "import", "--from", "log", "all.log", "--keep-values"]).prints(0, &[]);
    let saved = std::fs::read_dir(project.path().join("queries")).unwrap().count();
    assert!(saved >= 4);
    // The summary gives the corpus's queries their rates.
    project.run(&["logs", "all.log", "--save", "all.psum"]).prints(0, &[]);
    project.write("migrations/0001.sql", "create table ships (id int primary key, name text);");
    project.write("migrations/0002.sql", "alter table ships add column flag text;");
    let checked =
        project.run(&["check", "--workload", "all.psum", "migrations/0002.sql", "--format", "json"]);
    assert!(checked.stderr.contains("are queries of this project"), "{}", checked.stderr);

    let events = project.run(&["logs", "events", "all.log", "-o", "events.parquet"]);
    events.prints(0, &[]);
    let parquet = std::fs::read(project.path().join("events.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    assert!(!parquet.windows(7).any(|bytes| bytes == b"ship 77"));
    project.run(&["logs", "events", "all.psum", "-o", "x.parquet"]).fails(2, &["a summary holds none"]);
    assert!(!project.path().join("x.parquet").exists());
}

#[test]
fn routes_have_a_budget() {
    let production = production();
    let project = Project::new([("plimsoll.toml", "")]);
    let tagged = |id: u32, trace: u32, route: &str| {
        format!(
            "select name from ships where id = {id} \
             /*route='{route}',traceparent='00-{trace:032x}-00f067aa0ba902b7-01'*/"
        )
    };
    for id in 0..12 {
        production.psql("postgres", &tagged(id, 1, "/fleet"));
        production.psql("postgres", &tagged(id, 2 + id, "/ship"));
    }
    let log: PathBuf = production.data().join("logs/all.log");
    let log = log.to_str().unwrap();
    let ended = project.run(&["logs", log, "--max-queries-per-route", "10", "--format", "json"]);
    ended.prints(1, &[]);
    assert!(
        ended.stderr.contains("a request of /fleet needed 12 statements, and 10 are allowed"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("/ship needed"), "{}", ended.stderr);
    project.run(&["logs", log, "--max-queries-per-route", "12", "--format", "json"]).prints(0, &[]);
}

#[test]
fn who_blocked_whom_is_told_on_15_and_18() {
    for major in [15, 18] {
        let production = Production::start(major, LOGGED);
        production.psql(
            "postgres",
            "create table ships (id int primary key, name text); insert into ships values (1)",
        );
        let holder = production.path().join("holder.sql");
        std::fs::write(&holder, "begin; update ships set name = 'x'; select pg_sleep(2); commit;").unwrap();
        std::thread::scope(|scope| {
            let held =
                scope.spawn(|| production.tool("psql", &["-q", "-f", holder.to_str().unwrap(), "postgres"]));
            std::thread::sleep(std::time::Duration::from_millis(700));
            production.psql("postgres", "alter table ships add column flag int");
            held.join().unwrap();
        });
        production.stop();
        let log: PathBuf = production.data().join("logs/all.log");
        let project = Project::new([("plimsoll.toml", "")]);
        let ended = project.run(&["logs", log.to_str().unwrap(), "--format", "json"]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let edge = &report["lock_edges"][0];
        assert_eq!(edge["mode"], "AccessExclusiveLock", "{major}: {edge}");
        assert!(edge["waiting"].as_str().unwrap().starts_with("alter table ships"), "{major}: {edge}");
        assert!(edge["holder"].as_str().unwrap().contains("pg_sleep"), "{major}: {edge}");
        assert_eq!(edge["is_running"], true, "{major}: {edge}");
        assert!(edge["waited_ms"].as_f64().unwrap() > 500.0, "{major}: {edge}");
    }
}

#[test]
fn a_server_that_follows_the_doctor_lacks_nothing() {
    for major in [15, 18] {
        let production = Production::start(major, "");
        let project = Project::new([("plimsoll.toml", "")]);
        let url = production.url("postgres");
        let first = project.run(&["logs", "doctor", &url, "--format", "json"]);
        first.prints(0, &[]);
        assert!(first.stderr.contains("one read-only transaction"), "{}", first.stderr);
        let told: Value = serde_json::from_str(&first.stdout).unwrap();
        assert_eq!(told["major"], major);
        let lines = told["lines"].as_array().unwrap();
        let lines: Vec<&str> = lines.iter().map(|line| line["line"].as_str().unwrap()).collect();
        assert!(lines.contains(&"log_lock_waits = on"), "{lines:?}");
        let conf = production.data().join("postgresql.conf");
        let text = std::fs::read_to_string(&conf).unwrap();
        std::fs::write(&conf, format!("{text}\n{}\n", lines.join("\n"))).unwrap();
        production.stop();
        production.start_again();
        for source in [url.as_str(), conf.to_str().unwrap()] {
            let again = project.run(&["logs", "doctor", source, "--format", "json"]);
            let told: Value = serde_json::from_str(&again.stdout).unwrap();
            assert_eq!(told["lines"], serde_json::json!([]), "{major} by {source}");
            let reports = told["reports"].as_array().unwrap();
            assert!(
                reports.iter().all(|report| report["is_told"] == true),
                "{major} by {source}: {reports:?}"
            );
        }
    }
}

#[test]
fn a_doctor_of_nothing_is_told_so() {
    let project = Project::new([("plimsoll.toml", ""), ("wrong.conf", "port = 1\nx = 'open\n")]);
    project
        .run(&["logs", "doctor", "wrong.conf"])
        .fails(2, &["wrong.conf", "line 2: the quote isn't closed"]);
    project.run(&["logs", "doctor", "missing.conf"]).fails(2, &["missing.conf", "no such file"]);
    project.run(&["logs", "doctor", "postgres://x@127.0.0.1:1/x"]).fails(3, &["connect"]);
}

/// Authors, and a page that asks for the books of each: SQLAlchemy's lazy loading.
const LAZY: &str = r#"
import sys
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

class Base(DeclarativeBase): pass

class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list["Book"]] = relationship()

class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))

engine = create_engine("postgresql+psycopg://boss@/postgres?host=" + sys.argv[1] + "&application_name=bookshop")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all(Author(id=number, books=[Book(id=number)]) for number in range(1, 31))
    session.commit()
for _ in range(3):
    with Session(engine) as session:
        [len(author.books) for author in session.scalars(select(Author))]
"#;

#[test]
fn an_orms_lazy_loading_is_told_on_15_and_18() {
    for major in [15, 18] {
        let production = Production::start(major, LOGGED);
        let project = Project::new([("plimsoll.toml", "")]);
        project.write("lazy.py", LAZY);
        let python = std::env::var("PLIMSOLL_TEST_PYTHON").unwrap();
        let script = project.path().join("lazy.py");
        let ended = std::process::Command::new(python).arg(script).arg(production.path()).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        production.stop();
        let log: PathBuf = production.data().join("logs/all.log");
        let ended =
            project.run(&["logs", log.to_str().unwrap(), "--format", "json", "--fail-on", "n-plus-one"]);
        ended.prints(1, &[]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let bursts: Vec<&Value> = report["bursts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|burst| burst["kind"] == "n-plus-one")
            .collect();
        assert_eq!(bursts.len(), 1, "{major}: {bursts:?}");
        let burst = bursts[0];
        assert!(burst["query"].as_str().unwrap().contains("from books"), "{major}: {burst}");
        assert!(burst["before"].as_str().unwrap().contains("from authors"), "{major}: {burst}");
        assert_eq!(
            (&burst["bursts"], &burst["statements"], &burst["most"]),
            (&3.into(), &90.into(), &30.into())
        );
        assert_eq!(burst["application"], "bookshop");
    }
}
