//! Several permissive policies for one role and command.

use plimsoll_core::Severity;
use std::collections::BTreeMap;

use super::policy_clauses::PolicyClauses;
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "multiple-permissive-policies",
    other_tools: &[("splinter", "multiple_permissive_policies")],
    severity: Severity::Note,
    needs: Needs::Definitions,
    page: include_str!("multiple_permissive_policies.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    const COMMANDS: [&str; 4] = ["delete", "insert", "select", "update"];
    for (name, table) in context.schema.relations() {
        let mut met: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
        for policy in &table.policies {
            let clauses = PolicyClauses::read(&policy.clauses);
            for role in clauses.roles.iter().filter(|_| clauses.permissive) {
                for command in
                    COMMANDS.into_iter().filter(|one| clauses.command == *one || clauses.command == "all")
                {
                    met.entry((role.clone(), command)).or_default().push(&policy.name);
                }
            }
        }
        let Some(((role, _), policies)) = met.iter().find(|(_, policies)| policies.len() > 1) else {
            continue;
        };
        let commands: Vec<&str> = met
            .iter()
            .filter(|((of, _), some)| of == role && some.len() > 1)
            .map(|((_, command), _)| *command)
            .collect();
        problems.push(SchemaProblem::new(
            Subject::Policy(name.clone(), policies[policies.len() - 1].to_owned()),
            format!("each row of {name} is tried against {} for {role} ({})", policies.join(" and "), commands.join(", ")),
            "Put them into one policy with OR, so that one condition is planned; or make one of them restrictive, if both are to hold.",
        ));
    }
}
