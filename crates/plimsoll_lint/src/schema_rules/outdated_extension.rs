//! Extensions that were not updated with their files.

use plimsoll_core::Severity;

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "outdated-extension",
    other_tools: &[("splinter", "extension_versions_outdated")],
    severity: Severity::Note,
    needs: Needs::Counters,
    page: include_str!("outdated_extension.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, facts) in &context.facts.extensions {
        let Some(newest) = facts.newest.as_deref().filter(|newest| *newest != facts.version) else {
            continue;
        };
        problems.push(SchemaProblem::new(
            Subject::Extension(name.clone()),
            format!("{name} is at version {}, and the server's files are of version {newest}", facts.version),
            format!("ALTER EXTENSION {name} UPDATE; after reading what changed."),
        ));
    }
}
