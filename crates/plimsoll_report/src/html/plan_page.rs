//! Plans on one self-contained page. Its only script moves between nodes by the keyboard; the page says so to the browser by the
//! script's hash, so that no other one runs.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plimsoll_core::Severity;
use sha2::{Digest as _, Sha256};

use super::{brand, diagram, metadata, shown};
use crate::plans::{Seen, Together, totals};

const SCRIPT: &str = include_str!("plan_page.js");

/// Writes the page.
pub(crate) fn plan_page(plans: &[Seen<'_>], together: Together) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(SCRIPT))
    );
    let title = plans.iter().map(|seen| seen.title).collect::<Vec<_>>().join(", ");
    let side_by_side = together == Together::Compared;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (metadata(&policy, None, &format!("Plan: {}", shown(&title))))
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

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let encoded = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
