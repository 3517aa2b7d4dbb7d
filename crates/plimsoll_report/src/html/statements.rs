//! What each rehearsed statement did. Those that a reader can skip are folded.

use maud::{Markup, html};
use plimsoll_core::lock::Blocks;
use plimsoll_core::rehearsal::StatementError;
use plimsoll_core::units::{bytes, duration_ms, plural};
use plimsoll_core::{Rehearsal, StatementRecord};

use super::shown;
use crate::neutral::clipped;
use crate::{further, words};

/// Characters of a statement in its folded line.
const LINE_CHARACTERS: usize = 160;
/// Characters of a statement that are shown at most; longer ones are data, not logic.
const SQL_CHARACTERS: usize = 20_000;
/// With more statements than this even those with facts start folded.
const UNFOLDED: usize = 40;

/// The section.
pub(super) fn section(rehearsal: &Rehearsal) -> Markup {
    let numbered: Vec<(usize, &StatementRecord)> = rehearsal.statements.iter().enumerate().collect();
    let together = |a: &(usize, &StatementRecord), b: &(usize, &StatementRecord)| {
        a.1.in_transaction && b.1.in_transaction && a.1.transaction == b.1.transaction
    };
    html! {
        section aria-labelledby="statements" {
            h2 id="statements" { "Statements" }
            @if !rehearsal.seeded {
                p class="lead" { "Rehearsed without rows: locks, rewrites and scans hold; durations mean little." }
            }
            @for in_file in numbered.chunk_by(|a, b| a.1.file == b.1.file) {
                @if let [(_, first), ..] = in_file { h3 class="file" { (shown(&first.file)) } }
                @for group in in_file.chunk_by(together) { (transaction(rehearsal, group)) }
            }
        }
    }
}

fn transaction(rehearsal: &Rehearsal, group: &[(usize, &StatementRecord)]) -> Markup {
    let statements = html! { @for (number, record) in group { (statement(rehearsal, *number, record)) } };
    match group {
        [(_, first), .., (_, last)] => {
            let lasting = last.started_ms + last.duration_ms - first.started_ms;
            html! {
                div class="transaction" {
                    p class="transaction-title" { "One transaction, " (duration_ms(lasting.max(0.0))) }
                    (statements)
                }
            }
        }
        _ => statements,
    }
}

fn statement(rehearsal: &Rehearsal, number: usize, record: &StatementRecord) -> Markup {
    let unfolded =
        record.error.is_some() || rehearsal.statements.len() <= UNFOLDED && !words::is_quiet(record);
    html! {
        details class="statement" id={ "statement-" (number) } open[unfolded] {
            summary {
                span class="line" { (record.line) }
                code class="text" { (clipped(&record.sql, LINE_CHARACTERS)) }
                span class="chips" { (chips(record)) }
                span class="time" { (duration_ms(record.duration_ms)) }
            }
            div class="body" {
                @if record.sql.trim().contains('\n') || record.sql.len() > LINE_CHARACTERS {
                    pre class="sql" tabindex="0" { code { (shown(&cut(&record.sql))) } }
                }
                @if let Some(error) = &record.error { (refusal(error)) }
                (facts(rehearsal, record))
            }
        }
    }
}

fn cut(sql: &str) -> String {
    let cut: String = sql.chars().take(SQL_CHARACTERS).collect();
    if cut.len() < sql.len() { cut + "\n…" } else { cut }
}

/// The few words that a folded statement needs.
fn chips(record: &StatementRecord) -> Markup {
    let worst = record.blocking_locks().into_iter().map(|lock| lock.mode.blocks()).max();
    html! {
        @if record.error.is_some() { span class="badge error" { "failed" } " " }
        @match worst {
            Some(Blocks::ReadsAndWrites) => span class="badge error" { "blocks reads + writes" },
            Some(Blocks::Writes) => span class="badge warning" { "blocks writes" },
            Some(Blocks::Nothing) | None => {},
        }
        @if !record.rewrites.is_empty() { " " span class="badge plain" { "rewrite" } }
        @if !record.scans.is_empty() { " " span class="badge plain" { "full scan" } }
        @if record.index_builds.iter().any(|build| build.existing) {
            " " span class="badge plain" { "index build" }
        }
    }
}

fn refusal(error: &StatementError) -> Markup {
    html! {
        p class="refusal" {
            strong { "The server refused it" } " (" code { (shown(&error.sqlstate)) } ", line " (error.line) "): "
            (shown(&error.message))
        }
        @if let Some(detail) = &error.detail { p class="more" { "Detail: " (shown(detail)) } }
        @if let Some(hint) = &error.hint { p class="more" { "Hint: " (shown(hint)) } }
    }
}

fn facts(rehearsal: &Rehearsal, record: &StatementRecord) -> Markup {
    let locks = record.strongest_locks();
    let work = words::work(rehearsal, record);
    let waits = further::waits(record);
    let catalog_rows = usize::try_from(record.further.catalog_rows).unwrap_or(usize::MAX);
    html! {
        dl class="facts" {
            @if !locks.is_empty() {
                dt { "Locks" }
                dd { ul { @for lock in locks {
                    li {
                        code { (lock.mode.pg_locks()) } " on " code { (shown(&lock.relation)) }
                        @if let Some(parent) = &lock.partition_of { " (partition of " code { (shown(parent)) } ")" }
                        @if lock.existing { ", " (lock.mode.blocks().phrase()) (further::held(rehearsal, record, lock)) }
                        @else { ", made by this change" }
                    }
                } } }
            }
            @if !work.is_empty() {
                dt { "Work" }
                dd { ul { @for work in work { li { (shown(&work)) } } } }
            } @else if record.further.catalog_only {
                dt { "Work" }
                dd { "the catalog alone: " (plural(catalog_rows, "row")) " of it" }
            }
            @if !waits.is_empty() {
                dt { "Waits" }
                dd { ul { @for wait in waits { li { (shown(&wait)) } } } }
            }
            @if !record.further.server_messages.is_empty() {
                dt { "Server" }
                dd { ul { @for said in &record.further.server_messages {
                    li { (shown(&said.severity)) ": " (shown(&said.message)) }
                } } }
            }
            dt { "Time" }
            dd { (duration_ms(record.duration_ms)) ", started at " (duration_ms(record.started_ms)) }
            dt { "WAL" }
            dd { (bytes(record.wal_bytes)) }
        }
    }
}
