//! What the requests of the workload felt while the change ran among them.

use plimsoll_core::load::{LoadRun, LoadedStatement};
use plimsoll_core::units::plural;

use super::Layout;
use super::blocked::line;
use super::paint::Tone;
use crate::traffic;

/// A run.
pub(super) fn part(run: &LoadRun, layout: Layout) -> String {
    let title = format!("The change among requests, {}", traffic::conditions(run));
    let mut text = layout.paint.tone(Tone::Strong, &title) + "\n";
    text.push_str(&line(&format!("{} {}", traffic::change(run), traffic::connections(run)), 0, layout));
    for statement in &run.statements {
        text.push_str(&self::statement(statement, layout));
    }
    text
}

fn statement(statement: &LoadedStatement, layout: Layout) -> String {
    let rate = traffic::shortfall(statement).unwrap_or_else(|| traffic::rate(statement.wanted_per_s));
    let mut text = format!("\n{}", line(&format!("{}, {rate}", statement.name), 2, layout));
    let phases = [("before", &statement.before), ("during", &statement.during), ("after", &statement.after)];
    for (when, phase) in phases {
        let latencies = traffic::latencies(phase);
        let requests = plural(phase.requests, "request");
        text.push_str(&line(&format!("{when}: {requests}, {latencies}"), 4, layout));
    }
    for message in traffic::messages(statement) {
        text.push_str(&line(&message, 4, layout));
    }
    let (predicted, measured) = traffic::side_by_side(statement);
    text.push_str(&line(&format!("wait predicted: {predicted}; measured: {measured}"), 4, layout));
    text
}
