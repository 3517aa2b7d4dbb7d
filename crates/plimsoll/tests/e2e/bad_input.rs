//! Bad input: a clear message, the right exit code, nothing left behind, never a panic.

use std::os::unix::fs::symlink;

use crate::project::{MAJORS, Project};
use crate::report::text;

const BASE: &str = "create table t (id int, n int);\n";

/// A config under which a check ends as soon as it looks for a server.
const NO_SERVER: &str = "[database]\nbinaries = \"nothing\"\n[queries]\npath = \"queries\"\n";

fn project(change: &str) -> Project {
    Project::new([("migrations/1.sql", BASE), ("migrations/2.sql", change)])
}

#[test]
fn a_syntax_error_spoils_one_statement() {
    let project =
        project("create index a on t (n);\nalter tabel t\n  add x int;\ncreate index b on t (n);\n");
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql"]);
        assert_eq!(
            report.findings(),
            [
                "1 require-concurrent-index-creation error confirmed",
                "2 syntax-error error confirmed",
                "4 require-concurrent-index-creation error confirmed",
            ]
        );
        let error = report.findings_of("syntax-error")[0];
        let place = |place: &serde_json::Value| (place["line"].clone(), place["column"].clone());
        assert_eq!(error["location"]["line"], 2);
        let refusal = &report.statements()[1]["error"];
        assert_eq!(place(refusal), (2.into(), 7.into()));
        assert_eq!(text(&refusal["message"]), "syntax error at or near \"tabel\"");
        assert_eq!(report.deeds()[1], "failed 42601");
        assert_eq!(report.code, 1);
    }
}

#[test]
fn unclosed_quotes_and_comments_spoil_what_they_swallow() {
    for change in [
        "create index a on t (n);\nselect 'x",
        "create index a on t (n);\n/* x",
        "create index a on t (n);\nselect $$x",
    ] {
        let report = project(change).check(18, &["migrations/2.sql"]);
        assert_eq!(report.findings()[0], "1 require-concurrent-index-creation error confirmed");
    }
}

#[test]
fn an_empty_or_missing_folder_is_named() {
    let project = Project::new([("migrations/README.md", "")]);
    project.run(&["check", "--all"]).fails(2, &["find migrations in migrations: there is none"]);
    project.run(&["lint", "migrations"]).fails(2, &["check migrations: there is no SQL file in this folder"]);
    let bare = Project::new::<&str>([]);
    bare.run(&["check"]).fails(2, &["there is no plimsoll.toml", "plimsoll init"]);
    bare.write("plimsoll.toml", "[migrations]\npath = \"sql\"\n");
    bare.run(&["check"]).fails(2, &["plimsoll.toml:2:8: folder sql doesn't exist"]);
}

#[test]
fn wrong_settings_are_placed_and_the_nearest_word_named() {
    let project = project("select 1");
    for (config, says) in [
        ("[migrations]\npth = \"x\"\n", "plimsoll.toml:2:1: unknown key `pth`; did you mean `path`?"),
        ("[databse]\nname = \"x\"\n", "plimsoll.toml:1:2: unknown key `databse`; did you mean `database`?"),
        (
            "[migrations]\nlayout = \"gose\"\n",
            "plimsoll.toml:2:10: unknown layout `gose`; did you mean `goose`?",
        ),
        (
            "[migrations]\ntransaction = \"files\"\n",
            "plimsoll.toml:2:15: unknown transaction habit `files`; did you mean `file`?",
        ),
        (
            "[lint]\nignore = [\"ban-drop-colum\"]\n",
            "plimsoll.toml:2:11: unknown rule `ban-drop-colum`; did you mean `ban-drop-column`?",
        ),
        ("[database]\nversion = 9\n", "plimsoll.toml:2:11: PostgreSQL 9 is too old"),
        (
            "[database]\nname = \"postgres\"\n",
            "plimsoll.toml:2:8: `postgres` can't be a database's name here",
        ),
        ("[queries]\nruns = 0\n", "plimsoll.toml:2:8: runs = 0 is not between"),
        ("[queries]\ntimeout = \"soon\"\n", "plimsoll.toml:2:11: `soon` is no duration"),
        ("[lint]\nlock_timeout = 5\n", "plimsoll.toml:2:16: invalid type"),
        ("[migrations\n", "plimsoll.toml:1:12: "),
    ] {
        project.write("plimsoll.toml", config);
        project.run(&["check", "migrations/2.sql"]).fails(2, &[says]);
    }
    project.write("plimsoll.toml", [0x5b, 0xff]);
    project.run(&["lint", "migrations/2.sql"]).fails(2, &["plimsoll.toml:1:2: byte 0xff is not UTF-8"]);
    project.run(&["lint", "--config", "elsewhere.toml"]).fails(2, &["read elsewhere.toml: "]);
}

