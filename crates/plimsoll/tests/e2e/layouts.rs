//! The layouts of migration tools: their order, the part that they run, and their transactions.
//!
//! Every project has two earlier migrations that must run in order before the new one, and down
//! parts that would break it.

use crate::project::{MAJORS, Project};

const FIRST: &str = "create table t (id int);";
const SECOND: &str = "alter table t add column n int;";
const NEW: &str = "create view v as select n from t; create view w as select n from v;";
const DOWN: &str = "drop table t cascade;";

/// Runs the new file after the others and shows its statements, `+` before those in a transaction
/// of several.
#[track_caller]
fn check(files: &[(&'static str, String)], new: &str, expected: &[&str]) {
    let project = Project::new(files.iter().map(|(path, text)| (*path, text.as_str())));
    for major in MAJORS {
        let report = project.check(major, &[new]);
        assert_eq!(report.ran(), expected, "on {major}: {:#}", report.json);
        let failed: Vec<_> = report.statements().iter().filter(|s| !s["error"].is_null()).collect();
        assert!(failed.is_empty(), "on {major}: {failed:#?}");
    }
}

const ALONE: [&str; 2] = ["create view v as select n from t", "create view w as select n from v"];
const TOGETHER: [&str; 2] = ["+create view v as select n from t", "+create view w as select n from v"];

#[test]
fn plain_files_run_in_numeric_order_each_statement_alone() {
    let files = [
        ("migrations/2_first.sql", FIRST.to_owned()),
        ("migrations/10_second.sql", SECOND.to_owned()),
        ("migrations/10_second.down.sql", DOWN.to_owned()),
        ("migrations/11_new.sql", NEW.to_owned()),
    ];
    check(&files, "migrations/11_new.sql", &ALONE);
}

#[test]
fn dbmate_wraps_the_up_section() {
    let file = |marker: &str, up: &str| format!("-- migrate:up{marker}\n{up}\n-- migrate:down\n{DOWN}\n");
    let files = |marker: &str, up: &str| {
        [
            ("db/migrations/20240101_b.sql", file("", FIRST)),
            ("db/migrations/20240102_a.sql", file("", SECOND)),
            ("db/migrations/20240103_new.sql", file(marker, up)),
        ]
    };
    check(&files("", NEW), "db/migrations/20240103_new.sql", &TOGETHER);
    let alone = "create index concurrently t_n on t (n);";
    check(
        &files(" transaction:false", alone),
        "db/migrations/20240103_new.sql",
        &["create index concurrently t_n on t (n)"],
    );
}

#[test]
fn goose_wraps_the_up_section_unless_told_not_to() {
    let file = |head: &str, up: &str| format!("{head}-- +goose Up\n{up}\n-- +goose Down\n{DOWN}\n");
    let block = "-- +goose StatementBegin\ncreate function f() returns int language sql as $$ select 1; $$;\n\
                 -- +goose StatementEnd\n";
    let files = |head: &str| {
        [
            ("migrations/9_first.sql", file("", FIRST)),
            ("migrations/10_second.sql", file("", &format!("{block}{SECOND}"))),
            ("migrations/11_new.sql", file(head, NEW)),
        ]
    };
    check(&files(""), "migrations/11_new.sql", &TOGETHER);
    check(&files("-- +goose NO TRANSACTION\n"), "migrations/11_new.sql", &ALONE);
}

#[test]
fn golang_migrate_sends_a_file_as_one_query() {
    let files = |new: &str| {
        [
            ("migrations/9_first.up.sql", FIRST.to_owned()),
            ("migrations/9_first.down.sql", DOWN.to_owned()),
            ("migrations/10_second.up.sql", SECOND.to_owned()),
            ("migrations/10_second.down.sql", DOWN.to_owned()),
            ("migrations/11_new.up.sql", new.to_owned()),
        ]
    };
    check(&files(NEW), "migrations/11_new.up.sql", &TOGETHER);
    let alone = "create index concurrently t_n on t (n)";
    check(&files(alone), "migrations/11_new.up.sql", &[alone]);
}

#[test]
fn sqlx_wraps_a_file_unless_its_first_line_says_not_to() {
    let files = |new: &str| {
        [
            ("Cargo.toml", "[dependencies]\nsqlx = \"0.8\"\n".to_owned()),
            ("migrations/9_first.sql", FIRST.to_owned()),
            ("migrations/10_second.up.sql", SECOND.to_owned()),
            ("migrations/10_second.down.sql", DOWN.to_owned()),
            ("migrations/11_new.sql", new.to_owned()),
        ]
    };
    check(&files(NEW), "migrations/11_new.sql", &TOGETHER);
    check(&files("-- no-transaction\nvacuum t;"), "migrations/11_new.sql", &["vacuum t"]);
}

#[test]
fn diesel_wraps_up_unless_its_metadata_says_not_to() {
    let files = |metadata: &str, new: &str| {
        [
            ("migrations/2024-01-01-000000_b/up.sql", FIRST.to_owned()),
            ("migrations/2024-01-01-000000_b/down.sql", DOWN.to_owned()),
            ("migrations/2024-01-02-000000_a/up.sql", SECOND.to_owned()),
            ("migrations/2024-01-03-000000_new/up.sql", new.to_owned()),
            ("migrations/2024-01-03-000000_new/down.sql", DOWN.to_owned()),
            ("migrations/2024-01-03-000000_new/metadata.toml", metadata.to_owned()),
        ]
    };
    let new = "migrations/2024-01-03-000000_new/up.sql";
    check(&files("", NEW), new, &TOGETHER);
    check(&files("run_in_transaction = false\n", "vacuum t"), new, &["vacuum t"]);
}

#[test]
fn flyway_orders_by_version_and_repeats_last() {
    let files = |setting: &str| {
        [
            ("src/main/resources/db/migration/V1_2__first.sql", FIRST.to_owned()),
            ("src/main/resources/db/migration/V1.10__second.sql", SECOND.to_owned()),
            ("src/main/resources/db/migration/U1.10__second.sql", DOWN.to_owned()),
            ("src/main/resources/db/migration/R__new.sql", NEW.to_owned()),
            ("src/main/resources/db/migration/R__new.sql.conf", setting.to_owned()),
        ]
    };
    let new = "src/main/resources/db/migration/R__new.sql";
    check(&files(""), new, &TOGETHER);
    check(&files("executeInTransaction=false\n"), new, &ALONE);
}

#[test]
fn prisma_sends_each_folders_file_as_one_query() {
    let files = [
        ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n".to_owned()),
        ("prisma/migrations/20240101_first/migration.sql", FIRST.to_owned()),
        ("prisma/migrations/20240102_second/migration.sql", SECOND.to_owned()),
        ("prisma/migrations/20240103_new/migration.sql", NEW.to_owned()),
    ];
    check(&files, "prisma/migrations/20240103_new/migration.sql", &TOGETHER);
}

#[test]
fn supabase_sends_a_file_as_one_query() {
    let files = [
        ("supabase/migrations/20240101000000_first.sql", FIRST.to_owned()),
        ("supabase/migrations/20240102000000_second.sql", SECOND.to_owned()),
        ("supabase/migrations/20240103000000_new.sql", NEW.to_owned()),
    ];
    check(&files, "supabase/migrations/20240103000000_new.sql", &TOGETHER);
}

#[test]
fn a_configured_habit_and_layout_win_over_what_is_seen() {
    let files = [
        ("plimsoll.toml", "[migrations]\nlayout = \"plain\"\ntransaction = \"file\"\n".to_owned()),
        ("migrations/1.sql", format!("{FIRST}\n-- migrate:up\n{SECOND}")),
        ("migrations/2.sql", NEW.to_owned()),
    ];
    check(&files, "migrations/2.sql", &TOGETHER);
}

#[test]
fn psql_commands_and_copied_rows_break_nothing() {
    let script = "\\restrict aBc\n\\set ON_ERROR_STOP on\n\
                  COPY public.t (id, n) FROM stdin;\n1\t10\n2\t\\N\n\\.\n\n\\echo 'it''s; done'\n\
                  insert into t values (3, 30);\n\\unrestrict aBc\n";
    let files = [
        ("migrations/1.sql", format!("{FIRST} {SECOND}")),
        ("migrations/2.sql", script.to_owned()),
        (
            "migrations/3.sql",
            format!(
                "{script}do $$ begin if (select count(*) from t) <> 6 then raise 'rows'; end if; end $$;"
            ),
        ),
    ];
    let project = Project::new(files.iter().map(|(path, text)| (*path, text.as_str())));
    for major in MAJORS {
        let report = project.check(major, &["migrations/3.sql"]);
        assert_eq!(report.deeds(), ["", "", "scanned public.t 6"], "{:#}", report.json);
        assert_eq!(
            report.json["rehearsal"]["notes"][0],
            "migrations/3.sql: 4 backslash commands not run (they are psql's own)"
        );
    }
}
