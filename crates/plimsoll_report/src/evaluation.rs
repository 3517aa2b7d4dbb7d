//! How far alarms can be trusted: at a terminal, as Markdown, as JSON, as a page, as a picture.
//!
//! All but JSON tell the same [`parts`].

mod page;
mod panel;
mod parts;
mod picture;
mod text;

use plimsoll_core::evaluation::Evaluation;

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
        EvaluationFormat::Html => page::page(evaluation),
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
