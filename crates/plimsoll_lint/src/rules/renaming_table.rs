//! A renamed table that running code knows by its old name.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ObjectKind};
use plimsoll_sql::name::quote_identifier;
use plimsoll_sql::schema::RelationKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "renaming-table",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[("squawk", "renaming-table"), ("strong_migrations", "rename_table")],
    severity: Severity::Warning,
    page: include_str!("renaming_table.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    // ALTER TABLE renames indexes too; nobody's code names those. Of sequences renaming-object and
    // ban-set-schema tell.
    let sequence = alter.kind == ObjectKind::Sequence
        || table.relation.is_some_and(|relation| relation.kind == RelationKind::Sequence);
    if sequence || context.known_missing(&alter.name) {
        return;
    }
    for action in &alter.actions {
        let to = match &action.kind {
            ActionKind::RenameTo { to } => quote_identifier(to),
            ActionKind::SetSchema { schema } => {
                format!("{}.{}", quote_identifier(schema), quote_identifier(&alter.name.name))
            }
            _ => continue,
        };
        let old = &table.sql;
        problems.push(Problem {
            range: Some(action.range.clone()),
            message: format!("code that still says {} fails from this moment on, and code that says {to} fails until then", table.name),
            remedy: format!(
                "Leave a view under the old name in the same transaction, and drop it when no code uses it (a simple view \
                 takes writes too):\nCREATE VIEW {old} AS SELECT * FROM {to};"
            ),
            claim: table.brief_claim(LockMode::AccessExclusive),
            ..Problem::default()
        });
    }
}
