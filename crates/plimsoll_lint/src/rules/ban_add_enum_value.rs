//! A value of an enum that running code doesn't know.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::TypeAction;
use plimsoll_sql::schema::UserType;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-add-enum-value",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-add-enum-value")],
    severity: Severity::Warning,
    page: include_str!("ban_add_enum_value.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterType { name, action: TypeAction::AddValue { value, .. } } = context.command else {
        return;
    };
    let has =
        matches!(context.schema.user_type(name), Some(UserType::Enum(values)) if values.contains(value));
    if has || context.schema.is_new_type(name) {
        return;
    }
    problems.push(Problem::new(
        format!("code that doesn't know '{value}' of {name} fails when it reads the first row that has it"),
        "Deploy code that bears the value before any code writes it; a value can't be taken away again.",
        Claim::Nothing,
    ));
}
