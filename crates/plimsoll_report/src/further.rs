//! The facts of a statement beyond its locks, rewrites, scans and builds, in words; and for how long its locks are held.
//!
//! Deliberately absent: markup and escaping; every phrase may hold hostile text.

use plimsoll_core::facts::{RowsWritten, SequenceMove, TriggersFired};
use plimsoll_core::hold;
use plimsoll_core::lock::Blocks;
use plimsoll_core::units::{bytes, count, duration_ms, plural};
use plimsoll_core::{HeldLock, Rehearsal, StatementRecord};

/// Triggers of one function that are named.
const NAMED_TRIGGERS: usize = 3;

/// A phrase a fact: `emptied public.ships`.
pub(crate) fn work(rehearsal: &Rehearsal, record: &StatementRecord) -> Vec<String> {
    let facts = &record.further;
    let mut work: Vec<String> = Vec::new();
    work.extend(facts.truncated.iter().map(|relation| format!("emptied {relation}")));
    work.extend(facts.refreshed.iter().map(|relation| format!("refreshed {relation}")));
    work.extend(facts.toast_rewrites.iter().map(|relation| format!("rewrote the TOAST table of {relation}")));
    work.extend(
        facts
            .validated_foreign_keys
            .iter()
            .map(|key| format!("looked up every row of {} for foreign key {}", key.relation, key.constraint)),
    );
    if rehearsal.seeded {
        work.extend(facts.rows_written.iter().map(written));
    }
    work.extend(facts.triggers.iter().map(fired));
    work.extend(facts.sequences.iter().map(moved));
    work.extend(facts.temp_files.iter().map(|temporary| {
        let files = usize::try_from(temporary.files).unwrap_or(usize::MAX);
        format!("spilled {} to {}", bytes(temporary.bytes), plural(files, "temporary file"))
    }));
    work
}

/// ` for 1.55 s, to the end of its transaction`: what follows on whom a lock blocks; nothing without rows, where times mean
/// nothing.
pub(crate) fn held(rehearsal: &Rehearsal, record: &StatementRecord, lock: &HeldLock) -> String {
    if !rehearsal.seeded || lock.mode.blocks() == Blocks::Nothing {
        return String::new();
    }
    let (start_ms, end_ms) = hold::held(rehearsal, record, lock);
    let outlives = end_ms > record.started_ms + record.duration_ms + 0.001;
    let to_the_end = if outlives { ", to the end of its transaction" } else { "" };
    format!(" for {}{to_the_end}", duration_ms(end_ms - start_ms))
}

/// `waited for IO:DataFileRead in 12 of 40 looks`, most frequent first; none if it was never looked at.
pub(crate) fn waits(record: &StatementRecord) -> Vec<String> {
    let waits = &record.further.waits;
    let all: u64 = waits.iter().map(|wait| wait.samples).sum();
    let phrase = |wait: &plimsoll_core::facts::WaitEvent| {
        let what = match wait.event.as_str() {
            "CPU" => "worked".to_owned(),
            event => format!("waited for {event}"),
        };
        format!("{what} in {} of {} looks", count(wait.samples), count(all))
    };
    waits.iter().map(phrase).collect()
}

fn written(rows: &RowsWritten) -> String {
    let parts = [("inserted", rows.inserted), ("updated", rows.updated), ("deleted", rows.deleted)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(verb, rows)| format!("{verb} {}", count(rows)))
        .collect();
    format!("{} rows of {}", parts.join(", "), rows.relation)
}

fn fired(fired: &TriggersFired) -> String {
    let named = fired.triggers.iter().take(NAMED_TRIGGERS).cloned().collect::<Vec<_>>().join(", ");
    let more = match fired.triggers.len().saturating_sub(NAMED_TRIGGERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let calls = plural(usize::try_from(fired.calls).unwrap_or(usize::MAX), "time");
    format!("ran trigger function {} {calls} ({named}{more})", fired.function)
}

fn moved(moved: &SequenceMove) -> String {
    let value = |value: Option<i64>| value.map_or_else(|| "its start".to_owned(), |value| value.to_string());
    format!("moved sequence {} from {} to {}", moved.sequence, value(moved.from), value(moved.to))
}
