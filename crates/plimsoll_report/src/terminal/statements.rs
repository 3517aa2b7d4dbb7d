//! What the rehearsed statements did: a line each, and below it the locks that block somebody
//! and the work.
//!
//! Locks that block nobody are left to the other formats: a reader looks for what hurts.

use plimsoll_core::lock::Blocks;
use plimsoll_core::units::{duration_ms, plural};
use plimsoll_core::{Rehearsal, StatementRecord};

use super::Layout;
use super::paint::Tone;
use super::wrap::wrapped;
use crate::neutral::{clipped, one_line};
use crate::{further, words};

/// Runs of at least this many statements that a reader can skip are one line.
const FOLDED_RUN: usize = 3;
/// Less write-ahead log than this tells a reader nothing, in bytes.
const TELLING_WAL: u64 = 64 * 1024;
/// Columns before a statement's text: line number, duration and gaps.
const MARGIN: usize = 18;

/// The table, if a statement ran.
pub(super) fn part(rehearsal: &Rehearsal, layout: Layout) -> Option<String> {
    if rehearsal.statements.is_empty() {
        return None;
    }
    let title = format!("Rehearsed on {}", one_line(&words::server(rehearsal)));
    let mut text = layout.paint.tone(Tone::Strong, &title) + "\n";
    if !rehearsal.seeded {
        text.push_str("without rows: locks and rewrites hold, durations mean little\n");
    }
    let same_group =
        |a: &StatementRecord, b: &StatementRecord| a.file == b.file && group_of(a) == group_of(b);
    let mut file = "";
    for group in rehearsal.statements.chunk_by(same_group) {
        let [head, ..] = group else { continue };
        if file != head.file {
            file = &head.file;
            text.push_str(&format!("\n  {}\n", one_line(file)));
        }
        if head.in_transaction {
            let note = format!("one transaction, {}; its locks are held to its end", lasting(group));
            text.push_str(&format!("  {:>5}  ╭ {}\n", "", layout.paint.tone(Tone::Faint, &note)));
        }
        statements(&mut text, rehearsal, group, layout);
    }
    Some(text)
}

/// Statements of one transaction belong together; those that run alone do too.
fn group_of(record: &StatementRecord) -> Option<usize> {
    record.in_transaction.then_some(record.transaction)
}

fn lasting(group: &[StatementRecord]) -> String {
    let start = group.iter().map(|record| record.started_ms).fold(f64::INFINITY, f64::min);
    let end = group.iter().map(|record| record.started_ms + record.duration_ms).fold(start, f64::max);
    duration_ms(end - start)
}

fn statements(text: &mut String, rehearsal: &Rehearsal, group: &[StatementRecord], layout: Layout) {
    for run in group.chunk_by(|a, b| words::is_quiet(a) && words::is_quiet(b)) {
        if let [first, .., last] = run
            && run.len() >= FOLDED_RUN
        {
            let time: f64 = run.iter().map(|record| record.duration_ms).sum();
            let label =
                format!("to line {}: {} that block nobody", last.line, plural(run.len(), "statement"));
            text.push_str(&row(first, &duration_ms(time), &layout.paint.tone(Tone::Faint, &label)));
            continue;
        }
        for record in run {
            statement(text, rehearsal, record, layout);
        }
    }
}

fn statement(text: &mut String, rehearsal: &Rehearsal, record: &StatementRecord, layout: Layout) {
    let sql = clipped(&record.sql, layout.width.saturating_sub(MARGIN + 2).max(20));
    text.push_str(&row(record, &duration_ms(record.duration_ms), &sql));
    for (tone, fact) in facts(rehearsal, record) {
        let lines = wrapped(&one_line(&fact), layout.width.saturating_sub(MARGIN + 4).max(20), 0);
        for (number, line) in lines.lines().enumerate() {
            let sign = if number == 0 { "→ " } else { "  " };
            let line = tone.map_or_else(|| line.to_owned(), |tone| layout.paint.tone(tone, line));
            text.push_str(&format!("  {:>5}  {} {:>9}  {sign}{line}\n", "", rail(record), ""));
        }
    }
}

fn row(record: &StatementRecord, time: &str, sql: &str) -> String {
    format!("  {:>5}  {} {time:>9}  {sql}\n", record.line, rail(record))
}

/// The line that joins the statements of a transaction.
const fn rail(record: &StatementRecord) -> &'static str {
    if record.in_transaction { "│" } else { " " }
}

fn facts(rehearsal: &Rehearsal, record: &StatementRecord) -> Vec<(Option<Tone>, String)> {
    let mut facts = Vec::new();
    if let Some(error) = &record.error {
        facts.push((Some(Tone::Error), format!("failed, {}: {}", error.sqlstate, error.message)));
        facts.extend(error.detail.iter().map(|detail| (None, format!("detail: {detail}"))));
        facts.extend(error.hint.iter().map(|hint| (None, format!("hint: {hint}"))));
    }
    for lock in record.blocking_locks() {
        let blocks = lock.mode.blocks();
        let tone = if blocks == Blocks::ReadsAndWrites { Tone::Error } else { Tone::Warning };
        let held = further::held(rehearsal, record, lock);
        facts.push((Some(tone), format!("{}: {}{held}", words::lock(lock), blocks.phrase())));
    }
    let mut work = words::work(rehearsal, record);
    if !work.is_empty() {
        if record.wal_bytes >= TELLING_WAL {
            work.push(format!("wrote {}", words::wal(record)));
        }
        facts.push((None, work.join(", ")));
    }
    facts
}
