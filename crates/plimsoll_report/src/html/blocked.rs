//! Who would wait for the change's locks, and how long that would be at production's sizes.

use maud::{Markup, html};
use plimsoll_core::Rehearsal;
use plimsoll_core::blocked::BlockedReport;
use plimsoll_core::scale::ScaleReport;
use plimsoll_core::units::duration_ms;

use super::shown;
use crate::traffic;

/// The prediction.
pub(super) fn section(rehearsal: &Rehearsal, report: &BlockedReport) -> Markup {
    html! {
        section aria-labelledby="blocked" {
            h2 id="blocked" { "Who would wait" }
            p class="lead" { (traffic::prediction(rehearsal, report)) }
            @if !report.locks.is_empty() { (locks(rehearsal, report)) }
            (workload(report))
        }
    }
}

fn locks(rehearsal: &Rehearsal, report: &BlockedReport) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="group" aria-label="Table of locks that are waited for" {
            table {
                caption { "Locks of the change and the requests that wait for them" }
                thead { tr {
                    th scope="col" { "Taken at" } th scope="col" { "Lock" } th scope="col" class="number" { "Held for" }
                    th scope="col" { "Who waits" } th scope="col" class="number" { "Requests" }
                    th scope="col" class="number" { "Mean wait" } th scope="col" class="number" { "Longest wait" }
                } }
                tbody { @for queue in &report.locks { @for queued in &queue.queued { tr {
                    td { a href={ "#statement-" (queue.statement) } { (shown(&traffic::place(rehearsal, queue.statement))) } }
                    td { code { (queue.mode.pg_locks()) } " on " code { (shown(&queue.relation)) } }
                    td class="number" { (time(rehearsal, queue.held_ms)) }
                    th scope="row" { (shown(&queued.name)) }
                    td class="number" { @if rehearsal.seeded { (traffic::requests(queued.requests)) } @else { "–" } }
                    td class="number" { (time(rehearsal, queued.mean_wait_ms)) }
                    td class="number" { (time(rehearsal, queued.longest_wait_ms)) }
                } } } }
            }
        }
    }
}

fn time(rehearsal: &Rehearsal, milliseconds: f64) -> String {
    if rehearsal.seeded { duration_ms(milliseconds) } else { "–".to_owned() }
}

/// The workload with the locks that its statements were seen to take.
fn workload(report: &BlockedReport) -> Markup {
    html! {
        details class="as-table" {
            summary { "What the workload locks, as it was seen" }
            div class="scroll" tabindex="0" role="group" aria-label="Table of the workload" {
                table {
                    caption { "Statements of the workload" }
                    thead { tr {
                        th scope="col" { "Statement" } th scope="col" class="number" { "Rate" }
                        th scope="col" class="number" { "Takes" } th scope="col" { "Locks" }
                    } }
                    tbody { @for traffic in &report.workload { tr {
                        th scope="row" { (shown(&traffic.name)) }
                        td class="number" { (traffic::rate(traffic.rate_per_s)) }
                        td class="number" { (duration_ms(traffic.usual_ms)) }
                        td { @for lock in &traffic.locks {
                            code { (lock.mode.pg_locks()) } " on " code { (shown(&lock.relation)) } br;
                        } }
                    } } }
                }
            }
        }
    }
}

/// The change at production's sizes.
pub(super) fn scale(rehearsal: &Rehearsal, report: &ScaleReport) -> Markup {
    html! {
        section aria-labelledby="scale" {
            h2 id="scale" { "At production’s sizes" }
            p class="lead" { code { (report.formula) } ", sizes from " (shown(&report.source)) "." }
            ul class="reasons" { @for relation in &report.relations { li { (shown(&traffic::relation(relation))) } } }
            @if !report.statements.is_empty() {
                h4 { "Statements" }
                ul class="reasons" { @for statement in &report.statements { li {
                    a href={ "#statement-" (statement.statement) } {
                        (shown(&traffic::place(rehearsal, statement.statement)))
                    }
                    ": " (shown(&traffic::statement(statement)))
                } } }
            }
            @if !report.holds.is_empty() {
                h4 { "Locks" }
                ul class="reasons" { @for hold in &report.holds { li { (shown(&traffic::hold(hold))) } } }
            }
            @if !report.queued.is_empty() {
                h4 { "Requests" }
                ul class="reasons" { @for queue in traffic::scaled_queues(report) { li { (shown(&queue)) } } }
            }
        }
    }
}
