//! A dropped constraint on which running code relies.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, AlterTable, ConstraintKind};

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-constraint",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[
        ("squawk", "ban-drop-constraint"),
        ("pgfence", "drop-constraint"),
        ("pgsafe", "drop-constraint"),
    ],
    severity: Severity::Warning,
    page: include_str!("ban_drop_constraint.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::DropConstraint { name, if_exists, .. } = action else { return None };
        let known = table.relation.map(|relation| relation.constraint(name));
        let missing = *if_exists && matches!(known, Some(None)) && context.schema.is_known();
        if missing || context.schema.is_new_constraint(&alter.name, name) || made_anew(context, name) {
            return None;
        }
        let (what, remedy) = match known.flatten().map(|constraint| &constraint.kind) {
            Some(ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude) => (
                "running code may write duplicates, and its INSERT … ON CONFLICT on those columns fails",
                "Build the unique index that takes its place first, then drop it:\nCREATE UNIQUE INDEX CONCURRENTLY …;",
            ),
            Some(ConstraintKind::ForeignKey { .. }) => (
                "running code may leave rows that reference nothing, and deletes no longer cascade",
                "Deploy code that keeps the reference itself, then drop it in a later change.",
            ),
            _ => (
                "running code may read values that it has never had to bear",
                "Deploy code that bears every value first; where the condition only widens, add the wider one NOT VALID in the same \
                 statement.",
            ),
        };
        Some((format!("without {name} on {} {what}", table.name), remedy.to_owned()))
    });
}

/// Whether a constraint of the same name takes its place: that one is told of.
fn made_anew(context: &Context, name: &str) -> bool {
    let Command::AlterTable(alter) = context.command else { return false };
    let adds = |alter: &AlterTable| {
        alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::AddConstraint(added) if added.name.as_deref() == Some(name))
        })
    };
    adds(alter)
        || context
            .later(&alter.name)
            .any(|command| matches!(command, Command::AlterTable(later) if adds(later)))
}
