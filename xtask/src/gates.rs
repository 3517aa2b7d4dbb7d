//! Instruction counts of the program's daily work, held against what they were: unlike times they
//! repeat on a busy machine. Counted by callgrind on the unoptimised build, which every run of the
//! suite has at hand.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// Where the counts are kept.
const COUNTS: &str = "xtask/gates.tsv";

/// Growth beyond which a count fails the gate, in per cent.
const TOLERANCE: u64 = 5;

/// Files of the history that is linted.
const FILES: usize = 200;

/// Counts, and compares with what is kept; or keeps the new counts.
///
/// # Errors
/// When valgrind is missing, the program fails, or a count has grown.
pub(crate) fn run(root: &Path, keeps: bool) -> Result<String> {
    ensure!(
        Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success()),
        "count instructions: there is no valgrind; install it (Debian: apt-get install valgrind)"
    );
    let program = build(root)?;
    let folder = tempfile::tempdir().context("make a folder")?;
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations)?;
    for number in 0..FILES {
        std::fs::write(migrations.join(format!("{number:04}_step.sql")), text(number))?;
    }
    let last = format!("migrations/{:04}_step.sql", FILES - 1);
    let cases: [(&str, &[&str]); 2] = [
        ("lint of 200 migrations, each its own change", &["lint", "--all"]),
        ("lint of the newest of 200 migrations", &["lint", &last]),
    ];
    let mut counts = Vec::new();
    for (name, arguments) in cases {
        counts.push((name, count(&program, folder.path(), arguments)?));
    }
    let path = root.join(COUNTS);
    if keeps {
        let lines: Vec<String> = counts.iter().map(|(name, count)| format!("{name}\t{count}\n")).collect();
        std::fs::write(&path, lines.concat()).with_context(|| format!("write {COUNTS}"))?;
    }
    let kept = std::fs::read_to_string(&path).with_context(|| format!("read {COUNTS}"))?;
    compare(&kept, &counts)
}

/// Builds the program and tells where it lies.
fn build(root: &Path) -> Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--package", "plimsoll", "--message-format=json-render-diagnostics"])
        .current_dir(root)
        .output()
        .context("run cargo")?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "build the program: {}", String::from_utf8_lossy(&output.stderr));
    let path =
        told.lines().rev().find_map(|line| Some(line.split_once("\"executable\":\"")?.1.split_once('"')?.0));
    path.map(PathBuf::from).context("cargo doesn't tell where the program lies")
}

fn compare(kept: &str, counts: &[(&str, u64)]) -> Result<String> {
    let mut report = String::new();
    let mut grown = false;
    for (name, count) in counts {
        let before = kept
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .find(|(known, _)| known == name)
            .and_then(|(_, count)| count.parse::<u64>().ok())
            .with_context(|| format!("{COUNTS} has no count of `{name}`: run `cargo xtask gates --keep`"))?;
        let fails = *count > before + before * TOLERANCE / 100;
        grown |= fails;
        let change = (*count as f64 / before as f64 - 1.0) * 100.0;
        let word = if fails { "GROWN" } else { "ok" };
        let _ = writeln!(report, "{name}: {count} instructions, {change:+.1} %: {word}");
    }
    if grown {
        bail!(
            "{report}a count has grown by more than {TOLERANCE} %: mend it, or keep it with `cargo xtask gates --keep`"
        );
    }
    Ok(report)
}

fn count(program: &Path, folder: &Path, arguments: &[&str]) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .args(["--format", "short", "--fail-on", "never"])
        .current_dir(folder)
        .output()
        .context("run valgrind")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "count the instructions of plimsoll {}: {told}", arguments.join(" "));
    let count = told.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    count.and_then(|count| count.parse().ok()).with_context(|| format!("valgrind tells no count: {told}"))
}

/// A believable step: a table, columns and an index, a check, a backfill, a function.
fn text(number: usize) -> String {
    let table = format!("ledger_{}", number / 5);
    match number % 5 {
        0 => format!(
            "create table {table} (id bigint generated always as identity primary key, account_id bigint not null, amount \
             numeric(12, 2) not null default 0, note varchar(200), booked_at timestamptz not null default now());\n"
        ),
        1 => format!(
            "alter table {table} add column currency text, add column reviewed boolean;\ncreate index {table}_booked on \
             {table} (booked_at desc, account_id) where amount > 0;\n"
        ),
        2 => format!("alter table {table} add constraint {table}_note check (note <> '') not valid;\n"),
        3 => format!(
            "update {table} set reviewed = false where reviewed is null;\nalter table {table} alter column note type text, \
             alter column reviewed set not null;\n"
        ),
        _ => format!(
            "create function {table}_touch() returns trigger language plpgsql as $$ begin new.booked_at := now(); return new; \
             end $$;\ncreate trigger {table}_touch before update on {table} for each row execute function {table}_touch();\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_beyond_the_tolerance_fails() {
        assert!(compare("a\t1000\n", &[("a", 1_050)]).is_ok());
        assert!(compare("a\t1000\n", &[("a", 1_051)]).is_err());
        assert!(compare("", &[("a", 1)]).is_err());
    }
}
