//! A table or view that cannot be dropped, since something needs it.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{Drop, ObjectKind};

use super::dependents::{self, Dependent};
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-table-still-referenced",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("drop_table_still_referenced.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Drop(Drop { kind, names, cascade: false, .. }) = context.command else { return };
    let relations =
        [ObjectKind::Table, ObjectKind::ForeignTable, ObjectKind::View, ObjectKind::MaterializedView];
    if !relations.contains(kind) || !context.surely_runs() {
        return;
    }
    let dropped = dependents::with_descendants(context, names);
    let mut needed_by: Vec<Dependent> = Vec::new();
    for name in dropped.iter().filter(|name| context.schema.has(name)) {
        for dependent in dependents::of_relation(context, name, &dropped) {
            if !needed_by.contains(&dependent) {
                needed_by.push(dependent);
            }
        }
    }
    if needed_by.is_empty() {
        return;
    }
    let shown: Vec<String> = names.iter().map(|name| context.schema.resolve(name).to_string()).collect();
    let (shown, needs) = (shown.join(", "), dependents::listed(&needed_by));
    problems.push(Problem::new(
        format!("this statement fails: {needs} needs {shown}"),
        format!(
            "Drop what needs it first, by name, in the same transaction; CASCADE would drop it unseen:\n{}",
            dependents::drops(&needed_by)
        ),
        Claim::Fails,
    ));
}
