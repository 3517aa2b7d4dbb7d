//! Indexes that no query may use.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::ObjectName;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::RelationKind;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "invalid-index",
    other_tools: &[("splinter", "invalid_index")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("invalid_index.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        let is_partitioned = table.kind == RelationKind::PartitionedTable;
        if is_partitioned && context.schema.descendants(name).is_empty() {
            continue;
        }
        for index in table.indexes.iter().filter(|index| !index.valid) {
            let full = ObjectName { schema: name.schema.clone(), name: index.name.clone() };
            let (message, remedy) = match is_partitioned {
                true => (
                    format!("{full} stands on {name} alone: partitions lack it, and no query uses it"),
                    format!(
                        "CREATE INDEX CONCURRENTLY on each partition, then ALTER INDEX {} ATTACH PARTITION ….",
                        quote_name(&full)
                    ),
                ),
                false => (
                    format!(
                        "{full} is invalid: no query uses it, and each write to {} pays for it all the same",
                        context.sized(name)
                    ),
                    format!(
                        "REINDEX INDEX CONCURRENTLY {0};\nor DROP INDEX CONCURRENTLY {0};",
                        quote_name(&full)
                    ),
                ),
            };
            problems.push(SchemaProblem::new(
                Subject::Index(name.clone(), index.name.clone()),
                message,
                remedy,
            ));
        }
    }
}
