//! Rights that every role has.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::schema::{Grantable, PUBLIC, ResolvedName};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "grants-to-public",
    other_tools: &[("pgfence", "grant-public")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("grants_to_public.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (object, roles) in &context.schema.privileges().granted {
        let Some(rights) = roles.get(PUBLIC).filter(|rights| !rights.is_empty()) else { continue };
        let subject = match object {
            Grantable::Relation(name) | Grantable::Column(name, _) => Subject::Relation(name.clone()),
            // Everybody may call a function and look into a schema unless that is revoked.
            Grantable::Schema(name) if rights.contains("create") => {
                Subject::Relation(ResolvedName::unqualified(name))
            }
            Grantable::Schema(_) | Grantable::Function(_) | Grantable::Other(..) => continue,
        };
        let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
        let rights = rights.join(", ");
        let on = match object {
            Grantable::Schema(name) => format!("SCHEMA {name}"),
            Grantable::Column(table, _) => table.to_string(),
            other => other.to_string(),
        };
        problems.push(SchemaProblem::new(
            subject,
            format!("every role that can connect, and each to come, has {rights} on {object}"),
            format!(
                "REVOKE {} ON {on} FROM PUBLIC; and grant to the roles that need it.",
                rights.to_uppercase()
            ),
        ));
    }
}
