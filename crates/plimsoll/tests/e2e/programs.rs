//! Migrations of real frameworks, found by themselves: a Django project and an Alembic project, whose settings name a server
//! that isn't there.

use std::path::{Path, PathBuf};

use crate::clients::python;
use crate::project::{MAJORS, Project, Run};
use crate::report::{Report, deed, text};

/// A copy of a project beside these tests, whose first migration is committed and whose others are new.
pub(crate) fn project(name: &str, is_new: impl Fn(&str) -> bool) -> Project {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/programs").join(name);
    let project = Project::new([("plimsoll.toml", "")]);
    project.git_init("main");
    let (new, old): (Vec<PathBuf>, Vec<PathBuf>) =
        files(&folder).into_iter().partition(|path| is_new(&path.file_name().unwrap().to_string_lossy()));
    for (paths, commits) in [(old, true), (new, false)] {
        for path in paths {
            project.write(path.strip_prefix(&folder).unwrap(), std::fs::read(&path).unwrap());
        }
        if commits {
            project.git_commit_all();
            project.git(&["checkout", "--quiet", "-b", "change"]);
        }
    }
    project
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("__pycache__") {
            continue;
        }
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// A run with the test environment's Python as the active one.
pub(crate) fn with_python(run: Run) -> Run {
    let python = python();
    let environment = Path::new(&python).parent().and_then(Path::parent).unwrap();
    run.env("VIRTUAL_ENV", environment).env("PYTHONDONTWRITEBYTECODE", "1")
}

fn check(project: &Project, major: u32, variables: &[(&str, &str)]) -> Report {
    let words = ["check", "--base", "main", "--postgres", &major.to_string(), "--format", "json"];
    let run = with_python(project.plimsoll(&words));
    let ended = variables.iter().fold(run, |run, (name, value)| run.env(name, value)).run();
    let report = ended.report();
    for statement in report.statements() {
        assert!(statement["error"].is_null(), "{}", ended.shown());
    }
    report
}

/// File, rule and kind of evidence of each finding.
fn found(report: &Report) -> Vec<String> {
    let files = report.places_and_files();
    files.iter().map(|(file, shown)| format!("{file}: {shown}")).collect()
}

#[test]
fn a_django_projects_new_migrations_are_judged() {
    let project = project("django", |name| ["0002", "0003", "0004"].iter().any(|new| name.starts_with(new)));
    for major in MAJORS {
        let report = check(&project, major, &[]);
        assert_eq!(
            found(&report),
            [
                "ships.0002_flags: 2 require-lock-timeout warning confirmed",
                "ships.0002_flags: 3 statement-while-holding-access-exclusive error confirmed",
                "ships.0002_flags: 4 backfill-with-ddl warning confirmed",
                "ships.0004_captain: 3 require-lock-timeout warning confirmed",
                "ships.0004_captain: 5 require-concurrent-index-creation error confirmed",
            ],
            "on {major}"
        );
        let building = report.statement("CREATE INDEX CONCURRENTLY");
        assert_eq!(text(&building["file"]), "ships.0003_name");
        assert!(!building["in_transaction"].as_bool().unwrap(), "{building:#}");
        assert!(deed(building).contains("ShareUpdateExclusiveLock public.ships_ship"), "{}", deed(building));
        // The tag that the application puts behind each statement is no part of what it does, but of what it sent.
        assert!(text(&building["sql"]).contains("/*framework='django'"), "{building:#}");
        let updates = report
            .ran()
            .iter()
            .filter(|sql| sql.trim_start_matches('+').starts_with("UPDATE \"ships_ship\""))
            .count();
        assert_eq!(updates, 20, "one for each ship of the data migration: {:#?}", report.ran());
        assert!(report.ran().iter().all(|sql| !sql.starts_with("SELECT \"django_migrations\"")));
    }
}

#[test]
fn an_alembic_projects_new_branches_are_judged_whatever_its_driver() {
    let project = project("alembic", |name| name.starts_with("b1") || name.starts_with("c1"));
    let ini = std::fs::read_to_string(project.path().join("alembic.ini")).unwrap();
    let drivers = [
        (15, "psycopg", None),
        (18, "psycopg2", None),
        (18, "psycopg", Some("postgresql+psycopg://a@nowhere.invalid/b")),
        (18, "psycopg2", Some("postgresql+psycopg2://a@nowhere.invalid/b")),
    ];
    for (major, driver, url) in drivers {
        project.write("alembic.ini", ini.replace("postgresql+psycopg:", &format!("postgresql+{driver}:")));
        let variables: Vec<_> = match url {
            Some(url) => vec![("DATABASE_URL", url), ("LEDGER_READS", "DATABASE_URL")],
            None => Vec::new(),
        };
        let report = check(&project, major, &variables);
        assert_eq!(
            found(&report),
            [
                "revision b1: 2 require-lock-timeout warning confirmed",
                "revision b1: 3 backfill-with-ddl error confirmed",
                "revision b1: 4 changing-column-type error confirmed",
            ],
            "{driver} on {major}"
        );
        let building = report.statement("CREATE INDEX CONCURRENTLY");
        assert_eq!(text(&building["file"]), "revision c1");
        assert!(!building["in_transaction"].as_bool().unwrap(), "{building:#}");
        assert!(deed(building).contains("ShareUpdateExclusiveLock public.accounts"), "{}", deed(building));
        assert!(deed(report.statement("TYPE NUMERIC(14, 4)")).contains("rewrote public.accounts"));
    }
}

/// What a service's own migration code may do: a pool, a pipeline, savepoints, cursors, COPY, LISTEN, DISCARD; then it crashes.
const DEMANDING: &str = r#"
import os, psycopg
url = os.environ["DATABASE_URL"]
pool = [psycopg.connect(url, autocommit=True) for _ in range(100)]
for number, connection in enumerate(pool):
    connection.execute("insert into orders values (%s, %s)", (number, "from the pool"))
one, two = pool[:2]
with one.pipeline(), one.transaction():
    one.execute("savepoint a")
    answers = [one.execute("select %s::int", (number,)) for number in range(3)]
    one.execute("alter table orders add column flag text")
    one.execute("release savepoint a")
assert [answer.fetchone()[0] for answer in answers] == [0, 1, 2]
with two.transaction():
    with two.transaction():
        try:
            with two.transaction():
                two.execute("update orders set nothing = 1")
        except psycopg.errors.UndefinedColumn:
            pass
        two.execute("update orders set flag = 'x' where id < 10")
    with two.cursor(name="some") as cursor:
        cursor.itersize = 30
        cursor.execute("select id from orders order by id")
        assert len(cursor.fetchall()) == 100
with one.cursor().copy("copy orders (id, note) from stdin") as copy:
    for number in range(1000, 2000):
        copy.write_row((number, "copied"))
two.execute("listen news")
one.execute("notify news, 'told'")
assert next(two.notifies()).payload == "told"
two.execute("discard all")
for _ in range(8):
    one.execute("select note from orders where id = %s", (7,), prepare=True)
one.execute("deallocate all")
assert one.execute("select note from orders where id = %s", (7,)).fetchone() == ("from the pool",)
one.execute("select set_config('lock_timeout', '2s', false)")
one.execute("alter table orders alter column id type bigint")
one.execute("begin")
one.execute("alter table orders add column never int")
os.kill(os.getpid(), 9)
"#;

#[test]
fn a_demanding_program_that_crashes_is_recorded_up_to_there() {
    let project = Project::new([
        ("plimsoll.toml", ""),
        ("before.sql", "create table orders (id int primary key, note text);"),
        ("change.py", DEMANDING),
    ]);
    project.write("plimsoll.toml", "[database]\nschema = \"before.sql\"\n");
    let python = python();
    for major in MAJORS {
        let words =
            ["check", "--postgres", &major.to_string(), "--format", "json", "--", &python, "change.py"];
        let ended = project.plimsoll(&words).run();
        let report = ended.report();
        let notes = report.notes().concat();
        assert!(notes.contains("signal: 9") && notes.contains("100 connections"), "{}", ended.shown());
        let adding = report.statement("add column flag");
        assert!(adding["in_transaction"].as_bool().unwrap(), "{adding:#}");
        assert!(deed(adding).contains("AccessExclusiveLock public.orders"), "{}", deed(adding));
        assert_eq!(adding["transaction"], report.statement("savepoint a")["transaction"]);
        assert_eq!(text(&report.statement("set nothing")["error"]["sqlstate"]), "42703");
        assert!(report.statement("set nothing")["in_transaction"].as_bool().unwrap());
        let failures: Vec<_> = found(&report).into_iter().filter(|shown| shown.contains("-fails")).collect();
        assert_eq!(failures.len(), 2, "{failures:#?}");
        assert_eq!(text(&report.findings_of("statement-fails")[0]["severity"]), "note");
        assert_eq!(text(&report.findings_of("program-fails")[0]["severity"]), "error");
        assert!(deed(report.statement("type bigint")).contains("rewrote public.orders"));
        assert!(
            report.ran().iter().any(|sql| sql.contains("set_config('lock_timeout'")),
            "{:#?}",
            report.ran()
        );
        let timeouts: Vec<_> =
            found(&report).into_iter().filter(|shown| shown.contains("require-lock-timeout")).collect();
        assert_eq!(timeouts.len(), 1, "of the alteration before the timeout: {timeouts:#?}");
    }
}
