//! Columns that keep pg_upgrade from upgrading.

use plimsoll_core::Severity;

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "unsupported-reg-types",
    other_tools: &[("splinter", "unsupported_reg_types")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("unsupported_reg_types.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    // `pg_upgrade` keeps the OIDs of these alone (documentation, "pg_upgrade").
    const KEPT: [&str; 3] = ["regclass", "regrole", "regtype"];
    for (name, table) in context.tables() {
        for column in &table.columns {
            let Some(data_type) = &column.data_type else { continue };
            let type_name = data_type.name.name.as_str();
            let is_reg = data_type.name.schema.as_deref().is_none_or(|schema| schema == "pg_catalog")
                && [
                    "regproc",
                    "regprocedure",
                    "regoper",
                    "regoperator",
                    "regconfig",
                    "regdictionary",
                    "regnamespace",
                    "regcollation",
                ]
                .contains(&type_name);
            if !is_reg || KEPT.contains(&type_name) {
                continue;
            }
            problems.push(SchemaProblem::new(
                Subject::Relation(name.clone()),
                format!("pg_upgrade refuses this database: {name}.{} is of type {type_name}, whose numbers change", column.name),
                format!("Store the name as text, and cast it where it is used: {}::{type_name}.", column.name),
            ));
        }
    }
}
