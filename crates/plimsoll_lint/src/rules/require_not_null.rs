//! A new column that takes nulls.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ConstraintKind};
use plimsoll_sql::name::quote_identifier;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-not-null",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("require_not_null.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateTable(table) = context.command else { return };
    if table.temporary || table.partition_of.is_some() {
        return;
    }
    let keyed = |kind: &ConstraintKind, name: &str| match kind {
        ConstraintKind::NotNull { column } => column == name,
        ConstraintKind::PrimaryKey(key) => key.columns.iter().any(|column| column == name),
        _ => false,
    };
    for column in &table.columns {
        let own = column.constraints.iter().chain(&table.constraints);
        let serial = column.data_type.as_ref().is_some_and(plimsoll_sql::DataType::is_serial);
        let forbids = own.into_iter().any(|constraint| keyed(&constraint.kind, &column.name))
            || serial
            || column.generated.is_some()
            || forbidden_later(context, &column.name);
        if forbids {
            continue;
        }
        let message =
            format!("{}.{} takes nulls, which every reader then has to bear", table.name, column.name);
        let remedy = format!(
            "Forbid them while the table is empty and that costs nothing:\n{} … NOT NULL",
            quote_identifier(&column.name)
        );
        problems.push(Problem::new(message, remedy, Claim::Nothing).at(&column.bytes.whole()));
    }
}

/// Whether a later statement of the file forbids nulls in it.
fn forbidden_later(context: &Context, name: &str) -> bool {
    let Command::CreateTable(table) = context.command else { return false };
    context.later(&table.name).any(|command| match command {
        Command::AlterTable(alter) => alter.actions.iter().any(|action| match &action.kind {
            ActionKind::SetNotNull { column } => column == name,
            ActionKind::AddConstraint(constraint) => match &constraint.kind {
                ConstraintKind::NotNull { column } => column == name,
                ConstraintKind::PrimaryKey(key) => key.columns.iter().any(|column| column == name),
                _ => false,
            },
            _ => false,
        }),
        _ => false,
    })
}
