//! Two ALTER TABLEs that could be one.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, AlterTable};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "multiple-alter-table",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[("eugene", "W12"), ("postgres-language-server", "multipleAlterTable")],
    severity: Severity::Note,
    page: include_str!("multiple_alter_table.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some((alter, table)) = context.altered() else { return };
    let Some(before) = context.index.checked_sub(1) else { return };
    let previous = context.earlier(&alter.name).find(|(at, _)| *at == before);
    let Some((_, Command::AlterTable(previous))) = previous else { return };
    if !context.surely_runs() || !joins(alter) || !joins(previous) || previous.only != alter.only {
        return;
    }
    problems.push(Problem::new(
        format!(
            "this takes the lock on {} a second time, and reads or writes the table again where both have to",
            table.name
        ),
        format!("Make its actions part of the statement before:\n{};", joined(context, before, alter)),
        Claim::Nothing,
    ));
}

/// Both statements in one.
fn joined(context: &Context, before: usize, alter: &AlterTable) -> String {
    let migration = context.migration;
    let first = migration.sql(&migration.statements[before]).trim_end();
    let actions = alter.actions.iter().filter_map(|action| context.sql().get(action.range.clone()));
    std::iter::once(first).chain(actions).collect::<Vec<_>>().join(", ")
}

/// Whether all its actions may stand beside others in one statement, and mean the same there.
fn joins(alter: &AlterTable) -> bool {
    alter.actions.iter().all(|action| match &action.kind {
        ActionKind::AddConstraint(constraint) => !constraint.not_valid,
        kind => matches!(
            kind,
            ActionKind::AddColumn { .. }
                | ActionKind::DropColumn { .. }
                | ActionKind::AlterColumnType { .. }
                | ActionKind::SetDefault { .. }
                | ActionKind::DropDefault { .. }
                | ActionKind::SetNotNull { .. }
                | ActionKind::DropNotNull { .. }
                | ActionKind::DropConstraint { .. }
        ),
    })
}
