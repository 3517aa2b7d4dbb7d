//! `plimsoll init` looks around; what it writes works with `check` at once.

use crate::project::Project;

const TABLE: &str = "create table t (id int, n int);";
const INDEX: &str = "create index t_n on t (n);";

/// Sets a project up, and checks all of it by the config that `init` wrote.
#[track_caller]
fn check(files: &[(&'static str, &str)], says: &[&str], written: &[&str]) {
    let project = Project::new(files.iter().copied());
    project.run(&["init"]).prints(0, says);
    let config = std::fs::read_to_string(project.path().join("plimsoll.toml")).unwrap();
    for line in written {
        assert!(config.lines().any(|found| found == *line), "no {line} in: {config}");
    }
    // The seed has nothing to load rows into before the first migration.
    let report = project.check(15, &["--all"]);
    assert_eq!(
        report.findings(),
        ["1 require-concurrent-index-creation error confirmed"],
        "{:#}",
        report.json
    );
}

#[test]
fn each_layout_is_recognised_and_works_at_once() {
    check(
        &[("migrations/1.sql", TABLE), ("migrations/2.sql", INDEX), ("seed.sql", "insert into t values (1)")],
        &["migrations: migrations (numbered SQL files)", "seed: seed.sql", "next: plimsoll check"],
        &["path = \"migrations\"", "layout = \"plain\"", "seed = [\"seed.sql\"]", "# path = \"queries\""],
    );
    check(
        &[
            ("migrations/1_a.up.sql", TABLE),
            ("migrations/1_a.down.sql", "drop table t"),
            ("migrations/2_b.up.sql", INDEX),
            ("queries/q.sql", "select 1"),
        ],
        &["(golang-migrate)", "queries: queries"],
        &["layout = \"golang-migrate\"", "path = \"queries\""],
    );
    check(
        &[("prisma/migrations/1_a/migration.sql", TABLE), ("prisma/migrations/2_b/migration.sql", INDEX)],
        &["migrations: prisma/migrations (Prisma)"],
        &["path = \"prisma/migrations\"", "layout = \"prisma\""],
    );
    check(
        &[
            ("migrations/1_a/up.sql", TABLE),
            ("migrations/2_b/up.sql", INDEX),
            ("migrations/2_b/down.sql", "x"),
        ],
        &["(Diesel)"],
        &["layout = \"diesel\""],
    );
    check(
        &[
            ("src/main/resources/db/migration/V1__a.sql", TABLE),
            ("src/main/resources/db/migration/V2__b.sql", INDEX),
        ],
        &["(Flyway)"],
        &["path = \"src/main/resources/db/migration\"", "layout = \"flyway\""],
    );
    check(
        &[
            ("supabase/migrations/1_a.sql", TABLE),
            ("supabase/migrations/2_b.sql", INDEX),
            ("supabase/seed.sql", "insert into t values (1)"),
        ],
        &["(Supabase)", "seed: supabase/seed.sql"],
        &["path = \"supabase/migrations\"", "layout = \"supabase\""],
    );
    check(
        &[
            ("Cargo.toml", "[dependencies]\nsqlx = { version = \"0.8\" }\n"),
            ("migrations/1_a.sql", TABLE),
            ("migrations/2_b.sql", INDEX),
        ],
        &["(sqlx)"],
        &["layout = \"sqlx\""],
    );
}

#[test]
fn layouts_with_sections_are_recognised_by_their_markers() {
    for (marker, title) in [("-- migrate:up\n", "dbmate"), ("-- +goose Up\n", "goose")] {
        let project = Project::new([("db/migrations/1.sql", marker)]);
        project.run(&["init"]).prints(0, &[&format!("migrations: db/migrations ({title})")]);
    }
}

#[test]
fn projects_whose_migrations_are_programs_are_named() {
    let django = Project::new([("manage.py", ""), ("app/migrations/0001_initial.py", "")]);
    django.run(&["init"]).prints(0, &["this project uses Django", "manage.py migrate"]);
    let alembic = Project::new([("alembic.ini", ""), ("migrations/versions/1_x.py", "")]);
    alembic.run(&["init"]).prints(0, &["this project uses Alembic", "alembic upgrade"]);
    alembic.run(&["check"]).fails(2, &["not a git repository", "--all"]);
    let rails = Project::new([
        ("db/migrate/20240101_x.rb", ""),
        ("db/structure.sql", TABLE),
        ("new.sql", "create index t_n on t (n);"),
    ]);
    rails.run(&["init"]).prints(0, &["this project uses Rails", "schema: db/structure.sql"]);
    let report = rails.check(18, &["new.sql"]);
    assert_eq!(report.findings(), ["1 require-concurrent-index-creation error confirmed"]);
}

#[test]
fn an_existing_config_is_kept() {
    let project = Project::new([("plimsoll.toml", "# mine\n"), ("migrations/1.sql", TABLE)]);
    project.run(&["init"]).fails(2, &["write plimsoll.toml: it exists already", "--force"]);
    assert_eq!(std::fs::read_to_string(project.path().join("plimsoll.toml")).unwrap(), "# mine\n");
    project.run(&["init", "--force"]).prints(0, &["wrote plimsoll.toml"]);
}

#[test]
fn a_bare_folder_gets_a_config_that_asks_for_migrations() {
    let project = Project::new::<&str>([]);
    project.run(&["init"]).prints(0, &["migrations: none found"]);
    project.run(&["check"]).fails(2, &["find migrations in"]);
}
