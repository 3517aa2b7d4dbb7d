//! A privilege taken away.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-revoke",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-revoke")],
    severity: Severity::Warning,
    page: include_str!("ban_revoke.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Grant(grant) = context.command else { return };
    let schema = context.schema;
    let new = !grant.objects.is_empty()
        && grant.objects.iter().all(|object| {
            schema.is_new(object) || schema.is_new_function(object) || schema.is_new_schema(&object.name)
        });
    if !grant.revoke || new {
        return;
    }
    let objects: Vec<String> = grant.objects.iter().map(ToString::to_string).collect();
    let (what, roles) = (grant.privileges.join(", "), grant.roles.join(", "));
    let message = match objects.as_slice() {
        [] => format!("statements of running code that need {what} fail from this moment on for {roles}"),
        objects => format!(
            "statements of running code that need {what} on {} fail from this moment on for {roles}",
            objects.join(", ")
        ),
    };
    let remedy =
        "Deploy code that no longer needs it, or runs as another role, then take it away in a later change.";
    problems.push(Problem::new(message, remedy, Claim::Nothing));
}
