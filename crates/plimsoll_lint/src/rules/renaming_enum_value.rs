//! A renamed enum value.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::TypeAction;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "renaming-enum-value",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "renaming-object")],
    severity: Severity::Warning,
    page: include_str!("renaming_enum_value.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterType { name, action: TypeAction::RenameValue { from, to } } = context.command else {
        return;
    };
    if context.schema.is_new_type(name) || context.schema.is_new_enum_value(from) {
        return;
    }
    let sql = plimsoll_sql::name::quote_name(name);
    problems.push(Problem::new(
        format!("code that still writes '{from}' to a {name} fails from this moment on, and what it reads there is '{to}', which it doesn't know"),
        format!("Add the new value beside the old one, deploy code that bears both, then move the rows over in batches:\nALTER TYPE {sql} ADD VALUE '{to}' AFTER '{from}';"),
        Claim::Nothing,
    ));
}
