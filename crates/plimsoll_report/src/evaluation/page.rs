//! An evaluation as one self-contained page: curves that tell each of their points, and a slider that moves the threshold and
//! the confusion matrix with it. Its one script is let in by its hash, and puts text nowhere but into text nodes; without it,
//! the page has curves and tables.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plimsoll_core::evaluation::{DetectorFigures, Evaluation, OperatingPoint};
use serde_json::{Value, json};

use super::panel::{COLOURS, Classes, HEIGHT, Kind, WIDTH, panel};
use super::parts::{Body, Part};
use super::picture::{classes, words};
use crate::html::{STYLE, brand, metadata, policy_with_script, shown, within_script};

const SCRIPT: &str = concat!("'use strict';\n(() => {\n", include_str!("page.js"), "})();\n");

/// What stands around the curves.
pub(super) struct Around<'a> {
    pub(super) title: &'a str,
    /// The first is set off.
    pub(super) lines: Vec<String>,
    pub(super) warnings: &'a [String],
    /// Below the curves.
    pub(super) parts: &'a [Part],
}

/// Writes the page; without an evaluation it has no curves.
pub(super) fn page(around: &Around, evaluation: Option<&Evaluation>) -> String {
    let style = format!("{STYLE}{}", include_str!("page.css"));
    let title = format!("Plimsoll: {}", around.title);
    let policy = policy_with_script(SCRIPT);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (metadata(&policy, None, &title, &style))
            body class="evaluation-page" {
                a class="skip" href="#main" { "Skip to the figures" }
                (header(around))
                main id="main" {
                    @if let Some(evaluation) = evaluation {
                        (charts(evaluation, classes(evaluation)))
                        (sliders(evaluation))
                    }
                    @for part in around.parts { (section(part)) }
                }
                footer { p { "plimsoll evaluate · Curves are thinned for display; no figure is read from them." } }
                @if let Some(evaluation) = evaluation {
                    script type="application/json" id="data" { (PreEscaped(within_script(&data(evaluation, classes(evaluation)).to_string()))) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn header(around: &Around) -> Markup {
    let title = around.title;
    let first = title.chars().next().map_or_else(String::new, |letter| letter.to_uppercase().collect());
    html! {
        header class="verdict" {
            div class="inner" {
                (brand())
                h1 { (first) (title.get(first.len()..).unwrap_or_default()) }
                div class="why" {
                    @for (place, line) in around.lines.iter().enumerate() {
                        p class=[(place == 0).then_some("reading")] { (shown(line)) }
                    }
                    @for warning in around.warnings { p class="warning" { (shown(warning)) } }
                }
            }
        }
    }
}

/// Precision and recall beside the ROC curve; the others below.
fn charts(evaluation: &Evaluation, classes: Classes) -> Markup {
    html! {
        section aria-labelledby="curves" {
            h2 id="curves" { "Curves" }
            ul class="legend" {
                @for (number, detector) in evaluation.detectors.iter().enumerate() {
                    li class={ "of-" (number % COLOURS) } { span class="swatch" {} (shown(&words(detector))) }
                }
                li { (classes.no_skill_words()) }
            }
            div class="panels" {
                @for kind in Kind::ALL {
                    @if let Some(inner) = panel(kind, &evaluation.detectors, classes, &markers(evaluation, kind)) {
                        figure class="panel" {
                            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(kind.title()) data-kind=(kind.id()) { (inner) }
                            figcaption class="readout" aria-live="off" { "\u{a0}" }
                        }
                    }
                }
            }
        }
    }
}

/// Where each detector's slider stands, and what the pointer is near.
fn markers(evaluation: &Evaluation, kind: Kind) -> Markup {
    html! {
        @if kind != Kind::Calibration {
            @for number in 0..evaluation.detectors.len() {
                circle class={ "marker of-" (number % COLOURS) } data-detector=(number) r="5" visibility="hidden" {}
            }
            circle class="near" r="4" visibility="hidden" {}
        }
    }
}

fn sliders(evaluation: &Evaluation) -> Markup {
    html! {
        section aria-labelledby="threshold" class="sliders" {
            h2 id="threshold" { "Move the threshold" }
            noscript { p class="lead" { "Without scripts the thresholds below stay where they were chosen." } }
            @for (number, detector) in evaluation.detectors.iter().enumerate() { (slider(number, detector)) }
        }
    }
}

fn slider(number: usize, detector: &DetectorFigures) -> Markup {
    let cell = |name: &str, word: &str| html! { td { output data-figure=(name) {} " " span class="word" { (word) } } };
    html! {
        div class={ "slider of-" (number % COLOURS) } data-detector=(number) {
            label for={ "slider-" (number) } { span class="swatch" {} (shown(&detector.name)) }
            input type="range" id={ "slider-" (number) } min="0" max=(detector.points.len().saturating_sub(1)) step="1" value=(start(detector));
            dl class="figures" {
                @for (name, word) in [("threshold", "threshold"), ("precision", "precision"), ("recall", "recall"), ("rate", "false positive rate"), ("f", "F1")] {
                    div { dt { (word) } dd { output data-figure=(name) {} } }
                }
                @if detector.at_prevalence.is_some() { div { dt { "precision elsewhere" } dd { output data-figure="elsewhere" {} } } }
            }
            table class="confusion" {
                thead { tr { td {} th scope="col" { "alarm" } th scope="col" { "no alarm" } } }
                tbody {
                    tr { th scope="row" { "positive" } (cell("tp", "right")) (cell("fn", "missed")) }
                    tr { th scope="row" { "negative" } (cell("fp", "false")) (cell("tn", "rightly silent")) }
                }
            }
        }
    }
}

/// The point of the first threshold that was chosen; no alarm, where none was.
fn start(detector: &DetectorFigures) -> usize {
    let chosen = detector.thresholds.iter().find_map(|choice| choice.chosen.as_ref());
    let threshold = chosen.and_then(|chosen| chosen.threshold);
    let is_it = |point: &OperatingPoint| {
        threshold.is_some_and(|threshold| point.threshold.is_some_and(|own| own >= threshold))
    };
    detector.points.iter().rposition(is_it).unwrap_or(0)
}

fn data(evaluation: &Evaluation, classes: Classes) -> Value {
    let detectors: Vec<Value> = evaluation.detectors.iter().map(|one| of_detector(one, classes)).collect();
    json!({
        "positives": classes.positives,
        "negatives": classes.negatives,
        "elsewhere": classes.elsewhere,
        "detectors": detectors,
    })
}

/// Threshold and counts of each point, and where it is on each chart.
fn of_detector(detector: &DetectorFigures, classes: Classes) -> Value {
    let points: Vec<Value> = detector
        .points
        .iter()
        .map(|point| json!([point.threshold, point.true_positives, point.false_positives]))
        .collect();
    let places = |kind: Kind| -> Vec<Option<(f64, f64)>> {
        detector.points.iter().map(|point| kind.of_point(point, classes, false)).collect()
    };
    let of_kinds: serde_json::Map<String, Value> = [Kind::PrecisionRecall, Kind::Roc, Kind::Det]
        .map(|kind| (kind.id().to_owned(), json!(places(kind))))
        .into_iter()
        .collect();
    json!({ "name": shown(&detector.name), "points": points, "places": of_kinds })
}

fn section(part: &Part) -> Markup {
    html! {
        section {
            h2 { (shown(&part.title)) }
            @match &part.body {
                Body::Sentences(sentences) => { ul class="notes" { @for sentence in sentences { li { (shown(sentence)) } } } }
                Body::Facts(facts) => {
                    dl class="facts" { @for (name, value) in facts { dt { (shown(name)) } dd class=[(name == "warning").then_some("warning")] { (shown(value)) } } }
                }
                Body::Table { columns, rows } => {
                    div class="scroll" tabindex="0" {
                        table class="sheet" {
                            thead { tr { @for column in columns { th scope="col" { (shown(column)) } } } }
                            tbody { @for row in rows { tr { @for cell in row { td { (shown(cell)) } } } } }
                        }
                    }
                }
            }
        }
    }
}
