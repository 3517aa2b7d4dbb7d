//! A renamed schema.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ObjectChange, ObjectKind, Verb};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "renaming-schema",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "renaming-object")],
    severity: Severity::Warning,
    page: include_str!("renaming_schema.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Object(ObjectChange {
        verb: Verb::Alter,
        kind: ObjectKind::Schema,
        name: Some(name),
        rename_to: Some(to),
        ..
    }) = context.command
    else {
        return;
    };
    if context.schema.is_new_schema(&name.name) {
        return;
    }
    problems.push(Problem::new(
        format!("code that finds anything in the schema {name} fails from this moment on, and code that says {to} fails until then"),
        format!("Make the schema {to}, leave views there over the tables of {name}, move the code over, then move the tables:\nCREATE SCHEMA {to};\nCREATE VIEW {to}.… AS SELECT * FROM {name}.…;"),
        Claim::Nothing,
    ));
}
