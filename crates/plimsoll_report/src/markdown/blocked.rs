//! Folded blocks: who would wait, what that is at production's sizes, and what requests felt.

use plimsoll_core::load::{LoadRun, LoadedStatement};
use plimsoll_core::units::duration_ms;
use plimsoll_core::{Rehearsal, Report};

use super::{cell, code, more, within_budget};
use crate::traffic;

/// Adds what there is.
pub(super) fn blocks(text: &mut String, report: &Report) {
    if let Some(rehearsal) = &report.rehearsal {
        blocked(text, report, rehearsal);
        scale(text, report, rehearsal);
    }
    for run in &report.load {
        load(text, run);
    }
}

fn blocked(text: &mut String, report: &Report, rehearsal: &Rehearsal) {
    let Some(blocked) = &report.blocked else { return };
    text.push_str(&format!(
        "\n<details><summary>Who would wait: {}</summary>\n\n",
        cell(&traffic::prediction(rehearsal, blocked))
    ));
    if !blocked.locks.is_empty() {
        text.push_str("| Taken at | Lock | Who waits | How many and how long |\n| --- | --- | --- | --- |\n");
        let rows = blocked.locks.iter().flat_map(|queue| {
            queue.queued.iter().map(|queued| {
                let place = code(&traffic::place(rehearsal, queue.statement));
                let lock = cell(&traffic::lock(rehearsal, queue));
                let wait = traffic::wait(rehearsal, queued);
                format!("| {place} | {lock} | {} | {wait} |\n", code(&queued.name))
            })
        });
        let left_out = within_budget(text, rows);
        more(text, left_out);
    }
    text.push_str("\n</details>\n");
}

fn scale(text: &mut String, report: &Report, rehearsal: &Rehearsal) {
    let Some(scale) = &report.scale else { return };
    text.push_str(&format!(
        "\n<details><summary>At production’s sizes: {}, sizes from {}</summary>\n\n",
        cell(scale.formula),
        cell(&scale.source)
    ));
    let relations = scale.relations.iter().map(traffic::relation);
    let statements = scale.statements.iter().map(|statement| {
        format!("{}: {}", traffic::place(rehearsal, statement.statement), traffic::statement(statement))
    });
    let holds = scale.holds.iter().map(traffic::hold);
    let sentences = relations.chain(statements).chain(holds).chain(traffic::scaled_queues(scale));
    let left_out = within_budget(text, sentences.map(|sentence| format!("- {}\n", cell(&sentence))));
    more(text, left_out);
    text.push_str("\n</details>\n");
}

fn load(text: &mut String, run: &LoadRun) {
    text.push_str(&format!(
        "\n<details><summary>The change among requests, {}: the longest stall was {}</summary>\n\n{}\n\n",
        cell(&traffic::conditions(run)),
        duration_ms(run.longest_stall_ms),
        cell(&format!("{} {}", traffic::change(run), traffic::connections(run)))
    ));
    text.push_str("| Statement | Before | During | After | Waited, predicted | Waited, measured |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    let left_out = within_budget(text, run.statements.iter().map(row));
    more(text, left_out);
    text.push_str("\n</details>\n");
}

fn row(statement: &LoadedStatement) -> String {
    let (predicted, measured) = traffic::side_by_side(statement);
    let [before, during, after] = [&statement.before, &statement.during, &statement.after]
        .map(|phase| cell(&traffic::latencies(phase)));
    let messages: String =
        traffic::messages(statement).iter().map(|message| format!("<br>{}", cell(message))).collect();
    let name = code(&statement.name);
    format!("| {name} | {before} | {during}{messages} | {after} | {predicted} | {measured} |\n")
}
