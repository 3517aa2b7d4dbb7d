//! How the queries fared: those that changed with their reasons and numbers, worst first; those
//! that didn't on one line.

use plimsoll_core::{QueryReport, QueryVerdict};

use super::Layout;
use super::paint::Tone;
use super::wrap::wrapped;
use crate::neutral::one_line;
use crate::words::{self, Number};

/// Unchanged queries that are named; more are counted.
const NAMED: usize = 12;

/// The list, if a query was measured.
pub(super) fn part(queries: &[QueryReport], layout: Layout) -> Option<String> {
    if queries.is_empty() {
        return None;
    }
    let mut text = layout.paint.tone(Tone::Strong, "Queries before and after") + "\n\n";
    let worst_first = words::worst_first(queries);
    let (same, changed): (Vec<_>, Vec<_>) =
        worst_first.into_iter().partition(|query| query.verdict == QueryVerdict::Same);
    for query in changed {
        changed_query(&mut text, query, layout);
    }
    if !same.is_empty() {
        let line = wrapped(&same_queries(&same), layout.width.saturating_sub(10), 10);
        text.push_str(&format!("  {}    {line}\n", layout.paint.tone(Tone::Faint, "same")));
    }
    Some(text)
}

fn changed_query(text: &mut String, query: &QueryReport, layout: Layout) {
    let tone = match query.verdict {
        QueryVerdict::Failed | QueryVerdict::ChangedResult | QueryVerdict::Worse => Tone::Error,
        QueryVerdict::Better => Tone::Good,
        QueryVerdict::New | QueryVerdict::Same => Tone::Note,
    };
    let verdict = layout.paint.tone(tone, &format!("{:<6}", query.verdict.word()));
    let place = format!("{}:{}", one_line(&query.location.file), query.location.line);
    let place = layout.paint.tone(Tone::Faint, &place);
    text.push_str(&format!(
        "  {verdict}  {}  {place}\n",
        layout.paint.tone(Tone::Strong, &one_line(&query.name))
    ));
    let numbers: Vec<String> = words::numbers(query).iter().filter_map(number).collect();
    // A reason that only says a figure again is left to the line of figures.
    let figures = ["shared buffers ", "estimated cost ", "median time "];
    let told =
        |reason: &&String| numbers.is_empty() || !figures.iter().any(|figure| reason.starts_with(figure));
    let line = (!numbers.is_empty()).then(|| numbers.join(", "));
    let causes: Vec<String> =
        query.causes.iter().map(|cause| format!("because of {}", words::cause(cause))).collect();
    let growth = words::growth(query);
    for line in causes.iter().chain(query.reasons.iter().filter(told)).chain(&line).chain(&growth) {
        text.push_str(&format!(
            "          {}\n",
            wrapped(&one_line(line), layout.width.saturating_sub(10), 10)
        ));
    }
}

/// A number that changed: `shared buffers 4 → 1,204 (×301)`.
fn number(number: &Number) -> Option<String> {
    let change = number.change.as_ref().filter(|change| *change != "=")?;
    let (before, after) = (number.before.as_ref()?, number.after.as_ref()?);
    Some(format!("{} {before} → {after} ({change})", number.name))
}

fn same_queries(same: &[&QueryReport]) -> String {
    let names: Vec<String> = same.iter().take(NAMED).map(|query| one_line(&query.name)).collect();
    let names = names.join(", ");
    match same.len().saturating_sub(NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}
