//! A composite type with one more attribute.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::TypeAction;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-add-composite-attribute",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-add-composite-attribute")],
    severity: Severity::Warning,
    page: include_str!("ban_add_composite_attribute.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterType { name, action: TypeAction::Attributes { adds: true, .. } } = context.command
    else {
        return;
    };
    if context.schema.is_new_type(name) {
        return;
    }
    problems.push(Problem::new(
        format!("code that reads or writes values of {name} by their places meets one attribute more from this moment on"),
        format!("Make a second type with the attribute, deploy code that uses that, then drop {name}."),
        Claim::Nothing,
    ));
}
