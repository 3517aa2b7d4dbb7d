//! The findings: each folds, shows its place in the text, its evidence and its remedy.

use maud::{Markup, html};
use plimsoll_core::units::plural;
use plimsoll_core::{Finding, Gathered, Severity};

use super::shown;
use crate::excerpt::Excerpt;
use crate::{Rendering, RuleHelp, words};

/// With more findings than this only errors start unfolded.
const UNFOLDED: usize = 25;
/// With more errors than this nothing starts unfolded.
const UNFOLDED_ERRORS: usize = 60;
/// Statements of more lines show their first one.
const EXCERPT_LINES: usize = 12;

/// The section; says so if there is no finding.
pub(super) fn section(rendering: &Rendering) -> Markup {
    let report = rendering.report;
    let told = report.told();
    let few = told.len() <= UNFOLDED;
    let few_errors = report.count(Severity::Error) <= UNFOLDED_ERRORS;
    // All of them if they are few, else errors, else none.
    let unfolded = |finding: &Finding| few || few_errors && finding.severity == Severity::Error;
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Findings" }
            @if report.findings.is_empty() { p class="none" { "Nothing was found." } }
            @for in_file in told.chunk_by(|a, b| a.first.location.file == b.first.location.file) {
                @if let [one, ..] = in_file { h3 class="file" { (shown(&one.first.location.file)) } }
                @for one in in_file {
                    (article(rendering, one, unfolded(one.first)))
                }
            }
        }
    }
}

fn article(rendering: &Rendering, gathered: &Gathered, open: bool) -> Markup {
    let finding = gathered.first;
    let severity = finding.severity.word();
    let place = &finding.location;
    let help = (rendering.rule_help)(&finding.rule);
    let proof = words::proof(rendering.report, finding);
    html! {
        details class={ "finding " (severity) } open[open] {
            summary {
                span class={ "badge " (severity) } { (severity) }
                span class="message" { (shown(&finding.message)) }
                span class="meta" {
                    code { (shown(&finding.rule)) } " · line " (place.line)
                    @if !gathered.further.is_empty() {
                        " and " (plural(gathered.further.len(), "further place"))
                    }
                    " · " (finding.evidence.kind.word())
                }
            }
            div class="body" {
                (excerpt(rendering, finding))
                dl class="facts" {
                    dt { "Evidence" }
                    dd {
                        span class={ "kind " (finding.evidence.kind.word()) } { (shown(&proof)) }
                        @if !finding.evidence.facts.is_empty() {
                            ul { @for fact in &finding.evidence.facts { li { (shown(fact)) } } }
                        }
                    }
                    @if !finding.remedy.is_empty() { dt { "Instead" } dd { (remedy(&finding.remedy)) } }
                    @if !gathered.further.is_empty() { dt { "Also" } dd { (further(finding, &gathered.further)) } }
                    @if let Some((title, lines)) = words::fix(rendering, finding) {
                        dt { "Fix" }
                        dd {
                            p { (shown(&title)) }
                            @if let Some(lines) = lines {
                                pre class="sql" tabindex="0" { code { (shown(&lines)) } }
                            }
                        }
                    }
                    @if let Some(help) = help { dt { "Rule" } dd { (rule(&help)) } }
                }
            }
        }
    }
}

/// Each further place with what is its own: message, facts, remedy.
fn further(first: &Finding, further: &[&Finding]) -> Markup {
    html! {
        ul {
            @for finding in further {
                li {
                    code { (shown(&format!("{}:{}", finding.location.file, finding.location.line))) }
                    " " (shown(&finding.message))
                    @if !finding.evidence.facts.is_empty() {
                        ul { @for fact in &finding.evidence.facts { li { (shown(fact)) } } }
                    }
                    @if finding.remedy != first.remedy { (remedy(&finding.remedy)) }
                }
            }
        }
    }
}

fn excerpt(rendering: &Rendering, finding: &Finding) -> Markup {
    let source = rendering.source(finding);
    let Some(excerpt) = source.and_then(|source| Excerpt::new(source, &finding.location, EXCERPT_LINES))
    else {
        return html! {};
    };
    let (head, rest) = excerpt.text.split_at(excerpt.marked.start);
    let (marked, tail) = rest.split_at(excerpt.marked.len());
    let last_line = excerpt.first_line + excerpt.text.matches('\n').count();
    html! {
        div class="excerpt" tabindex="0" role="group" aria-label={ "Line " (finding.location.line) } {
            pre class="numbers" aria-hidden="true" {
                @for line in excerpt.first_line..=last_line { (line) "\n" }
            }
            pre { code { (head) (marks(marked)) (tail) } }
        }
        @if excerpt.lines_left_out > 0 {
            p class="more" {
                "and " (plural(excerpt.lines_left_out, "line")) " more"
            }
        }
    }
}

/// Marks the words of each line, not its indentation.
fn marks(marked: &str) -> Markup {
    html! {
        @for line in marked.split_inclusive('\n') {
            @let words = line.trim_start();
            (line[..line.len() - words.len()]) @if !words.is_empty() { mark { (words) } }
        }
    }
}

/// The first line is advice; further ones are SQL.
fn remedy(remedy: &str) -> Markup {
    let (advice, sql) = remedy.split_once('\n').unwrap_or((remedy, ""));
    html! {
        p { (shown(advice)) }
        @if !sql.is_empty() { pre class="sql" tabindex="0" { code { (shown(sql)) } } }
    }
}

/// A rule's sentence, linked to its page if that has an address that is safe to follow.
fn rule(help: &RuleHelp) -> Markup {
    let uri = help.uri.as_deref().filter(|uri| uri.starts_with("https://") || uri.starts_with("http://"));
    html! {
        (shown(&help.summary))
        @if let Some(uri) = uri { " " a href=(uri) rel="noreferrer" { "Read about it" } }
    }
}
