//! Changed options of a function.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ObjectChange, ObjectKind, Verb};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-function-options",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-function-options")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_function_options.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Object(ObjectChange { verb: Verb::Alter, kind, name: Some(name), rename_to: None, words }) =
        context.command
    else {
        return;
    };
    let routine = matches!(kind, ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate);
    let other = [" set schema ", " owner to ", " depends on "].iter().any(|clause| words.contains(clause));
    if !routine || other || context.schema.is_new_function(name) {
        return;
    }
    problems.push(Problem::new(
        format!(
            "calls of {name} by running code work by other rights, settings or rules from this moment on"
        ),
        format!(
            "Make a second function with the new options, deploy code that calls that, then drop {name}."
        ),
        Claim::Nothing,
    ));
}
