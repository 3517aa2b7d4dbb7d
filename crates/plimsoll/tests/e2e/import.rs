//! `plimsoll regress import` from real servers' logs and statistics, and from a RegreSQL project.

use std::path::{Path, PathBuf};

use crate::production::Production;
use crate::project::Project;

const SHIPS: &str = "create table ships (id int primary key, name text not null, built date);\n";
const ROWS: &str = "insert into ships select n, case when n % 10 = 0 then 'Ship ' || n else 'Ada' end, date '2020-01-01' + n \
                    from generate_series(1, 1000) n;\n";

/// A project whose corpus is empty.
fn project() -> Project {
    Project::new([
        ("plimsoll.toml", "[queries]\npath = \"queries\"\nruns = 1\n[database]\nseed = \"seed.sql\"\n"),
        ("seed.sql", ROWS),
        ("migrations/1.sql", SHIPS),
        ("migrations/2.sql", "alter table ships add column flag text;\n"),
        ("queries/fixtures.sql", "select 1;\n"),
    ])
}

/// A server with ships that logs everything, in all forms, and counts statements.
fn production(major: u32) -> Production {
    let production = Production::start(
        major,
        "shared_preload_libraries = 'pg_stat_statements'\nlog_min_duration_statement = 0\nlogging_collector = on\n\
         log_destination = 'stderr,csvlog,jsonlog'\nlog_filename = 'all'\nlog_directory = 'logs'\n",
    );
    production
        .psql("postgres", &format!(
            "set log_min_duration_statement = -1; create extension pg_stat_statements; {SHIPS}{ROWS} analyze ships; \
             select pg_stat_statements_reset();"
        ),
    );
    production
}

/// Sends statements in both protocols.
fn send(production: &Production) {
    production.psql(
        "postgres",
        "select id from ships where name = 'Ada' and id > 5 limit 3;\n\
         select id from ships where name = 'Grace O''Hara' and id > 7 limit 3;\n\
         select count(*) from ships where built > date '2021-01-01' - interval '1 day';\n\
         update ships set name = name where id = 4;\nselect\n\t1 /* in lines */;\n",
    );
    let script = production.path().join("script");
    std::fs::write(&script, "\\set id random(1, 1000)\nselect name from ships where id = :id;\n").unwrap();
    let script = script.to_str().unwrap();
    production.tool("pgbench", &["-n", "-M", "extended", "-t", "40", "-f", script, "postgres"]);
    // What a client of the simple protocol sends at once.
    production.tool("psql", &["-XAtq", "-d", "postgres", "-c", "select 1 from ships; select 2 from ships"]);
}

