//! A dropped extension whose functions and types running code may use.

use plimsoll_core::Severity;
use plimsoll_sql::command::ObjectKind;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-extension",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-extension")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_extension.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    dropped::each(context, problems, &[ObjectKind::Extension], |name| {
        let message = format!(
            "every function, operator and type of the extension {name} is gone for running code from this moment on"
        );
        let remedy = format!(
            "Deploy code that uses nothing of it, see what the database still uses (\\dx+ {name} in psql), then drop it in a \
             later change."
        );
        Some((message, remedy))
    });
}
