//! An enum value put at the end without saying so.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::TypeAction;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::UserType;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-enum-value-ordering",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[("squawk", "require-enum-value-ordering")],
    severity: Severity::Note,
    page: include_str!("require_enum_value_ordering.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterType { name, action: TypeAction::AddValue { value, placed: false, .. } } =
        context.command
    else {
        return;
    };
    let last = match context.schema.user_type(name) {
        Some(UserType::Enum(values)) => values.last().cloned(),
        _ => None,
    };
    let after = last.map_or_else(|| "…".to_owned(), |last| format!("'{last}'"));
    problems.push(Problem::new(
        format!("'{value}' goes behind all values of {name}, and ORDER BY and comparisons follow that order for ever"),
        format!("Say where it belongs:\nALTER TYPE {} ADD VALUE '{value}' AFTER {after};", quote_name(name)),
        Claim::Nothing,
    ));
}
