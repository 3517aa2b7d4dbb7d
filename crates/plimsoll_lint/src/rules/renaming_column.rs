//! A renamed column that running code knows by its old name.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "renaming-column",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[("squawk", "renaming-column"), ("strong_migrations", "rename_column")],
    severity: Severity::Warning,
    page: include_str!("renaming_column.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::RenameColumn { from, to } = &action.kind else { continue };
        problems.push(Problem {
            range: Some(action.range.clone()),
            message: format!("code that still says {}.{from} fails from this moment on, and code that says {to} fails until then", table.name),
            remedy: format!(
                "Add {to} beside {from}, write both, fill {to} in batches, move the readers over, then drop {from}."
            ),
            claim: table.brief_claim(LockMode::AccessExclusive),
            ..Problem::default()
        });
    }
}
