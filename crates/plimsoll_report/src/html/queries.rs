//! The queries before and after: numbers in a table, plans side by side.

use maud::{Markup, html};
use plimsoll_core::units::plural;
use plimsoll_core::{Measurement, QueryReport, QueryVerdict};

use super::{diagram, history, shown};
use crate::words;

/// With more queries than this only worse and failed ones start unfolded.
const UNFOLDED: usize = 20;

/// The section, worst queries first.
pub(super) fn section(queries: &[QueryReport]) -> Markup {
    html! {
        section aria-labelledby="queries" {
            h2 id="queries" { "Queries before and after" }
            p class="lead" { (words::query_summary(queries)) "." }
            @for query in words::worst_first(queries) { (article(query, unfolded(queries, query))) }
        }
    }
}

/// Whether and how a query starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    Folded,
    Unfolded,
}

fn unfolded(queries: &[QueryReport], query: &QueryReport) -> Fold {
    match query.verdict {
        QueryVerdict::Failed | QueryVerdict::ChangedResult | QueryVerdict::Worse => Fold::Unfolded,
        QueryVerdict::New | QueryVerdict::Better if queries.len() <= UNFOLDED => Fold::Unfolded,
        QueryVerdict::New | QueryVerdict::Better | QueryVerdict::Same => Fold::Folded,
    }
}

fn article(query: &QueryReport, fold: Fold) -> Markup {
    let verdict = query.verdict.word();
    html! {
        details class={ "query " (verdict) } open[fold == Fold::Unfolded] {
            summary {
                span class={ "badge " (verdict) } { (verdict) }
                span class="message" { (shown(&query.name)) }
                span class="meta" { (shown(&query.location.file)) ":" (query.location.line) }
            }
            div class="body" {
                @if !query.causes.is_empty() {
                    ul class="causes" { @for cause in &query.causes { li { strong { (shown(&cause.kind)) } ": " (shown(&cause.evidence)) } } }
                }
                @if !query.reasons.is_empty() {
                    ul class="reasons" { @for reason in &query.reasons { li { (shown(reason)) } } }
                }
                pre class="sql" tabindex="0" { code { (shown(&query.sql)) } }
                (numbers(query))
                @if let Some(growth) = words::growth(query) { p class="more" { (shown(&growth)) } }
                (history::line(&query.history))
                div class="plans" {
                    (side("Before", query.before.as_ref(), query.after.as_ref()))
                    (side("After", query.after.as_ref(), query.before.as_ref()))
                }
            }
        }
    }
}

fn numbers(query: &QueryReport) -> Markup {
    let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    html! {
        div class="scroll" {
            table {
                caption { "What a run of " (shown(&query.name)) " costs" }
                thead { tr {
                    th scope="col" { "" span class="unseen" { "Quantity" } }
                    th scope="col" class="number" { "Before" }
                    th scope="col" class="number" { "After" }
                    th scope="col" class="number" { "Change" }
                } }
                tbody {
                    @for number in words::numbers(query) { tr {
                        th scope="row" { (number.name) }
                        td class="number" { (cell(&number.before)) }
                        td class="number" { (cell(&number.after)) }
                        td class="number" { (number.change.as_deref().unwrap_or("–")) }
                    } }
                }
            }
        }
    }
}

fn side(title: &str, measured: Option<&Measurement>, other: Option<&Measurement>) -> Markup {
    html! {
        div class="plan-side" {
            h4 { (title) }
            @match measured {
                Some(measured) => {
                    (diagram::of_node(&measured.plan, other.map(|other| &other.plan)))
                    @if measured.time_ms.is_some() { p class="more" { "median of " (plural(measured.runs, "run")) } }
                }
                None => p class="none" { "It fails here; there is no plan." },
            }
        }
    }
}
