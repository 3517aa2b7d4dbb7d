//! An extension brought to another version, or otherwise changed.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ObjectChange, ObjectKind, Verb};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-extension",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-extension")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_extension.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Object(ObjectChange {
        verb: Verb::Alter,
        kind: ObjectKind::Extension,
        name,
        rename_to: None,
        words,
        ..
    }) = context.command
    else {
        return;
    };
    let new = name.as_ref().is_some_and(|name| context.schema.is_new_extension(&name.name));
    if new || words.contains(" set schema ") {
        return;
    }
    let name = name.as_ref().map(ToString::to_string).unwrap_or_default();
    problems.push(Problem::new(
        format!("functions, operators and types of {name} that running code uses may change or go from this moment on"),
        format!("Read the release notes between the two versions, name the one that was tested, and see what the code uses of it:\nALTER EXTENSION {name} UPDATE TO '…';"),
        Claim::Nothing,
    ));
}
