//! A transaction that keeps everybody out of several tables.

use plimsoll_core::{Claim, LockMode, Severity};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

const ID: &str = "avoid-wide-lock-window";

pub(super) const RULE: Rule = Rule {
    id: ID,
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("postgres-language-server", "avoidWideLockWindow"), ("pgfence", "wide-lock-window")],
    severity: Severity::Warning,
    page: include_str!("avoid_wide_lock_window.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    if !context.place.in_transaction() || context.session.told_in_transaction(ID) {
        return;
    }
    let Some(taken) = context.main_table() else { return };
    let held = context.session.held();
    let keeps_out = |mode: LockMode| mode == LockMode::AccessExclusive;
    if held.iter().any(|held| held.relation == taken.relation && keeps_out(held.mode)) {
        return;
    }
    let earlier = |statement: usize| statement < context.index;
    let Some(first) = held.iter().find(|held| held.named && keeps_out(held.mode) && earlier(held.statement))
    else {
        return;
    };
    let message = format!(
        "nobody can read or write {} any more, and nobody {} since line {}: one transaction holds ACCESS EXCLUSIVE on both, and \
         holds the first while it waits for the second",
        context.sized(&taken.relation),
        context.sized(&first.relation),
        context.line_of_statement(first.statement)
    );
    let remedy = format!(
        "Change each table {}: then no wait holds another table's lock, and two migrations can't deadlock.",
        context.apart()
    );
    let claim =
        Claim::Lock { relation: taken.relation.to_string(), mode: LockMode::AccessExclusive, work: None };
    let problem = Problem::new(message, remedy, claim).severity(context.brief_severity());
    problems.push(match &taken.range {
        Some(range) => problem.at(range),
        None => problem,
    });
}