fn logs(production: &Production) -> Vec<PathBuf> {
    let folder = production.data().join("logs");
    ["all", "all.csv", "all.json"].map(|name| folder.join(name)).into()
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The text of the file whose name begins and ends so, and that holds this.
fn file(folder: &Path, holds: &str, extension: &str) -> String {
    let files = files(folder);
    let found = files.iter().find(|(name, text)| name.ends_with(extension) && text.contains(holds));
    found.unwrap_or_else(|| panic!("no {extension} with {holds}: {files:#?}")).1.clone()
}

fn logs_become_a_corpus(major: u32) {
    let production = production(major);
    send(&production);
    production.stop();
    let mut corpora = Vec::new();
    for log in logs(&production) {
        let project = project();
        let log = log.to_str().unwrap();
        let ended = project.run(&["regress", "import", "--from", "log", log]);
        ended.prints(
            0,
            &[
                "written to",
                "values left out; --keep-values writes them",
                "1 query left out: several statements",
            ],
        );
        let queries = project.path().join("queries");
        let by_name = file(&queries, "limit", ".sql");
        assert!(by_name.contains("where name = $1 and id > $2::integer limit 3;"), "{by_name}");
        let all = files(&queries);
        assert!(!all.iter().any(|(_, text)| text.contains("Ada") || text.contains("Hara")), "{all:#?}");
        let by_id = file(&queries, "select name from ships", ".sql");
        assert!(by_id.contains("Seen 40 times by the log"), "{by_id}");
        let values = file(&queries, ".call_5]\n1 = \"", ".toml");
        assert!(values.contains(".call_1]\n1 = \"") && !values.contains("call_6"), "{values}");
        corpora.push(all);
        // Once more: nothing is written anew.
        let again = project.run(&["regress", "import", "--from", "log", log, "--keep-values"]);
        again.prints(0, &["0 queries written to", "were there already and stay as they are"]);
        let report = project.check(major, &["migrations/2.sql"]);
        let queries = report.queries();
        assert!(queries.len() > 7, "{queries:?}");
        assert!(queries.iter().all(|query| query.ends_with(" same")), "{queries:?}");
    }
    assert_eq!(corpora[0], corpora[1], "stderr and csvlog tell the same");
    assert_eq!(corpora[1], corpora[2], "csvlog and jsonlog tell the same");
    let project = project();
    let log = &logs(&production)[1];
    project
        .plimsoll(&[
            "regress",
            "import",
            "--from",
            "log",
            "-",
            "--keep-values",
            "--into",
            "others",
            "--top",
            "3",
        ])
        .stdin(std::fs::read(log).unwrap())
        .run()
        .prints(
            0,
            &["queries written to", "The 3 that took the most time of", "Set [queries] path = \"others\""],
        );
}

#[test]
fn logs_become_a_corpus_on_15() {
    logs_become_a_corpus(15);
}

#[test]
fn logs_become_a_corpus_on_18() {
    logs_become_a_corpus(18);
}

fn statements_become_a_corpus(major: u32) {
    let production = production(major);
    send(&production);
    let url = production.url("postgres");
    let project = project();
    let ended = project.run(&["regress", "import", "--from", "statements", &url]);
    ended.prints(0, &["queries written to", "queries are skipped until you give values"]);
    assert!(ended.stderr.contains("one read-only transaction of SELECTs on that view;"), "{}", ended.shown());
    let queries = project.path().join("queries");
    let by_name = file(&queries, "where name = $", ".sql");
    assert!(
        by_name.contains("-- skip: needs values\nselect id from ships where name = $1 and id > $2 limit $3;"),
        "{by_name}"
    );
    let days = file(&queries, "where built", ".sql");
    assert!(days.contains("built > $1::date - $2::interval"), "{days}");
    assert!(
        !files(&queries).iter().any(|(_, text)| text.contains("pg_catalog")),
        "the catalogue is nobody's service"
    );
    let report = project.check(major, &["migrations/2.sql"]);
    assert!(
        report.notes().iter().any(|note| note.contains("is skipped: needs values.")),
        "{:?}",
        report.notes()
    );

    let with_values = ["regress", "import", "--from", "statements", &url, "--values", "--into", "valued"];
    project.run(&with_values).fails(2, &["--keep-values"]);
    let ended = project.run(&[&with_values[..], &["--keep-values"]].concat());
    ended.prints(0, &["queries written to"]);
    assert!(ended.stderr.contains("pg_stats, which holds values of its rows"), "{}", ended.shown());
    let values = file(&project.path().join("valued"), "\"Ada\"", ".toml");
    assert!(values.contains(".common]\n1 = \"Ada\"\n") && values.contains(".rare]\n1 = \"Ship "), "{values}");
    project
        .write("plimsoll.toml", "[queries]\npath = \"valued\"\nruns = 1\n[database]\nseed = \"seed.sql\"\n");
    let report = project.check(major, &["migrations/2.sql"]);
    let sets: Vec<String> = report.queries().into_iter().filter(|query| query.contains("[rare]")).collect();
    assert!(!sets.is_empty() && sets.iter().all(|query| query.ends_with(" same")), "{:?}", report.queries());

    // The server is none the worse.
    assert_eq!(
        production.psql(
            "postgres",
            "select count(*) from pg_locks where mode <> 'AccessShareLock' and mode <> 'ExclusiveLock'"
        ),
        "0"
    );
    production.psql("postgres", "create database empty; create role reader login");
    project
        .run(&["regress", "import", "--from", "statements", &url.replace("boss@", "reader@")])
        .fails(2, &["that this role may see: it needs pg_read_all_stats"]);
    project
        .run(&["regress", "import", "--from", "statements", &production.url("empty")])
        .fails(3, &["the extension isn't in this database", "CREATE EXTENSION pg_stat_statements"]);
}

#[test]
fn statements_become_a_corpus_on_15() {
    statements_become_a_corpus(15);
}

#[test]
fn statements_become_a_corpus_on_18() {
    statements_become_a_corpus(18);
}

#[test]
fn what_is_no_log_is_refused_and_nothing_is_written() {
    let project = project();
    project.write("no.log", "select 1;\n");
    project.write("quiet.log", "2024-01-01 00:00:00 UTC [1] LOG:  listening on Unix socket\n");
    let import = |source: &str| project.run(&["regress", "import", "--from", "log", source]);
    import("no.log").fails(2, &["none of its first lines is one of PostgreSQL's stderr log"]);
    import("quiet.log").fails(2, &["none of its 1 messages is of a query", "log_min_duration_statement = 0"]);
    import("missing.log").fails(2, &["missing.log: No such file"]);
    assert_eq!(files(&project.path().join("queries")).len(), 1);
}

#[test]
fn a_regresql_project_becomes_a_corpus() {
    let project = project();
    for (path, text) in [
        (
            "old/regresql/regress.yaml",
            "pguri: postgres:///ships\nroot: src\nexclude:\n  - src/sql/seed*.sql\nsnapshot:\n  fixtures:\n    - src/rows.sql\n",
        ),
        ("old/src/rows.sql", "insert into ships values (0, 'nobody', null);\n"),
        ("old/src/sql/seed-1.sql", "insert into ships values (-1, 'x', null);\n"),
        (
            "old/src/sql/by_name.sql",
            "-- name: ships-by-name\n-- Those of a name\nselect id from ships where name = :'name' limit :n;\n\n-- name: all\nselect count(*) from ships;\n",
        ),
        (
            "old/regresql/plans/src/sql/by_name_ships-by-name.yaml",
            "\"1\":\n  name: \"Ada\"\n  n: 5\n\n\"few\":\n  name: 'Ship 10'\n  n: ~\n",
        ),
        ("old/src/sql/top.sql", "\\set n 10\nselect name from ships order by id limit :n\n"),
        (
            "old/src/sql/more.sql",
            "-- name: all\n-- regresql: notest\nselect * from ships;\n-- name: lost\nselect * from ships where id = :id;\n",
        ),
        ("old/src/sql/mess.sql", "select 1; select 2;\n"),
    ] {
        project.write(path, text);
    }
    std::fs::remove_file(project.path().join("queries/fixtures.sql")).unwrap();
    let import = ["regress", "import", "--from", "regresql", "old"];
    project.run(&import).prints(
        0,
        &[
            "5 queries with 3 sets of values written to",
            "1 fixture of its snapshot joined into fixtures.sql.",
            "all of old/src/sql/more.sql is more_all",
            "1 marked notest are skipped.",
            "take out `-- skip: needs values`: lost.",
            "old/src/sql/mess.sql:1: query has no name",
            "`plimsoll regress record` writes baselines",
        ],
    );
    let report = project.check(18, &["migrations/2.sql"]);
    let mut queries = report.queries();
    queries.sort();
    assert_eq!(queries, ["all same", "ships-by-name [1] same", "ships-by-name [few] same", "top same"]);
    project.run(&import).prints(
        0,
        &["0 queries with 0 sets of values written to", "5 were there already and stay as they are."],
    );
    project
        .run(&["regress", "import", "--from", "regresql", "queries"])
        .fails(2, &["it has no regresql/regress.yaml"]);
    project.write("old/regresql/plans/src/sql/top.yaml", "a:\n  n: |\n    1\n");
    project
        .run(&["regress", "import", "--from", "regresql", "old", "--into", "again"])
        .fails(2, &["read old/regresql/plans/src/sql/top.yaml:2: `|` is more YAML than is read here"]);
    assert!(!project.path().join("again").exists(), "nothing is half-written");
}
