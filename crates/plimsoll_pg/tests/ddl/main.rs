//! The table of DDL kinds: what real servers 15 and 18 do with each is what the table says, and what is recorded of it
//! doesn't depend on whether a script has it or a program sends it.
//!
//! `cargo xtask locks` writes the observations anew, by way of these tests and [`WRITE`].

mod observe;
#[path = "../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "the linter's test and the page of locks read what this one writes")]
mod table;
mod way;

use std::path::Path;

use observe::{Observatory, Seen};
use support::start;
use table::{Kind, read_table, write_observed};
use way::{Form, Way};

/// The variable that makes the tests write what they observe instead of comparing.
const WRITE: &str = "PLIMSOLL_WRITE_OBSERVED";

async fn check(major: u32) {
    let kinds = read_table().expect("the table");
    let known: Vec<&Kind> = kinds.iter().filter(|kind| kind.since <= major).collect();
    let server = Observatory::open(start(major)).await;
    let script = server.observe(&known, Way::Script).await;
    holds_in_the_table(major, &script);
    let forms = match major {
        15 => [Form::Simple, Form::Extended],
        _ => [Form::Extended, Form::Simple],
    };
    let program = server.observe(&known, Way::Program(forms)).await;
    let same = |script: &Seen| {
        let name = script.name.as_str();
        !DIFFERENT.contains(&name) && !MOMENTARY.contains(&name)
    };
    let differences: String = script
        .iter()
        .zip(program)
        .filter(|(script, _)| same(script))
        .map(|(a, b)| difference(a, &b))
        .collect();
    assert!(
        differences.is_empty(),
        "PostgreSQL {major}: a script's record differs from a program's:\n{differences}"
    );
}

/// Kinds that a script's rehearsal doesn't run as a program does: behind a failed statement it goes on.
const DIFFERENT: [&str; 1] = ["failed-transaction-goes-on"];

/// How the record of a kind differs, by lines.
fn difference(script: &Seen, program: &Seen) -> String {
    let lines =
        only(&script.recorded, &program.recorded, "-") + &only(&program.recorded, &script.recorded, "+");
    if lines.is_empty() { lines } else { format!("{}:\n{lines}", script.name) }
}

/// The lines that `b` lacks.
fn only(a: &str, b: &str, sign: &str) -> String {
    let others: Vec<&str> = b.lines().collect();
    a.lines().filter(|line| !others.contains(line)).map(|line| format!("{sign} {line}\n")).collect()
}

/// Kinds whose lock is held for so short a moment that sampling sees it now and then: it exists already, and nothing is done.
const MOMENTARY: [&str; 1] = ["create-index-concurrently-if-not-exists-invalid"];

/// A table without the locks of [`MOMENTARY`] kinds, which stand in the third column.
fn without_moments(table: &str) -> String {
    let line = |line: &str| {
        let mut columns: Vec<&str> = line.split('\t').collect();
        if columns.len() > 2 && MOMENTARY.contains(&columns[0]) {
            columns[2] = "-";
        }
        columns.join("\t") + "\n"
    };
    table.lines().map(line).collect()
}

/// What was seen is what the table says, or is written there.
fn holds_in_the_table(major: u32, seen: &[Seen]) {
    let text = write_observed(major, seen.iter().map(|seen| (seen.name.as_str(), &seen.observed)));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ddl/observed-{major}.tsv"));
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, text).expect("a folder that can be written to");
        return;
    }
    let written = without_moments(&std::fs::read_to_string(&file).expect("the observations"));
    let text = without_moments(&text);
    let difference = only(&written, &text, "-") + &only(&text, &written, "+");
    assert!(
        written == text,
        "PostgreSQL {major} does otherwise than the table says; `cargo xtask locks` writes it anew:\n{difference}"
    );
}

#[tokio::test]
async fn the_table_holds_on_15() {
    check(15).await;
}

#[tokio::test]
async fn the_table_holds_on_18() {
    check(18).await;
}

#[test]
fn every_kind_was_observed() {
    for kind in read_table().expect("the table") {
        for (major, observed) in table::MAJORS.iter().zip(&kind.observed) {
            assert_eq!(observed.is_some(), kind.since <= *major, "{} on {major}", kind.name);
        }
    }
}
