//! The table of DDL kinds: what real servers 15 and 18 do with each is what the table says.
//!
//! `cargo xtask locks` writes the observations anew, by way of these tests and [`WRITE`].

mod observe;
#[path = "../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "the linter's test and the page of locks read what this one writes")]
mod table;

use std::path::Path;

use observe::observe;
use support::start;
use table::{read_table, write_observed};

/// The variable that makes the tests write what they observe instead of comparing.
const WRITE: &str = "PLIMSOLL_WRITE_OBSERVED";

async fn check(major: u32) {
    let kinds = read_table().expect("the table");
    let server = start(major);
    let observed = observe(&server, major, &kinds).await;
    let text = write_observed(major, observed.iter().map(|(name, observed)| (name.as_str(), observed)));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ddl/observed-{major}.tsv"));
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, text).expect("a folder that can be written to");
        return;
    }
    let written = std::fs::read_to_string(&file).expect("the observations");
    let only = |a: &str, b: &str, sign: &str| -> String {
        let others: Vec<&str> = b.lines().collect();
        a.lines().filter(|line| !others.contains(line)).map(|line| format!("{sign} {line}\n")).collect()
    };
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