#[test]
fn wrong_words_on_the_command_line_are_refused() {
    let project = project("select 1");
    for (arguments, says) in [
        (&["check", "--format", "pdf"][..], "pdf"),
        (&["check", "--report", "pdf=x"], "pdf"),
        (&["check", "--report", "html"], "FORMAT=PATH"),
        (&["check", "--postgres", "9", "migrations/2.sql"], "PostgreSQL 9 is too old"),
        (&["chekc"], "check"),
        (&["rule", "ban-drop-colum"], "did you mean ban-drop-column?"),
    ] {
        project.run(arguments).fails(2, &[says]);
    }
}

#[test]
fn lint_judges_for_servers_that_nothing_runs_on() {
    let project = project(
        "begin; create type t as enum ('a'); alter type t add value 'b'; create table x (t t default 'b'); commit;",
    );
    let rule = "enum-value-used-in-transaction";
    let lint =
        |major: &str| project.run(&["lint", "--format", "short", "--postgres", major, "migrations/2.sql"]);
    lint("12").fails(1, &[]);
    assert!(lint("12").stdout.contains(rule));
}

#[test]
fn versions_without_private_servers_are_judged_and_not_rehearsed() {
    let project = project("create index on t (n);");
    for major in ["12", "13", "14"] {
        project
            .run(&["lint", "--postgres", major, "migrations/2.sql"])
            .prints(1, &["require-concurrent-index-creation"]);
        let says = format!("rehearse for PostgreSQL {major}: private servers are 15 or newer");
        project.run(&["check", "--postgres", major, "migrations/2.sql"]).fails(2, &[&says]);
    }
    project.write("plimsoll.toml", "[database]\nversion = 13\n");
    project.run(&["lint", "migrations/2.sql"]).prints(1, &["require-concurrent-index-creation"]);
    project.run(&["check", "migrations/2.sql"]).fails(2, &["rehearse for PostgreSQL 13"]);
    project.run(&["lint", "--postgres", "11", "migrations/2.sql"]).fails(2, &["PostgreSQL 11 is too old"]);
}

#[test]
fn a_report_that_cant_be_written_is_the_environments_fault() {
    let project = project("select 1");
    for path in ["nowhere/x.json", "migrations"] {
        let report = format!("json={path}");
        project
            .run(&["lint", "--report", &report, "migrations/2.sql"])
            .fails(3, &[&format!("write {path}: ")]);
    }
}

#[test]
fn queries_are_read_before_any_server_is_started() {
    let project = project("select 1");
    std::fs::create_dir(project.path().join("nothing")).unwrap();
    project.write("plimsoll.toml", NO_SERVER);
    for (queries, values, says) in [
        (
            "-- name: a\nselect *\nfrom t where id = :id",
            "",
            "queries/q.sql:3:19: query a has no value for its parameter id",
        ),
        ("select 1;\nselect 2;", "", "queries/q.sql:1:1: query has no name"),
        (
            "-- name: a\nselect 1;\n-- name: a\nselect 2",
            "",
            "queries/q.sql:4:1: query a has the name of the one at queries/q.sql:2:1",
        ),
        ("-- name: a\nselect 1", "[b]\n", "queries/q.toml:1:2: [b] is the name of no query"),
        ("-- name: a\nselect 1", "[a]\nx = 1\n", "queries/q.toml:2:1: query a has no parameter x"),
        ("-- name: a\nselect 1", "[a\n", "queries/q.toml:1:3: "),
        ("-- name: a\nselect 1", "a = 1\n", "queries/q.toml:1:1: a must be a table"),
    ] {
        project.write("queries/q.sql", queries);
        project.write("queries/q.toml", values);
        project.run(&["check", "migrations/2.sql"]).fails(2, &[says]);
    }
    project.write("queries/q.sql", "-- name: a\nselect 1");
    std::fs::remove_file(project.path().join("queries/q.toml")).unwrap();
    // All is well with the queries: now a server is looked for.
    project.run(&["check", "migrations/2.sql"]).fails(3, &["nothing"]);
}

#[test]
fn a_query_that_never_worked_is_said_to_fail() {
    let project = project("alter table t add column m int;");
    project.write("plimsoll.toml", "[queries]\npath = \"queries\"\nruns = 1\ntimeout = \"200ms\"\n");
    project.write("queries/broken.sql", "select * form t");
    project.write("queries/slow.sql", "select pg_sleep(5)");
    project.write("queries/empty.sql", "-- nothing\n");
    project.write("queries/writes.sql", "insert into t values (1) returning id");
    let report = project.check(15, &["migrations/2.sql"]);
    assert_eq!(report.queries(), ["broken failed", "slow failed", "writes same"]);
    let reasons = report.query("broken")["reasons"].to_string();
    assert!(
        reasons.contains("queries/broken.sql:1:10") && reasons.contains("before the change too"),
        "{reasons}"
    );
    assert!(report.query("slow")["reasons"].to_string().contains("statement timeout"));
}

