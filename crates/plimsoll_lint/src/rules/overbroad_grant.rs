//! A grant of everything, or to everybody.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "overbroad-grant",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("overbroad_grant.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Grant(grant) = context.command else { return };
    if grant.revoke || grant.object_kind.is_empty() {
        return;
    }
    let everybody = grant.roles.iter().any(|role| role == "public");
    let everything =
        grant.privileges.iter().any(|privilege| privilege == "all" || privilege.starts_with("all "));
    let objects: Vec<String> = grant.objects.iter().map(ToString::to_string).collect();
    let (objects, roles) = (objects.join(", "), grant.roles.join(", "));
    let message = match (everybody, everything) {
        (true, true) => format!("every role that can connect gets every right on {objects}"),
        (true, false) => format!(
            "every role that can connect, and each to come, gets {} on {objects}",
            grant.privileges.join(", ")
        ),
        (false, true) => format!(
            "{roles} gets every right on {objects}: to empty it, to reference it, to put triggers on it"
        ),
        (false, false) => return,
    };
    let remedy = format!(
        "Grant what the code needs to the role that it has:\nGRANT SELECT, INSERT, UPDATE, DELETE ON {objects} TO {};",
        if everybody { "…" } else { &roles }
    );
    problems.push(Problem::new(message, remedy, Claim::Nothing));
}
