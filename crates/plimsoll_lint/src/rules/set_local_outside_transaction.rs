//! `SET LOCAL` where there is no transaction.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "set-local-outside-transaction",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("set_local_outside_transaction.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Set(set) = context.command else { return };
    if !set.local || context.place.in_transaction() {
        return;
    }
    let message = format!(
        "there is no transaction here, so this sets {} for nothing but itself; PostgreSQL gives a warning at most",
        set.name
    );
    let value = match set.values.as_slice() {
        [] => "DEFAULT".to_owned(),
        values => values.iter().map(|value| format!("'{value}'")).collect::<Vec<_>>().join(", "),
    };
    let remedy = format!("Set it for the session, or put BEGIN before it:\nSET {} = {value};", set.name);
    let edits = context.behind(&["set", "local"]).map(|end| {
        let start = end - " local".len();
        vec![(start..end, String::new())]
    });
    let set_only = context.behind(&["set"]).map(|end| end + " local".len());
    let edits = edits.filter(|edits| edits.first().map(|(range, _)| range.end) == set_only);
    problems.push(Problem::new(message, remedy, Claim::Nothing).maybe_fix("Set it for the session", edits));
}
