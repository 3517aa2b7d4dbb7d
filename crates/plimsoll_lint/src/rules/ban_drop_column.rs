//! A dropped column that running code may still use.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-column",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[("squawk", "ban-drop-column"), ("strong_migrations", "remove_column")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_column.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::DropColumn { name, .. } = &action.kind else { continue };
        if table.relation.is_some_and(|relation| relation.columns_known && relation.column(name).is_none()) {
            continue;
        }
        problems.push(Problem {
            range: Some(action.range.clone()),
            message: format!("code that still reads or writes {}.{name} fails from this moment on", table.name),
            remedy: "Deploy code that no longer names the column (with an ORM: ignore it in the model), then drop it in \
                     a later change."
                .into(),
            claim: table.brief_claim(LockMode::AccessExclusive),
            ..Problem::default()
        });
    }
}
