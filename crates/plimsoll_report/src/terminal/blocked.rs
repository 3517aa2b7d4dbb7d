//! Who would wait for the change's locks: a paragraph a lock, and what that is at production's sizes.

use plimsoll_core::Rehearsal;
use plimsoll_core::blocked::BlockedReport;
use plimsoll_core::scale::ScaleReport;

use super::Layout;
use super::paint::Tone;
use super::wrap::wrapped;
use crate::neutral::one_line;
use crate::traffic;

/// Locks that are told; further ones are counted.
const TOLD: usize = 20;

/// The prediction.
pub(super) fn part(rehearsal: &Rehearsal, report: &BlockedReport, layout: Layout) -> String {
    let mut text = layout.paint.tone(Tone::Strong, "Who would wait") + "\n";
    text.push_str(&line(&traffic::prediction(rehearsal, report), 0, layout));
    let mut place = String::new();
    for queue in report.locks.iter().take(TOLD) {
        let here = traffic::place(rehearsal, queue.statement);
        if here != place {
            text.push_str(&format!("\n  {}\n", one_line(&here)));
            place = here;
        }
        text.push_str(&line(&traffic::lock(rehearsal, queue), 4, layout));
        for queued in &queue.queued {
            let sent = report.workload.iter().find(|traffic| traffic.name == queued.name);
            let rate = sent.map_or_else(String::new, |sent| format!(" ({})", traffic::rate(sent.rate_per_s)));
            let wait = format!("→ {}{rate}: {}", queued.name, traffic::wait(rehearsal, queued));
            text.push_str(&line(&wait, 6, layout));
        }
    }
    let more = report.locks.len().saturating_sub(TOLD);
    if more > 0 {
        text.push_str(&format!("  … and {more} further locks\n"));
    }
    text
}

/// The change at production's sizes, if there is anything to say.
pub(super) fn scale(rehearsal: &Rehearsal, report: &ScaleReport, layout: Layout) -> Option<String> {
    if report.statements.is_empty() && report.holds.is_empty() {
        return None;
    }
    let mut text = layout.paint.tone(Tone::Strong, "At production’s sizes") + "\n";
    text.push_str(&line(&format!("{}; sizes from {}", report.formula, report.source), 0, layout));
    for relation in &report.relations {
        text.push_str(&line(&traffic::relation(relation), 2, layout));
    }
    text.push('\n');
    for statement in &report.statements {
        let place = traffic::place(rehearsal, statement.statement);
        text.push_str(&line(&format!("{place}: {}", traffic::statement(statement)), 2, layout));
    }
    for hold in report.holds.iter().take(TOLD) {
        text.push_str(&line(&traffic::hold(hold), 2, layout));
    }
    for queue in traffic::scaled_queues(report) {
        text.push_str(&line(&format!("→ {queue}"), 4, layout));
    }
    Some(text)
}

/// A line that goes on below itself.
pub(super) fn line(text: &str, indent: usize, layout: Layout) -> String {
    let below = indent + 2;
    let wrapped = wrapped(&one_line(text), layout.width.saturating_sub(below).max(20), below);
    format!("{}{wrapped}\n", " ".repeat(indent))
}
