//! A new enum value written before running code knows it.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-enum-value-before-readers",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("add_enum_value_before_readers.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let is_new = |text: &&String| context.schema.is_new_enum_value(text.trim_matches('\''));
    let said = |table: &str, value: &str| {
        (
            format!(
                "running code meets '{value}' in {table}, an enum value that this same change adds and that it doesn't know"
            ),
            "Add the value in a change of its own, deploy code that bears it, and write it after that.",
        )
    };
    match context.command {
        Command::Modify(modify) => {
            let Some(table) = context.existing(&modify.table) else { return };
            let Some(value) = modify.strings.iter().find(is_new) else { return };
            let (message, remedy) = said(&table.name, value);
            problems.push(Problem::new(message, remedy, table.brief_claim(LockMode::RowExclusive)));
        }
        Command::AlterTable(_) => {
            let Some((alter, table)) = context.altered() else { return };
            for action in &alter.actions {
                let ActionKind::SetDefault { default: Some(default), .. } = &action.kind else { continue };
                let text = default.text.split("::").next().unwrap_or_default().trim().to_owned();
                if !text.starts_with('\'') || !is_new(&&text) {
                    continue;
                }
                let (message, remedy) = said(&table.name, text.trim_matches('\''));
                problems.push(Problem::new(message, remedy, Claim::Nothing).at(&action.range));
            }
        }
        _ => {}
    }
}
