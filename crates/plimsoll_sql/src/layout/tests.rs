use super::*;

fn file(path: &str, text: &str) -> InputFile {
    InputFile { path: path.into(), shown: Path::new("migrations").join(path), text: text.into() }
}

/// The layout's name, then each migration as `path habit: statement; …`.
fn check(files: &[(&str, &str)], folder: &str, expected: &[&str]) {
    let files: Vec<InputFile> = files.iter().map(|(path, text)| file(path, text)).collect();
    let layout = Layout::detect(&files, Path::new(folder), false);
    let mut shown = vec![layout.name.to_owned()];
    for migration in layout.migrations(&files, None) {
        let statements: Vec<&str> = migration.statements.iter().map(|s| migration.sql(s)).collect();
        let path = migration.source.name();
        shown.push(format!(
            "{} {:?}: {}",
            &path["migrations/".len()..],
            migration.habit,
            statements.join("; ")
        ));
    }
    assert_eq!(shown, expected);
}

#[test]
fn plain_files_run_in_numeric_order() {
    check(
        &[
            ("10_c.sql", "select 3"),
            ("9_b.sql", "select 2"),
            ("1_a.sql", "select 1; select 11"),
            ("x.txt", ""),
        ],
        "migrations",
        &[
            "plain",
            "1_a.sql Statement: select 1; select 11",
            "9_b.sql Statement: select 2",
            "10_c.sql Statement: select 3",
        ],
    );
}

#[test]
fn dbmate_runs_the_up_section() {
    check(
        &[
            ("20240101_a.sql", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 0;"),
            ("20240102_b.sql", "-- migrate:up transaction:false\nselect 2;\n"),
        ],
        "migrations",
        &["dbmate", "20240101_a.sql File: select 1", "20240102_b.sql Batch: select 2"],
    );
}

#[test]
fn goose_runs_the_up_section_and_whole_blocks() {
    let body = "create function f() returns int language sql as $$ select 1; $$";
    check(
        &[
            (
                "2.sql",
                &format!(
                    "-- +goose Up\n-- +goose StatementBegin\n{body};\n-- +goose StatementEnd\n-- +goose Down\nx"
                ),
            ),
            ("1.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;"),
        ],
        "migrations",
        &["goose", "1.sql Statement: select 1", &format!("2.sql File: {body}")],
    );
}

#[test]
fn golang_migrate_sends_each_up_file_as_one_query() {
    check(
        &[
            ("000002_b.up.sql", "select 2"),
            ("000001_a.up.sql", "select 1"),
            ("000001_a.down.sql", "select 0"),
        ],
        "migrations",
        &["golang-migrate", "000001_a.up.sql Batch: select 1", "000002_b.up.sql Batch: select 2"],
    );
}

#[test]
fn diesel_reads_metadata() {
    check(
        &[
            ("2024-01-01-000000_a/up.sql", "select 1"),
            ("2024-01-01-000000_a/down.sql", "select 0"),
            ("2024-01-02-000000_b/up.sql", "select 2"),
            ("2024-01-02-000000_b/metadata.toml", "run_in_transaction = false\n"),
        ],
        "migrations",
        &[
            "diesel",
            "2024-01-01-000000_a/up.sql File: select 1",
            "2024-01-02-000000_b/up.sql Batch: select 2",
        ],
    );
}

#[test]
fn flyway_runs_versions_then_repeatables() {
    check(
        &[
            ("R__views.sql", "select 9"),
            ("V10__c.sql", "select 3"),
            ("V2_1__b.sql", "select 2"),
            ("V2_1__b.sql.conf", "executeInTransaction=false"),
            ("V1.5__a.sql", "select 1"),
            ("U10__c.sql", "select 0"),
        ],
        "migrations",
        &[
            "flyway",
            "V1.5__a.sql File: select 1",
            "V2_1__b.sql Statement: select 2",
            "V10__c.sql File: select 3",
            "R__views.sql File: select 9",
        ],
    );
}

#[test]
fn prisma_and_supabase_are_known_by_their_folders() {
    check(
        &[("20240101_a/migration.sql", "select 1"), ("migration_lock.toml", "provider = \"postgresql\"")],
        "prisma/migrations",
        &["prisma", "20240101_a/migration.sql Batch: select 1"],
    );
    check(
        &[("20240101000000_a.sql", "select 1")],
        "supabase/migrations",
        &["supabase", "20240101000000_a.sql Batch: select 1"],
    );
}

#[test]
fn sqlx_reads_its_marker() {
    let files = [
        file("1_a.sql", "-- no-transaction\nselect 1"),
        file("2_b.up.sql", "select 2"),
        file("2_b.down.sql", ""),
    ];
    let layout = Layout::detect(&files, Path::new("migrations"), true);
    let habits: Vec<TransactionHabit> = layout.migrations(&files, None).iter().map(|m| m.habit).collect();
    assert_eq!((layout.name, habits), ("sqlx", vec![TransactionHabit::Batch, TransactionHabit::File]));
}

#[test]
fn an_override_yields_to_markers() {
    let files = [file("1_a.sql", "select 1")];
    let layout = Layout::by_name("plain").unwrap();
    assert_eq!(layout.migrations(&files, Some(TransactionHabit::File))[0].habit, TransactionHabit::File);
}
