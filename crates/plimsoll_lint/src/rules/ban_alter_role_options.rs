//! Changed options of a role.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::ObjectKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-role-options",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-role-options")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_role_options.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some(name) = context.altered_object(ObjectKind::Role) else { return };
    problems.push(Problem::new(
        format!("sessions of {name} work under other rights or settings: those of running code as soon as they connect anew"),
        "Set it for the sessions of the new code only (SET at connect, or a role of its own), and for the role when no old code runs.",
        Claim::Nothing,
    ));
}
