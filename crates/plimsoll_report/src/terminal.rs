//! Text for a person at a terminal: findings with excerpts, what the statements did, how the
//! queries fared, and last, where the eye rests when the program ends, the verdict.
//!
//! Long reports fold what repeats: a rule's later findings shrink to a line each, statements
//! that did nothing worth telling to one line a run.

mod blocked;
mod findings;
mod load;
pub(crate) mod paint;
mod queries;
mod statements;
mod traffic;
pub(crate) mod wrap;

use plimsoll_core::{Report, Verdict};

use crate::neutral::one_line;
use crate::{Rendering, words};
pub(crate) use paint::{Paint, Tone};
pub(crate) use wrap::wrapped;

/// Narrower terminals are written for as if they had this many columns.
const LEAST_WIDTH: usize = 40;

/// Where and how text is laid out.
#[derive(Clone, Copy)]
struct Layout {
    paint: Paint,
    width: usize,
}

/// Writes the report.
pub(crate) fn render(rendering: &Rendering) -> String {
    let layout = Layout { paint: Paint(rendering.colour), width: rendering.width.max(LEAST_WIDTH) };
    let report = rendering.report;
    let mut parts = findings::parts(rendering, layout);
    parts.extend(report.rehearsal.as_ref().and_then(|rehearsal| statements::part(rehearsal, layout)));
    if let Some(rehearsal) = &report.rehearsal {
        parts.extend(report.blocked.as_ref().map(|blocked| blocked::part(rehearsal, blocked, layout)));
        parts.extend(report.scale.as_ref().and_then(|scale| blocked::scale(rehearsal, scale, layout)));
    }
    parts.extend(report.load.iter().map(|run| load::part(run, layout)));
    parts.extend(report.queries.as_ref().and_then(|queries| queries::part(queries, layout)));
    parts.extend(report.traffic.as_ref().and_then(|traffic| traffic::part(traffic, layout)));
    parts.extend(notes(report, layout));
    parts.push(verdict(report, layout));
    parts.join("\n")
}

fn notes(report: &Report, layout: Layout) -> Option<String> {
    let rehearsed = report.rehearsal.iter().flat_map(|rehearsal| &rehearsal.notes);
    let notes = report.notes.iter().chain(rehearsed);
    let lines: String = notes
        .map(|note| {
            let label = layout.paint.tone(Tone::Note, "note");
            format!("{label}: {}\n", wrapped(&one_line(note), layout.width - 6, 6))
        })
        .collect();
    (!lines.is_empty()).then_some(lines)
}

fn verdict(report: &Report, layout: Layout) -> String {
    let tone = match report.verdict {
        Verdict::Safe if report.rehearsal.is_none() && report.traffic.is_none() => Tone::Strong,
        Verdict::Safe => Tone::Good,
        Verdict::Caution => Tone::Warning,
        Verdict::Danger => Tone::Error,
    };
    let word = words::headline(report).to_uppercase();
    let text = format!("{word}: {} {}", words::advice(report), words::reasons(report).join(" "));
    let text = wrapped(&one_line(&text), layout.width, 0);
    format!("{}\n", text.replacen(&word, &layout.paint.tone(tone, &word), 1))
}
