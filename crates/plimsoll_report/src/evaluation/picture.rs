//! Both curves side by side as one SVG, for a paper or a README: light, and dark where the reader's screen is.

use maud::{Markup, PreEscaped, html};
use plimsoll_core::evaluation::Evaluation;
use plimsoll_core::units::{count, figure};

use super::panel::{COLOURS, Classes, HEIGHT, Kind, WIDTH, panel};
use crate::html::shown;
use crate::neutral::clipped;

const STYLE: &str = include_str!("picture.css");
const LINE: f64 = 18.0;
/// Characters of a detector's name.
const LONGEST_NAME: usize = 40;

/// Writes the picture: well-formed XML that loads nothing.
#[must_use]
pub fn render_picture(evaluation: &Evaluation) -> String {
    let classes = classes(evaluation);
    let rows = evaluation.detectors.len() as f64;
    let (width, height) = (2.0 * WIDTH, HEIGHT + 12.0 + LINE * (rows + 1.0));
    let alternative = evaluation.reading.as_str();
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(shown(alternative)) {
            style { (PreEscaped(STYLE)) }
            rect class="sheet" width=(width) height=(height) {}
            @for (place, kind) in [Kind::PrecisionRecall, Kind::Roc].into_iter().enumerate() {
                g transform={ "translate(" (place as f64 * WIDTH) " 0)" } {
                    (panel(kind, &evaluation.detectors, classes, &html! {}).unwrap_or_default())
                }
            }
            (legend(evaluation))
        }
    };
    picture.into_string() + "\n"
}

/// What curves are drawn from.
pub(super) fn classes(evaluation: &Evaluation) -> Classes {
    let first = evaluation.detectors.first();
    let last = first.and_then(|one| one.points.last());
    let (positives, negatives) =
        last.map_or((0.0, 0.0), |point| (point.true_positives, point.false_positives));
    let elsewhere = first.and_then(|one| one.at_prevalence.as_ref()).map(|at| {
        let odds = (1.0 - at.prevalence) / at.prevalence;
        odds * positives / negatives
    });
    Classes { positives, negatives, elsewhere }
}

fn legend(evaluation: &Evaluation) -> Markup {
    let line = |number: usize| HEIGHT + 14.0 + LINE * number as f64;
    let what = format!(
        "{}. {} cases, {} positive",
        classes(evaluation).no_skill_words(),
        count(evaluation.cases),
        count(evaluation.positives),
    );
    html! {
        @for (number, detector) in evaluation.detectors.iter().enumerate() {
            g class={ "of-" (number % COLOURS) } {
                line class="curve" x1="52" y1=(line(number) - 4.0) x2="76" y2=(line(number) - 4.0) {}
            }
            text class="axis" x="84" y=(line(number)) { (shown(&words(detector))) }
        }
        text class="tick" x="52" y=(line(evaluation.detectors.len())) { (what) }
    }
}

/// Name and areas of a detector.
pub(super) fn words(detector: &plimsoll_core::evaluation::DetectorFigures) -> String {
    let elsewhere = detector.at_prevalence.as_ref().map_or_else(String::new, |at| {
        format!(
            " ({} at a prevalence of {}, dashed)",
            figure(at.average_precision.value),
            figure(at.prevalence)
        )
    });
    format!(
        "{}: average precision {}{elsewhere}, ROC area {}",
        clipped(&detector.name, LONGEST_NAME),
        figure(detector.average_precision.value),
        figure(detector.roc_area.value)
    )
}
