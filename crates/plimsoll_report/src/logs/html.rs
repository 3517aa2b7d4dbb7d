//! A log's report as one self-contained page. Its tables are in its markup, first rows first; its one script, let in by its
//! hash, sorts and filters them, draws what happened over time, and shows a page for each query.
//!
//! Whatever a client can choose comes to the page as text: maud escapes it in the markup, and the script puts it nowhere but
//! into text nodes.

mod charts;
mod data;
mod further;
mod sheet;
mod sheets;
mod trend;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plimsoll_core::logs::LogReport;
use plimsoll_core::units::{count, duration_ms};

use crate::html::{STYLE, brand, metadata, policy_with_script, shown};
use sheet::Sheet;

const SCRIPT: &str = concat!(
    "'use strict';\n(() => {\n",
    include_str!("html/values.js"),
    include_str!("html/range.js"),
    include_str!("html/charts.js"),
    include_str!("html/timeline.js"),
    include_str!("html/tables.js"),
    include_str!("html/blocking.js"),
    include_str!("html/statement.js"),
    include_str!("html/query.js"),
    include_str!("html/start.js"),
    "})();\n"
);

/// Writes the page; where no script runs, tables have this many rows.
pub(super) fn page(report: &LogReport, lines: &[String], rows: usize) -> String {
    let style = format!("{STYLE}{}", include_str!("html/page.css"));
    let mut sheets = sheets::sheets(report);
    sheets.retain(|sheet| !sheet.rows.is_empty());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (metadata(&policy_with_script(SCRIPT), None, "Plimsoll: what the log tells", &style))
            body class="log-page" {
                a class="skip" href="#main" { "Skip to the tables" }
                (head(report, lines, &sheets))
                main id="main" {
                    noscript { p class="lead" { "Without scripts this page has its tables' first rows, and no charts." } }
                    section id="charts" class="charts" aria-label="Over time" hidden {}
                    @for sheet in &sheets { (section(sheet, rows)) }
                    (missing(report))
                }
                footer { p { "plimsoll logs · All times are UTC. Literals are redacted: queries are shown by their normal form, and no value of a log gets into this page." } }
                script type="application/json" id="data" { (PreEscaped(data::data(report, &sheets))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

fn head(report: &LogReport, lines: &[String], sheets: &[Sheet<'_>]) -> Markup {
    html! {
        header class="verdict" {
            div class="inner" {
                (brand())
                h1 { "What the log tells" }
                div class="why" { @for line in lines { p { (shown(line)) } } }
                (tiles(report))
                nav aria-label="Contents" {
                    ul {
                        @for sheet in sheets {
                            li { a href={ "#" (sheet.id) } { (sheet.title) " " span { (count(sheet.rows.len() as u64)) } } }
                        }
                        @if !report.missing.is_empty() { li { a href="#missing" { "What this log can't tell" } } }
                    }
                }
            }
        }
    }
}

fn tiles(report: &LogReport) -> Markup {
    let statements = &report.statements;
    let problems = |is_warning: bool| {
        let of = report.problems.iter().filter(|problem| (problem.severity == "WARNING") == is_warning);
        of.map(|problem| problem.count).sum::<u64>()
    };
    let deadlocks: u64 = report.deadlocks.iter().map(|deadlock| deadlock.count).sum();
    let tiles = [
        ("statements", count(statements.calls), ""),
        ("in all", duration_ms(statements.total_ms), ""),
        ("median", duration_ms(statements.p50_ms), ""),
        ("p99", duration_ms(statements.p99_ms), ""),
        ("sessions at most", count(report.concurrency.most_sessions), ""),
        ("errors", count(problems(false)), if problems(false) > 0 { " error" } else { "" }),
        ("warnings", count(problems(true)), if problems(true) > 0 { " warning" } else { "" }),
        ("deadlocks", count(deadlocks), if deadlocks > 0 { " error" } else { "" }),
    ];
    html! {
        dl class="tiles" {
            @for (word, number, mood) in tiles {
                div class={ "tile" (mood) @if number == "0" { " none" } } { dt { (word) } dd { (number) } }
            }
        }
    }
}

/// Tables with a drawing above have a place for it.
fn section(sheet: &Sheet<'_>, rows: usize) -> Markup {
    let above = match sheet.id {
        "bursts" => html! { div id="burst-timeline" class="charts" hidden {} },
        "lock-edges" => html! { div id="blocking" hidden {} },
        _ => html! {},
    };
    sheet.section(rows, &above)
}

fn missing(report: &LogReport) -> Markup {
    html! {
        @if !report.missing.is_empty() {
            section aria-labelledby="missing" {
                h2 id="missing" { "What this log can't tell" }
                ul class="notes" { @for one in &report.missing { li { (shown(one)) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests;
