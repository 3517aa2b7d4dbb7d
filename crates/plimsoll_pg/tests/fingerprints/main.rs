//! Fingerprints against the query identifiers of PostgreSQL 15 and 18, on PostgreSQL's own regression queries: two
//! statements have one fingerprint if and only if `pg_stat_statements` counts them as one, save for the differences that
//! `differences.rs` lists by reason.
//!
//! `cargo test -p plimsoll_pg --test fingerprints -- --nocapture` prints what was counted.

#![expect(clippy::print_stderr, reason = "the numbers in docs/logs.md are these")]

mod corpus;
mod differences;
mod observe;
mod session;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "this test's server has settings of its own")]
mod support;
mod variants;

use std::collections::BTreeMap;

use differences::{MERGED, Reason, SPLIT, why_merged, why_split};
use observe::{Difference, Observer, Seen};

const SETTINGS: [(&str, &str); 6] = [
    ("shared_preload_libraries", "pg_stat_statements"),
    ("compute_query_id", "on"),
    ("pg_stat_statements.max", "100000"),
    ("pg_stat_statements.track", "all"),
    ("max_prepared_transactions", "2"),
    ("restart_after_crash", "on"),
];

fn check(major: u32) {
    let server = support::start_with(major, &SETTINGS);
    let socket = server.socket();
    let mut observer = Observer::open(&socket);
    for script in corpus::scripts() {
        observer.renew();
        script.iter().for_each(|statement| observer.take(statement));
    }
    let counted = observer.counted();
    let seen = &observer.seen;
    let uncounted = seen.ran.keys().filter(|identifier| !counted.contains_key(identifier)).count();
    eprintln!(
        "PostgreSQL {major}: {} statements and {} rewritten ones, {} pairs, {} fingerprints, {} identifiers, {} of them ran and {uncounted} aren't in pg_stat_statements",
        seen.statements,
        seen.variants,
        seen.pairs,
        seen.fingerprints.len(),
        seen.identifiers.len(),
        seen.ran.len(),
    );
    assert!(seen.statements > 8000 && seen.pairs > 8000, "{} statements", seen.statements);
    // What prepares and executes statements isn't there.
    assert!(uncounted * 50 < seen.ran.len(), "{uncounted} identifiers aren't in pg_stat_statements");
    holds(major, seen);
}

/// Whether no reason has more pairs than are written down.
fn holds(major: u32, seen: &Seen) {
    let mut broken = String::new();
    for (what, differences, reasons, why) in [
        ("merged", &seen.merges, &MERGED[..], why_merged as fn(&Difference) -> &'static str),
        ("split", &seen.splits, &SPLIT[..], why_split),
    ] {
        let mut found: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
        for difference in differences {
            found.entry(why(difference)).or_default().push(difference);
        }
        for (reason, on_15, on_18) in reasons {
            let allowed = if major == 15 { *on_15 } else { *on_18 };
            let pairs = found.remove(reason).unwrap_or_default();
            eprintln!("PostgreSQL {major}: {what}, {reason}: {}", pairs.len());
            if pairs.len() > allowed {
                broken += &format!(
                    "{what}, {reason}: {} pairs, {allowed} allowed; the last of them:\n",
                    pairs.len()
                );
                pairs
                    .iter()
                    .rev()
                    .take(20)
                    .for_each(|pair| broken += &format!("{}\n  {}\n", pair.one, pair.other));
            }
        }
    }
    assert!(broken.is_empty(), "PostgreSQL {major} disagrees with fingerprints where it didn't:\n{broken}");
}

#[test]
fn fingerprints_are_as_on_15() {
    check(15);
}

#[test]
fn fingerprints_are_as_on_18() {
    check(18);
}

#[test]
fn every_reason_is_listed_once() {
    let names =
        |reasons: &[Reason]| reasons.iter().map(|(name, ..)| *name).collect::<std::collections::HashSet<_>>();
    assert_eq!((names(&MERGED).len(), names(&SPLIT).len()), (MERGED.len(), SPLIT.len()));
}
