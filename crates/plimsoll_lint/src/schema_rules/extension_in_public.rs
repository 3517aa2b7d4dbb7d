//! Extensions among a project's own objects.

use plimsoll_core::Severity;

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "extension-in-public",
    other_tools: &[("splinter", "extension_in_public"), ("pglinter", "S002")],
    severity: Severity::Note,
    needs: Needs::Definitions,
    page: include_str!("extension_in_public.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    // These say themselves in which schema they live.
    const PLACED: [&str; 7] = [
        "plpgsql",
        "pg_cron",
        "pg_partman_bgw",
        "pgsodium",
        "pgmq",
        "postgis_topology",
        "timescaledb_toolkit",
    ];
    for extension in context.schema.extensions().filter(|extension| !PLACED.contains(extension)) {
        if context.schema.extension_schema(extension).is_some_and(|schema| schema != "public") {
            continue;
        }
        problems.push(SchemaProblem::new(
            Subject::Extension(extension.to_owned()),
            format!("the functions and operators of {extension} live in the schema public, among your own"),
            format!("CREATE SCHEMA extensions; ALTER EXTENSION {extension} SET SCHEMA extensions; and put that schema on the search_path."),
        ));
    }
}
