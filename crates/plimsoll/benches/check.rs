//! `plimsoll check` of the example without its seed, the whole program as a user runs it:
//! `cargo bench -p plimsoll`. Beside it `plimsoll lint` of the same change, which starts no server.

use std::path::Path;
use std::process::{Command, Stdio};

fn main() {
    divan::main();
}

fn plimsoll(verb: &[&str]) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/harbour");
    let status = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(verb)
        .args(["migrations/0013_billing.sql", "--fail-on", "never"])
        .current_dir(example)
        .stdout(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(status.success(), "plimsoll {verb:?}: {status}");
}

#[divan::bench(sample_count = 10)]
fn check_without_seed() {
    plimsoll(&["check", "--no-seed"]);
}

#[divan::bench(sample_count = 50)]
fn lint() {
    plimsoll(&["lint"]);
}
