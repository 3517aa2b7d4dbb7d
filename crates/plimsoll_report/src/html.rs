//! One self-contained page: the verdict, the findings, who was blocked when, each statement,
//! each query with its plans. It loads nothing, runs no script, and says so to the browser.
//!
//! Escaping is maud's; characters that a browser would obey or drop are made visible first.

mod base64;
mod blocked;
mod diagram;
mod findings;
mod history;
mod load;
mod plan_page;
mod queries;
mod statements;
mod timeline;
mod traffic;

pub(crate) use plan_page::plan_page;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plimsoll_core::{EvidenceKind, Report, Severity};
use sha2::{Digest as _, Sha256};

use base64::base64;

use crate::neutral::neutral;
use crate::{Rendering, words};

/// How our pages look.
pub(crate) const STYLE: &str = concat!(include_str!("html/style.css"), include_str!("html/diagram.css"));

/// The mark on a ship's side: a disc crossed by the line that the water must not pass.
const MARK: &str = r##"<circle cx="16" cy="16" r="10.5" fill="none" stroke="currentColor" stroke-width="2.6"/><path d="M1.5 16h29" stroke="currentColor" stroke-width="2.6"/>"##;

/// Forbids whatever a slip in escaping could let in: scripts, requests, forms.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// What a page may do that has this script and no other.
pub(crate) fn policy_with_script(script: &str) -> String {
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(script))
    )
}

/// The page icon, as a data address so that no browser asks a server for one.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cg fill='none' stroke='%231f5f8b' stroke-width='3'%3E%3Ccircle cx='16' cy='16' r='10.5'/%3E%3Cpath d='M1.5 16h29'/%3E%3C/g%3E%3C/svg%3E";

/// Writes the page.
pub(crate) fn render(rendering: &Rendering) -> String {
    let report = rendering.report;
    let generator = format!("{} {}", report.tool.name, report.tool.version);
    let title = format!("Plimsoll: {}, {}", words::headline(report), words::severities(report));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (metadata(POLICY, Some(&generator), &title, STYLE))
            body {
                a class="skip" href="#main" { "Skip to the findings" }
                (head(report))
                main id="main" { (sections(rendering)) }
                (footer(report))
            }
        }
    };
    page.into_string() + "\n"
}

/// What a page tells the browser: what it may do, how it looks, who wrote it, its title.
pub(crate) fn metadata(policy: &str, generator: Option<&str>, title: &str, style: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            @if let Some(generator) = generator { meta name="generator" content=(generator); }
            link rel="icon" href=(ICON);
            title { (title) }
            style { (PreEscaped(style)) }
        }
    }
}

/// The mark and the name.
pub(crate) fn brand() -> Markup {
    html! {
        p class="brand" {
            svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" { (PreEscaped(MARK)) }
            "Plimsoll"
        }
    }
}

/// Text from outside, safe to show; maud escapes it.
pub(crate) fn shown(text: &str) -> String {
    neutral(text).into_owned()
}

/// No `<` can end the element or open a comment in it; separators of lines stay within their string for whoever evaluates it.
pub(crate) fn within_script(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", letter as u32)),
            _ => text.push(letter),
        }
    }
    text
}

fn head(report: &Report) -> Markup {
    let verdict = report.verdict.word();
    html! {
        header class={ "verdict " (verdict) @if report.rehearsal.is_none() { " unrehearsed" } } {
            div class="inner" {
                (brand())
                h1 { span class="word" { (words::headline(report)) } " " span class="advice" { (words::advice(report)) } }
                div class="why" { @for reason in words::reasons(report) { p { (shown(&reason)) } } }
                (tiles(report))
                (contents(report))
            }
        }
    }
}

fn tiles(report: &Report) -> Markup {
    let severities = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| (severity.word(), report.count(severity)));
    let kinds =
        [EvidenceKind::Confirmed, EvidenceKind::Observed, EvidenceKind::Refuted, EvidenceKind::Claimed];
    let kinds = kinds.map(|kind| (kind.word(), report.count_evidence(kind)));
    html! {
        dl class="tiles" {
            @for (word, number) in severities {
                div class={ "tile " (word) @if number == 0 { " none" } } {
                    dt { (word) @if number != 1 { "s" } }
                    dd { (number) }
                }
            }
            @if report.rehearsal.is_some() {
                @for (word, number) in kinds {
                    div class={ "tile evidence" @if number == 0 { " none" } } { dt { (word) } dd { (number) } }
                }
            }
        }
    }
}

fn contents(report: &Report) -> Markup {
    let statements = report.rehearsal.as_ref().map_or(0, |rehearsal| rehearsal.statements.len());
    let queries = report.queries.as_ref().map_or(0, Vec::len);
    let parts = [
        ("findings", "Findings", report.told().len()),
        ("statements", "Statements", statements),
        ("queries", "Queries", queries),
        ("traffic", "Queries", report.traffic.as_ref().map_or(0, |traffic| traffic.queries.len())),
        ("notes", "Notes", all_notes(report).len()),
    ];
    html! {
        nav aria-label="Contents" {
            ul {
                @for (id, title, number) in parts {
                    @if number > 0 { li { a href={ "#" (id) } { (title) " " span { (number) } } } }
                    @if id == "findings" && statements > 0 { li { a href="#locks" { "Locks" } } }
                    @if id == "findings" && report.blocked.is_some() { li { a href="#blocked" { "Who would wait" } } }
                    @if id == "findings" && !report.load.is_empty() { li { a href="#load" { "Load" } } }
                }
            }
        }
    }
}

fn sections(rendering: &Rendering) -> Markup {
    let report = rendering.report;
    html! {
        (findings::section(rendering))
        @if let Some(rehearsal) = report.rehearsal.as_ref().filter(|rehearsal| !rehearsal.statements.is_empty()) {
            (timeline::section(rehearsal))
            @if let Some(blocked) = &report.blocked { (blocked::section(rehearsal, blocked)) }
            @if let Some(scale) = &report.scale { (blocked::scale(rehearsal, scale)) }
            @if !report.load.is_empty() { (load::section(&report.load)) }
            (statements::section(rehearsal))
        }
        @if let Some(queries) = report.queries.as_ref().filter(|queries| !queries.is_empty()) {
            (queries::section(queries))
        }
        @if let Some(traffic) = report.traffic.as_ref().filter(|traffic| traffic.statements > 0) {
            (traffic::section(traffic))
        }
        (notes(report))
    }
}

fn all_notes(report: &Report) -> Vec<&String> {
    report.notes.iter().chain(report.rehearsal.iter().flat_map(|rehearsal| &rehearsal.notes)).collect()
}

fn notes(report: &Report) -> Markup {
    let notes = all_notes(report);
    html! {
        @if !notes.is_empty() {
            section aria-labelledby="notes" {
                h2 id="notes" { "Notes" }
                ul class="notes" { @for note in notes { li { (shown(note)) } } }
            }
        }
    }
}

fn footer(report: &Report) -> Markup {
    html! {
        footer {
            p {
                (report.tool.name) " " (report.tool.version)
                @if let Some(rehearsal) = &report.rehearsal {
                    " · rehearsed on PostgreSQL " (shown(&rehearsal.server_version))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn nothing_ends_the_element() {
        let told = within_script(&json!(["</script><!--&\u{2028}"]).to_string());
        assert_eq!(told, r#"["\u003c/script\u003e\u003c!--\u0026\u2028"]"#);
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), json!(["</script><!--&\u{2028}"]));
    }
}
