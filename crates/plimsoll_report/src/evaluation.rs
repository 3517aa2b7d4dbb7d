//! How far alarms can be trusted: at a terminal, as Markdown, as JSON, as a page, as a picture.
//!
//! All but JSON tell the same [`parts`].

mod of_history;
mod page;
mod panel;
mod parts;
mod picture;
mod text;

use plimsoll_core::evaluation::Evaluation;
use plimsoll_core::evaluation::history::HistoryEvaluation;

use crate::Colour;
use crate::json::pretty;
use crate::terminal::Paint;
pub use picture::render_picture;

/// A format of an evaluation's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationFormat {
    /// For a person at a terminal of so many columns.
    Terminal(Colour, usize),
    /// The JSON contract.
    Json,
    /// Markdown, for a comment.
    Markdown,
    /// A self-contained page.
    Html,
}

/// Writes an evaluation. Ends with a newline.
#[must_use]
pub fn render_evaluation(evaluation: &Evaluation, format: EvaluationFormat) -> String {
    match format {
        EvaluationFormat::Terminal(colour, width) => {
            text::terminal(&parts::parts(evaluation), Paint(colour), width.max(60))
        }
        EvaluationFormat::Json => pretty(evaluation),
        EvaluationFormat::Markdown => text::markdown(&parts::parts(evaluation)),
        EvaluationFormat::Html => page_of(evaluation),
    }
}

fn page_of(evaluation: &Evaluation) -> String {
    let mut lines = vec![evaluation.reading.clone()];
    lines.extend(parts::head(evaluation));
    let around = page::Around {
        title: "how far these alarms can be trusted",
        lines,
        warnings: &evaluation.warnings,
        parts: &parts::figures(evaluation),
    };
    page::page(&around, Some(evaluation))
}

/// Writes what a history says of Plimsoll's own verdicts. Ends with a newline.
#[must_use]
pub fn render_history(history: &HistoryEvaluation, format: EvaluationFormat) -> String {
    let parts = of_history::parts(history);
    match format {
        EvaluationFormat::Terminal(colour, width) => text::terminal(&parts, Paint(colour), width.max(60)),
        EvaluationFormat::Json => pretty(history),
        EvaluationFormat::Markdown => text::markdown(&parts),
        EvaluationFormat::Html => {
            let around = page::Around {
                title: "how far Plimsoll can be trusted",
                lines: of_history::head(history),
                warnings: &[],
                parts: &parts[1..],
            };
            page::page(&around, history.alarm.evaluation.as_ref())
        }
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
