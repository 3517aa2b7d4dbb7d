//! One new migration in a repository with 100 others, the whole program, as a hook runs it before a
//! commit: `cargo bench -p plimsoll --bench staged`. What pre-commit or prek does around it isn't
//! measured.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use divan::Bencher;
use tempfile::TempDir;

const MIGRATIONS: usize = 100;

fn main() {
    divan::main();
}

fn git(folder: &Path, arguments: &[&str]) {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let status = Command::new("git").arg("-C").arg(folder).args(who).args(arguments).status();
    assert!(status.expect("git runs").success(), "git {arguments:?}");
}

/// A migration that makes a table, and changes the one before it.
fn migration(number: usize) -> String {
    let mut text = format!(
        "-- What was booked in ledger {number}.\n\
         CREATE TABLE entry_{number} (\n    \
             id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
             amount numeric(12, 2) NOT NULL DEFAULT 0 CHECK (amount >= 0),\n    \
             note varchar(200),\n    \
             booked_at timestamptz NOT NULL DEFAULT now()\n);\n\
         CREATE INDEX entry_{number}_booked_at ON entry_{number} (booked_at);\n"
    );
    if let Some(before) = number.checked_sub(1) {
        let _ = writeln!(text, "ALTER TABLE entry_{before} ADD COLUMN next_id bigint;");
    }
    text
}

/// A repository with a dangerous migration that is staged.
fn repository() -> TempDir {
    let repository = tempfile::tempdir().expect("a folder is made");
    let folder = repository.path().join("migrations");
    std::fs::create_dir(&folder).expect("a folder is made");
    for number in 0..MIGRATIONS {
        std::fs::write(folder.join(format!("{number:04}_entry.sql")), migration(number))
            .expect("a file is written");
    }
    git(repository.path(), &["init", "--quiet"]);
    git(repository.path(), &["add", "--all"]);
    git(repository.path(), &["commit", "--quiet", "--message", "x"]);
    git(repository.path(), &["gc", "--quiet"]);
    std::fs::write(folder.join("0100_note.sql"), "CREATE INDEX entry_7_note ON entry_7 (note);\n")
        .expect("a file is written");
    git(repository.path(), &["add", "--all"]);
    repository
}

fn bench(bencher: Bencher, arguments: &[&str]) {
    let repository = repository();
    bencher.bench_local(|| {
        let status = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(arguments)
            .current_dir(repository.path())
            .stdout(Stdio::null())
            .status()
            .expect("the program runs");
        assert_eq!(status.code(), Some(1), "plimsoll {arguments:?}");
    });
}

/// From git's index.
#[divan::bench]
fn staged(bencher: Bencher) {
    bench(bencher, &["lint", "--staged"]);
}

/// By its name, as pre-commit and prek call it.
#[divan::bench]
fn named(bencher: Bencher) {
    bench(bencher, &["lint", "migrations/0100_note.sql"]);
}
