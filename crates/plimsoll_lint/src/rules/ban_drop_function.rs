//! A dropped function that running code may still call.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ObjectKind;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-function",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-function")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_function.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    dropped::each(
        context,
        problems,
        &[ObjectKind::Function, ObjectKind::Procedure, ObjectKind::Aggregate],
        |name| {
            let anew = context.later(name).any(|command| matches!(command, Command::CreateFunction(_)));
            let message = match anew {
                true => format!(
                    "{name} is dropped and made anew: a call with other arguments, or between the two, fails"
                ),
                false => format!("code that still calls {name} fails from this moment on"),
            };
            let remedy = "Where arguments and result stay, CREATE OR REPLACE keeps it callable throughout; otherwise make the new \
                      one under another name or with other arguments, deploy code that calls it, then drop the old one.";
            Some((message, remedy.to_owned()))
        },
    );
}
