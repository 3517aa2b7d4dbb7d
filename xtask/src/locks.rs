//! The page of locks, from the table of DDL kinds, and the table's making.

#[path = "../../crates/plimsoll_pg/tests/ddl/table.rs"]
#[expect(dead_code, reason = "the tests write what this reads")]
mod table;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, ensure};
use plimsoll_core::units::plural;
use plimsoll_core::{LockMode, Work};
use table::{Kind, MAJORS, Observed};

/// More relations aren't listed.
const MOST_LISTED: usize = 7;

const INTRODUCTION: &str = "\
# Locks by statement

What PostgreSQL 15 and 18 were seen to do, read from `pg_locks`, `pg_class` and the statistics views while each statement
ran: nothing here is from memory or from the manual. A test runs every statement again on both. Where one cell begins with
a version, the versions differ.

- **Locks**: modes from SHARE UPDATE EXCLUSIVE on, on tables and views that existed before. \"index\" tells of indexes that
  are locked more strongly than their table: ACCESS EXCLUSIVE on an index keeps every query on the table from being planned.
- **Work**: what takes the longer the bigger the relation is; **bold** where a lock on the relation keeps its readers or
  writers out meanwhile. A foreign key's check reads the referenced table in full or by its index, as the planner likes.
- **fails**: with this SQLSTATE, and takes no effect.
- Of several statements the last one counts, with all that its transaction holds; earlier ones outside BEGIN are committed.
- Left out: weaker locks; sequences and types; indexes of statements that can't run in a transaction block, whose locks are
  seen by luck.

The statements run on [this schema](../crates/plimsoll_pg/tests/ddl/schema.sql): `visits`, `tides` (with a default
partition), `cargo` (without), `logs` and `voyages` are partitioned, `tugs` inherits from `vessels`.
";

/// The page, from the table as it is on disk when this program is built.
pub(crate) fn page() -> Result<String> {
    let kinds = table::read_table().map_err(|error| anyhow!("failed to read the table of kinds: {error}"))?;
    let mut text = INTRODUCTION.to_owned();
    let mut section = "";
    for kind in &kinds {
        if kind.section != section {
            section = &kind.section;
            text.push_str(&format!("\n## {section}\n\n| statement | locks | work |\n|---|---|---|\n"));
        }
        text.push_str(&row(kind));
    }
    Ok(text)
}

/// Runs every kind on real servers and writes what they do into the table. The page is made by the program that is built
/// with it.
pub(crate) fn observe(root: &Path) -> Result<()> {
    let observing = ["test", "--locked", "--package", "plimsoll_pg", "--test", "ddl", "the_table_holds"];
    for (arguments, what) in [(&observing[..], "observe"), (&["xtask", "docs"], "write the page")] {
        let status = Command::new(env!("CARGO"))
            .args(arguments)
            .env("PLIMSOLL_WRITE_OBSERVED", "1")
            .current_dir(root)
            .status()
            .with_context(|| format!("run cargo to {what}"))?;
        ensure!(status.success(), "failed to {what}: cargo {arguments:?} ended with {status}");
    }
    Ok(())
}

fn row(kind: &Kind) -> String {
    let since = if kind.since > MAJORS[0] { format!(" (since {})", kind.since) } else { String::new() };
    let lines: Vec<String> = kind.sql.lines().map(|line| format!("`{}`", line.replace('|', "\\|"))).collect();
    let cells = [locks as fn(&Observed) -> String, works].map(|cell| by_version(kind, cell));
    format!("| {}{since} | {} | {} |\n", lines.join("<br>"), cells[0], cells[1])
}

/// A cell, told apart by version where they differ.
fn by_version(kind: &Kind, cell: impl Fn(&Observed) -> String) -> String {
    let cells: Vec<(u32, String)> = MAJORS
        .iter()
        .zip(&kind.observed)
        .filter_map(|(major, observed)| Some((*major, cell(observed.as_ref()?))))
        .collect();
    match &cells[..] {
        [(_, only)] => only.clone(),
        [(_, first), (_, second)] if first == second => first.clone(),
        cells => {
            let told: Vec<String> = cells
                .iter()
                .map(|(major, cell)| format!("{major}: {}", if cell.is_empty() { "none" } else { cell }))
                .collect();
            told.join("<br>")
        }
    }
}

fn locks(observed: &Observed) -> String {
    if let Some(sqlstate) = &observed.sqlstate {
        return format!("fails ({sqlstate})");
    }
    let tables = by_mode(&observed.locks, "");
    let indexes = by_mode(&observed.index_locks, "index ");
    tables.into_iter().chain(indexes).collect::<Vec<_>>().join("<br>")
}

/// `ACCESS EXCLUSIVE: a, b`, the strongest mode first.
fn by_mode(locks: &[(String, LockMode)], kind: &str) -> Vec<String> {
    let listed = LockMode::ALL.into_iter().rev().filter_map(|mode| {
        let relations: Vec<&str> =
            locks.iter().filter(|(_, other)| *other == mode).map(|(relation, _)| relation.as_str()).collect();
        (!relations.is_empty()).then(|| format!("{}: {kind}{}", mode.sql(), list(&relations)))
    });
    listed.collect()
}

fn works(observed: &Observed) -> String {
    let hazards = observed.hazards();
    let mut told = Vec::new();
    for work in [Work::Rewrite, Work::Scan, Work::IndexBuild] {
        for blocks in [true, false] {
            let is_told = |relation: &str| {
                hazards.iter().any(|(other, _, hazard)| *other == relation && *hazard == work) == blocks
            };
            let relations: Vec<&str> = observed
                .works
                .iter()
                .filter(|(relation, other)| *other == work && is_told(relation))
                .map(|(relation, _)| relation.as_str())
                .collect();
            if !relations.is_empty() {
                let mark = if blocks { "**" } else { "" };
                told.push(format!("{mark}{} {}{mark}", work.verb(), list(&relations)));
            }
        }
    }
    told.join("<br>")
}

fn list(relations: &[&str]) -> String {
    let short: Vec<&str> = relations
        .iter()
        .take(MOST_LISTED)
        .map(|relation| relation.strip_prefix("public.").unwrap_or(relation))
        .collect();
    let mut text = short.join(", ");
    if relations.len() > MOST_LISTED {
        text.push_str(&format!(" and {}", plural(relations.len() - MOST_LISTED, "other")));
    }
    text
}