#[test]
fn text_that_is_not_utf_8_is_placed() {
    let project = project("select 1");
    project.write("migrations/3.sql", b"select 1;\n-- caf\xe9\n");
    project.run(&["check", "migrations/2.sql"]).fails(2, &["migrations/3.sql:2:7: byte 0xe9 is not UTF-8"]);
    // Lint goes on without the file.
    project.run(&["lint", "migrations/2.sql"]).prints(0, &["migrations/3.sql:2:7 can't be read"]);
    project.run(&["lint", "--format", "short", "--all"]).prints(
        1,
        &["migrations/3.sql:2:7: error[unreadable-file] this file can't be read: byte 0xe9 is not UTF-8"],
    );
}

#[test]
fn windows_line_ends_and_byte_order_marks_are_no_matter() {
    let project = project("\u{feff}create index a\r\n  on t (n);\r\nselect x;\r\n");
    let report = project.check(18, &["migrations/2.sql"]);
    assert_eq!(
        report.findings(),
        ["1 require-concurrent-index-creation error confirmed", "3 statement-fails error observed"]
    );
    let error = &report.statements()[1]["error"];
    assert_eq!((&error["line"], &error["column"]), (&3.into(), &8.into()));
    assert_eq!(report.findings_of("require-concurrent-index-creation")[0]["location"]["column"], 1);
}

#[test]
fn an_empty_migration_is_safe_and_said() {
    for change in ["", "-- only a comment\n", ";;\n", "\\echo hello\n"] {
        let report = project(change).check(15, &["migrations/2.sql"]);
        assert_eq!(report.json["verdict"], "safe");
        assert_eq!(report.statements().len(), 0);
        assert!(report.notes().contains(&"The new migrations hold no statement."), "{:?}", report.notes());
    }
}

#[test]
fn a_huge_statement_runs() {
    let values: Vec<String> = (0..200_000).map(|n| format!("({n}, {n})")).collect();
    let change = format!("insert into t values {};\ncreate index t_n on t (n);", values.join(", "));
    let report = project(&change).check(18, &["migrations/2.sql"]);
    assert_eq!(report.findings(), ["2 require-concurrent-index-creation error confirmed"]);
    assert!(report.deeds()[1].contains("scanned public.t 200000"), "{:?}", report.deeds());
}

#[test]
fn deep_nesting_is_survived() {
    let deep = format!("select {}1{};\ncreate index t_n on t (n);", "(".repeat(20_000), ")".repeat(20_000));
    let report = project(&deep).check(15, &["migrations/2.sql"]);
    assert!(report.findings().contains(&"2 require-concurrent-index-creation error confirmed".to_owned()));
}

#[test]
fn odd_folders_are_survived() {
    let project = project("select 1");
    std::fs::create_dir(project.path().join("migrations/3.sql")).unwrap();
    symlink(".", project.path().join("migrations/0_loop")).unwrap();
    symlink("self", project.path().join("migrations/self")).unwrap();
    let report = project.check(15, &["migrations/2.sql"]);
    assert_eq!(report.ran(), ["select 1"]);
    symlink("gone", project.path().join("migrations/4.sql")).unwrap();
    project.run(&["check", "migrations/2.sql"]).fails(2, &["read migrations/4.sql:1:1: No such file"]);
    project.run(&["lint", "migrations/2.sql"]).prints(0, &["migrations/4.sql:1:1 can't be read"]);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let project = project("create index a on t (n);");
    for (arguments, code) in [(&["rule"][..], 0), (&["lint", "migrations/2.sql"], 1), (&["--help"], 0)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = project.plimsoll(arguments).stdout(writer).start_unpiped().end();
        assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(code), ""), "{arguments:?}");
    }
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = project.plimsoll(&["lint", "migrations/2.sql"]).stdout(full).start_unpiped().end();
    ended.fails(3, &["write to stdout: No space left"]);
}

#[test]
fn what_migrations_do_to_their_session_hurts_nobody() {
    let project = project(
        "set search_path = '';\nset role pg_monitor;\nreset role;\nset standard_conforming_strings = off;\n\
         set client_encoding = 'LATIN1';\nset statement_timeout = 500;\nset statement_timeout = 0;\n\
         select set_config('search_path', 'nowhere', false);\ncreate table public.u (id int);\n\
         discard all;\ncreate table w (id int);\nset session authorization nobody_here;\ncreate table x (id int);\n",
    );
    let report = project.check(18, &["migrations/2.sql"]);
    let failed: Vec<_> = report.deeds().into_iter().filter(|deed| deed.starts_with("failed")).collect();
    // An ordinary role may create nothing in schema public since 15.
    assert_eq!(failed, ["failed 42501"], "{:#}", report.json);
}
