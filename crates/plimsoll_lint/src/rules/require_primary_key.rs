//! A new table without a primary key.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ConstraintKind};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-primary-key",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("require_primary_key.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateTable(table) = context.command else { return };
    let made_otherwise = table.partition_of.is_some()
        || table.of_type.is_some()
        || table.like.iter().any(|like| like.including.iter().any(|part| part == "all" || part == "indexes"));
    if table.temporary || table.foreign || made_otherwise {
        return;
    }
    let inline = table.columns.iter().flat_map(|column| &column.constraints);
    let has = inline
        .chain(&table.constraints)
        .any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
    let later = || {
        context.later(&table.name).any(|command| match command {
            Command::AlterTable(alter) => alter.actions.iter().any(|action| {
                matches!(&action.kind, ActionKind::AddConstraint(constraint) if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)))
            }),
            _ => false,
        })
    };
    if has || later() {
        return;
    }
    problems.push(Problem::new(
        format!("{} has no primary key: logical replication refuses its updates and deletes, and no row can be named", table.name),
        "Number the rows, or say which columns name one:\nid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        Claim::Nothing,
    ));
}
