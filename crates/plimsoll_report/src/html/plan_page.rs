//! Plans on one self-contained page. Its only script moves between nodes by the keyboard; the page says so to the browser by the
//! script's hash, so that no other one runs.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plimsoll_core::Severity;

use super::{STYLE, brand, diagram, metadata, policy_with_script, shown};
use crate::plans::{Seen, Together, totals};

const SCRIPT: &str = include_str!("plan_page.js");

/// Writes the page.
pub(crate) fn plan_page(plans: &[Seen<'_>], together: Together) -> String {
    let policy = policy_with_script(SCRIPT);
    let title = plans.iter().map(|seen| seen.title).collect::<Vec<_>>().join(", ");
    let side_by_side = together == Together::Compared;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (metadata(&policy, None, &format!("Plan: {}", shown(&title)), STYLE))
            body class="plan-page" {
                a class="skip" href="#main" { "Skip to the plan" }
                header class="inner" {
                    (brand())
                    (measures())
                    p class="keys" { kbd { "↑" } " " kbd { "↓" } " move, " kbd { "←" } " " kbd { "→" } " fold" }
                }
                main id="main" class=[side_by_side.then_some("side-by-side")] {
                    @for (number, seen) in plans.iter().enumerate() { (one(seen, number)) }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// What bars are as long as; the page's style does the rest.
fn measures() -> Markup {
    html! {
        fieldset class="measures" {
            legend class="unseen" { "Bars show" }
            @for (index, (id, word)) in [("by-time", "Time"), ("by-buffers", "Buffers"), ("by-rows", "Rows")].into_iter().enumerate() {
                label { input type="radio" name="measure" id=(id) checked[index == 0]; span { (word) } }
            }
        }
    }
}

fn one(seen: &Seen<'_>, number: usize) -> Markup {
    let prefix = format!("p{number}n");
    html! {
        section class="shown-plan" aria-labelledby={ "p" (number) } {
            h2 id={ "p" (number) } { (shown(seen.title)) }
            p class="totals" { @for total in totals(seen.plan) { span { (shown(&total)) } } }
            @if let Some(query) = &seen.plan.query {
                details class="query-text" { summary { "Query" } pre class="sql" tabindex="0" { code { (shown(query)) } } }
            }
            (diagram::of_seen(seen, &prefix))
            (advice(seen, &prefix))
        }
    }
}

fn advice(seen: &Seen<'_>, prefix: &str) -> Markup {
    html! {
        h3 { "Advice" }
        @if seen.advice.is_empty() { p class="none" { "Nothing stands out." } }
        @else {
            ul class="advice-list" {
                @for one in &seen.advice {
                    li class=(one.severity.word()) {
                        span class={ "badge " (one.severity.word()) } {
                            (if one.severity == Severity::Note { "note" } else { one.severity.word() })
                        }
                        " "
                        @match one.node {
                            Some(node) => a href={ "#" (prefix) (node) } { (one.kind.title) },
                            None => b { (one.kind.title) },
                        }
                        " " span class="share" { (format!("{:.0} %", one.share * 100.0)) }
                        p { (shown(&one.message)) }
                    }
                }
            }
        }
    }
}
