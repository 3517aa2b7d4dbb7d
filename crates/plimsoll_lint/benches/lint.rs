//! Lint of a folder of 1,000 migrations, from texts to findings: `cargo bench -p plimsoll_lint`.
//!
//! Measured in November 2026 on 2 cores of an x86-64 virtual machine: see `docs/benchmarks.md`.

use std::path::Path;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use plimsoll_core::ChangeScope;
use plimsoll_lint::{Settings, lint};
use plimsoll_sql::{InputFile, Layout, Migration, Schema};

const FILES: usize = 1000;

fn main() {
    divan::main();
}

/// A believable history: tables, then columns, indexes, constraints and data changes on them.
fn history() -> Vec<InputFile> {
    (0..FILES)
        .map(|number| InputFile { path: path(number), shown: path(number), text: text(number).into() })
        .collect()
}

fn path(number: usize) -> std::path::PathBuf {
    Path::new(&format!("{number:04}_step.sql")).to_owned()
}

fn text(number: usize) -> String {
    let table = format!("ledger_{}", number / 5);
    match number % 5 {
        0 => format!(
            "-- A new table.\nCREATE TABLE {table} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
             account_id bigint NOT NULL,\n    amount numeric(12, 2) NOT NULL DEFAULT 0 CHECK (amount >= 0),\n    note \
             varchar(200),\n    booked_at timestamptz NOT NULL DEFAULT now(),\n    UNIQUE (account_id, booked_at)\n);\n\
             COMMENT ON TABLE {table} IS 'What was booked; see \"the manual\"';\n"
        ),
        1 => format!(
            "ALTER TABLE {table} ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR', ADD COLUMN reviewed boolean;\nCREATE \
             INDEX {table}_booked ON {table} USING btree (booked_at DESC, account_id) WHERE amount > 0;\n"
        ),
        2 => format!(
            "SET lock_timeout = '2s';\nALTER TABLE {table} ADD CONSTRAINT {table}_note CHECK (note <> '') NOT VALID;\nALTER \
             TABLE {table} VALIDATE CONSTRAINT {table}_note;\n"
        ),
        3 => format!(
            "UPDATE {table} SET reviewed = false WHERE reviewed IS NULL AND booked_at < now() - interval '1 year';\nALTER \
             TABLE {table} ALTER COLUMN note TYPE text, ALTER COLUMN reviewed SET NOT NULL;\n"
        ),
        _ => format!(
            "CREATE OR REPLACE FUNCTION {table}_touch() RETURNS trigger LANGUAGE plpgsql AS $body$\nBEGIN\n    \
             NEW.booked_at := now();\n    RETURN NEW;\nEND;\n$body$;\nCREATE TRIGGER {table}_touch BEFORE UPDATE ON {table} \
             FOR EACH ROW EXECUTE FUNCTION {table}_touch();\nCREATE INDEX CONCURRENTLY {table}_note ON {table} (note);\n"
        ),
    }
}

/// Every file judged, each on the schema that the ones before it left.
#[divan::bench]
fn lint_1000_migrations(bencher: Bencher) {
    let files = history();
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).counter(ItemsCount::new(FILES)).bench(|| {
        let layout = Layout::detect(&files, Path::new("migrations"), false);
        let migrations = layout.migrations(&files, None);
        let new: Vec<&Migration> = migrations.iter().collect();
        lint(&mut Schema::default(), &new, ChangeScope::EachFile, &Settings::default()).len()
    });
}

/// Splitting and parsing alone.
#[divan::bench]
fn parse_1000_migrations(bencher: Bencher) {
    let files = history();
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .counter(ItemsCount::new(FILES))
        .bench(|| Layout::detect(&files, Path::new("migrations"), false).migrations(&files, None).len());
}
