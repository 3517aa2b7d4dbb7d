//! A file without a transaction that can't be run a second time once it has failed halfway.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::{ActionKind, Drop, ObjectKind};
use plimsoll_sql::transaction::Block;
use plimsoll_sql::{Command, ObjectName};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

const ID: &str = "migration-not-rerunnable";

pub(super) const RULE: Rule = Rule {
    id: ID,
    group: Group::Transactions,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("migration_not_rerunnable.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let followed = context.migration.statements.iter().skip(context.index + 1).any(|statement| {
        statement.command().is_some_and(|command| !matches!(command, Command::Set(_) | Command::Reset { .. }))
    });
    // The last step has done nothing if it failed, but for a concurrent build.
    let leaves =
        matches!(context.command, Command::CreateIndex(index) if index.concurrently && context.index > 0);
    if context.place.block != Block::None || !(followed || leaves) || context.session.told_in_file(ID) {
        return;
    }
    let Some(guard) = missing_guard(context) else { return };
    let message = "this file runs without a transaction, and if a later statement fails, this one fails when the file is run again";
    problems.push(Problem::new(message, guard, Claim::Nothing));
}

/// What makes the statement one that can run twice, unless it is.
fn missing_guard(context: &Context) -> Option<String> {
    let if_not_exists = || "Write IF NOT EXISTS.".to_owned();
    let if_exists = || "Write IF EXISTS.".to_owned();
    match context.command {
        Command::CreateTable(table) if !table.if_not_exists && !table.temporary => {
            (!is_dropped_before(context, ObjectKind::Table, &table.name.name)).then(if_not_exists)
        }
        Command::CreateTableAs { if_not_exists: false, temporary: false, name } => {
            (!is_dropped_before(context, ObjectKind::Table, &name.name)).then(if_not_exists)
        }
        Command::CreateIndex(index) if !index.if_not_exists => {
            let name = index.name.as_deref()?;
            (!is_dropped_before(context, ObjectKind::Index, name)).then(|| {
                "Drop before it what an earlier try may have left: DROP INDEX CONCURRENTLY IF EXISTS …;".to_owned()
            })
        }
        Command::Drop(Drop { if_exists: false, .. }) => Some(if_exists()),
        Command::AlterTable(alter) => alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::AddColumn { if_not_exists: false, .. } => Some(if_not_exists()),
            ActionKind::DropColumn { if_exists: false, .. } | ActionKind::DropConstraint { if_exists: false, .. } => {
                Some(if_exists())
            }
            ActionKind::AddConstraint(constraint) => {
                let name = constraint.name.as_deref();
                (!name.is_some_and(|name| is_constraint_dropped_before(context, &alter.name, name))).then(|| {
                    "There is no IF NOT EXISTS for constraints: drop it before by DROP CONSTRAINT IF EXISTS.".to_owned()
                })
            }
            ActionKind::RenameTo { .. } | ActionKind::RenameColumn { .. } => {
                Some("A rename can't be guarded: give it a file of its own.".to_owned())
            }
            _ => None,
        }),
        _ => None,
    }
}

fn is_dropped_before(context: &Context, kind: ObjectKind, name: &str) -> bool {
    earlier(context).any(|command| match command {
        Command::Drop(drop) => {
            drop.kind == kind && drop.if_exists && drop.names.iter().any(|dropped| dropped.name == name)
        }
        _ => false,
    })
}

fn is_constraint_dropped_before(context: &Context, table: &ObjectName, constraint: &str) -> bool {
    let drops = |kind: &ActionKind| matches!(kind, ActionKind::DropConstraint { name, if_exists: true, .. } if name == constraint);
    let of_file = earlier(context).any(|command| match command {
        Command::AlterTable(alter) => {
            alter.name == *table && alter.actions.iter().any(|action| drops(&action.kind))
        }
        _ => false,
    });
    let Command::AlterTable(own) = context.command else { return of_file };
    of_file || own.actions.iter().any(|action| drops(&action.kind))
}

fn earlier<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a Command> {
    context.migration.statements.iter().take(context.index).filter_map(|statement| statement.command())
}
