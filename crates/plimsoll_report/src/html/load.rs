//! What the requests felt while the change ran among them: numbers in a table, and a drawing with a strip a statement.

use maud::{Markup, html};
use plimsoll_core::load::{LoadRun, LoadedStatement, Phase};
use plimsoll_core::units::duration_ms;

use super::shown;
use crate::traffic;

/// Statements that get a strip: those that waited longest.
const STRIPS: usize = 12;
/// Heights in pixels.
const AXIS: usize = 26;
const TITLE: usize = 20;
const STRIP: usize = 44;
const GAP: usize = 12;
/// Latencies below this are drawn as nothing, in milliseconds.
const LEAST_MS: f64 = 0.1;

/// All runs.
pub(super) fn section(runs: &[LoadRun]) -> Markup {
    html! {
        section aria-labelledby="load" {
            h2 id="load" { "The change among requests" }
            p class="lead" {
                "Requests arrive with their rates whatever became of earlier ones; each counts from when it was due."
            }
            @for run in runs { (article(run)) }
        }
    }
}

fn article(run: &LoadRun) -> Markup {
    html! {
        div class="load-run" {
            h3 class="file" { (traffic::conditions(run)) }
            p { (shown(&traffic::change(run))) " " (traffic::connections(run)) }
            (drawing(run))
            (table(run))
        }
    }
}

fn table(run: &LoadRun) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="group" aria-label="Table of latencies" {
            table {
                caption { "Latencies before, during and after the change" }
                thead { tr {
                    th scope="col" { "Statement" } th scope="col" { "When" } th scope="col" class="number" { "Requests" }
                    th scope="col" class="number" { "p50" } th scope="col" class="number" { "p99" }
                    th scope="col" class="number" { "max" } th scope="col" { "Failures" }
                    th scope="col" { "Waited, predicted" } th scope="col" { "Waited, measured" }
                } }
                tbody { @for statement in &run.statements { (rows(statement)) } }
            }
        }
    }
}

fn rows(statement: &LoadedStatement) -> Markup {
    let (predicted, measured) = traffic::side_by_side(statement);
    let phases = [("before", &statement.before), ("during", &statement.during), ("after", &statement.after)];
    html! {
        @for (when, phase) in phases { tr {
            @if when == "before" {
                th scope="rowgroup" rowspan="3" {
                    (shown(&statement.name)) br;
                    span class="meta" {
                        (traffic::shortfall(statement).unwrap_or_else(|| traffic::rate(statement.wanted_per_s)))
                        @for message in traffic::messages(statement) { br; (shown(&message)) }
                    }
                }
            }
            (cells(when, phase))
            @if when == "before" { td rowspan="3" { (predicted) } td rowspan="3" { (measured) } }
        } }
    }
}

fn cells(when: &str, phase: &Phase) -> Markup {
    let time = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), duration_ms);
    html! {
        td { (when) } td class="number" { (phase.requests) }
        td class="number" { (time(phase.p50_ms)) } td class="number" { (time(phase.p99_ms)) }
        td class="number" { (time(phase.max_ms)) }
        td { (traffic::failures(phase).unwrap_or_default()) }
    }
}

/// A strip a statement: the longest latency of the requests that arrived in each part of the time, on a logarithmic
/// scale.
fn drawing(run: &LoadRun) -> Markup {
    let total = run.timeline.buckets.len() as f64 * run.timeline.bucket_ms;
    let mut drawn: Vec<usize> = (0..run.statements.len()).collect();
    let longest = |at: &usize| run.statements[*at].during.max_ms.unwrap_or(0.0);
    drawn.sort_by(|a, b| longest(b).total_cmp(&longest(a)));
    drawn.truncate(STRIPS);
    let most = run.timeline.buckets.iter().flat_map(|bucket| bucket.longest_ms.iter().flatten());
    let most = most.copied().fold(1.0, f64::max);
    let bottom = AXIS + drawn.len() * (TITLE + STRIP + GAP);
    let label = format!(
        "Longest latency of {} statements over {}, the change from {} to {}",
        drawn.len(),
        duration_ms(total),
        duration_ms(run.change.started_ms),
        duration_ms(run.change.ended_ms)
    );
    let x = |moment: f64| format!("{:.3}%", moment / total * 100.0);
    html! {
        svg class="timeline load-timeline" width="100%" height=(bottom) role="img" aria-label=(label) {
            rect class="change-span" x=(x(run.change.started_ms)) y="16" height=(bottom - 16)
                width=(x((run.change.ended_ms - run.change.started_ms).max(total / 400.0))) {
                title { "the change" }
            }
            text class="blocked" x=(x(run.change.started_ms)) y="12" { "the change, at " (duration_ms(run.change.started_ms)) }
            @for (row, statement) in drawn.iter().enumerate() {
                @let top = AXIS + row * (TITLE + STRIP + GAP);
                text class="relation" x="0" y=(top + 14) { (shown(&run.statements[*statement].name)) }
                (strip(run, *statement, top + TITLE, total, most))
            }
        }
    }
}

fn strip(run: &LoadRun, statement: usize, top: usize, total: f64, most: f64) -> Markup {
    let width = format!("{:.3}%", run.timeline.bucket_ms / total * 100.0);
    let height = |latency: f64| {
        let part = (latency.max(LEAST_MS) / LEAST_MS).ln() / (most.max(1.0) / LEAST_MS).ln();
        (part.clamp(0.02, 1.0) * STRIP as f64).round() as usize
    };
    let bars = run.timeline.buckets.iter().enumerate().filter_map(|(number, bucket)| {
        let latency = bucket.longest_ms.get(statement).copied().flatten()?;
        let from = number as f64 * run.timeline.bucket_ms;
        Some((format!("{:.3}%", from / total * 100.0), from, latency, height(latency)))
    });
    html! {
        line class="base" x1="0" x2="100%" y1=(top + STRIP) y2=(top + STRIP) {}
        @for (x, from, latency, height) in bars {
            rect class="latency" x=(x) y=(top + STRIP - height) width=(width) height=(height) {
                title { "from " (duration_ms(from)) ": up to " (duration_ms(latency)) }
            }
        }
    }
}
