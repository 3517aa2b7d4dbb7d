//! A domain with a constraint, which can hardly be changed once tables use it.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-create-domain-with-constraint",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "ban-create-domain-with-constraint")],
    severity: Severity::Note,
    page: include_str!("ban_create_domain_with_constraint.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateDomain(domain) = context.command else { return };
    if domain.constraints.is_empty() {
        return;
    }
    let message = format!(
        "the domain {} has a constraint: adding a column of it to a table rewrites that, and changing the constraint later reads \
         every table that uses it while nobody can write",
        domain.name
    );
    let base = domain.base.as_ref().map(ToString::to_string).unwrap_or_default();
    let remedy = format!("Declare the columns as {base} and put the constraint on each table as a CHECK.");
    problems.push(Problem::new(message, remedy, Claim::Nothing));
}
