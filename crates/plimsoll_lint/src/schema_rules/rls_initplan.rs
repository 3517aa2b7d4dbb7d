//! Calls in a policy that are made for each row.

use plimsoll_core::Severity;
use plimsoll_sql::ObjectName;
use plimsoll_sql::command::Volatility;
use plimsoll_sql::schema::Relation;

use super::policy_clauses::{PolicyClauses, bare_calls};
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "rls-initplan",
    other_tools: &[("splinter", "auth_rls_initplan")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("rls_initplan.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        for policy in &table.policies {
            let clauses = PolicyClauses::read(&policy.clauses);
            let calls = clauses.conditions().flat_map(bare_calls);
            let Some((function, arguments)) = calls
                .into_iter()
                .find(|(function, arguments)| is_slow(context, function) && !reads_row(table, arguments))
            else {
                continue;
            };
            let call = format!("{function}({arguments})");
            let problem = SchemaProblem::new(
                Subject::Policy(name.clone(), policy.name.clone()),
                format!("the policy {} calls {call} for each row of {}", policy.name, context.sized(name)),
                format!("Call it once a statement, in a sub-select: (SELECT {call})."),
            );
            problems.push(if context.is_small(table) { problem.severity(Severity::Note) } else { problem });
        }
    }
}

/// Whether a function is called at run time, and worth calling once only.
fn is_slow(context: &SchemaContext, function: &str) -> bool {
    let (schema, name) = match function.rsplit_once('.') {
        Some((schema, name)) => (Some(schema), name),
        None => (None, function),
    };
    if name == "current_setting" {
        return true;
    }
    match context.schema.function(&ObjectName::unqualified(name)) {
        Some(known) => known.volatility != Volatility::Immutable,
        // Another schema's, of which nothing is known.
        None => schema.is_some_and(|schema| schema != "pg_catalog" && !schema.is_empty()),
    }
}

fn reads_row(table: &Relation, arguments: &str) -> bool {
    let words = arguments.split(|character: char| !(character.is_alphanumeric() || character == '_'));
    // What stands in quotes may look like a column; then nothing is said.
    words.into_iter().any(|word| table.column(word).is_some())
}
