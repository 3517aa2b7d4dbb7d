//! Foreign keys whose columns no index begins with.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::{Relation, TableIndex};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "unindexed-foreign-keys",
    other_tools: &[("splinter", "unindexed_foreign_keys"), ("pglinter", "B003")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("unindexed_foreign_keys.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.tables() {
        for constraint in table.constraints.iter().filter(|one| one.enforced) {
            let ConstraintKind::ForeignKey { columns, references, .. } = &constraint.kind else { continue };
            if is_indexed(table, columns) {
                continue;
            }
            let list = columns.iter().map(|column| quote_identifier(column)).collect::<Vec<_>>().join(", ");
            let problem = SchemaProblem::new(
                Subject::Constraint(name.clone(), constraint.name.clone()),
                format!(
                    "deleting from {references} reads all of {} for each row: no index begins with {list}, the columns of {}",
                    context.sized(name),
                    constraint.name
                ),
                format!("CREATE INDEX CONCURRENTLY ON {} ({list});", quote_name(name)),
            );
            problems.push(if context.is_small(table) { problem.severity(Severity::Note) } else { problem });
        }
    }
}

/// Whether an index begins with the columns, in any order.
fn is_indexed(table: &Relation, columns: &[String]) -> bool {
    let begins = |keys: &[String]| {
        keys.len() >= columns.len() && columns.iter().all(|column| keys[..columns.len()].contains(column))
    };
    let by_constraint = table.constraints.iter().any(|one| match &one.kind {
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => begins(&key.columns),
        _ => false,
    });
    let usable = |index: &&TableIndex| {
        // `WHERE column IS NOT NULL` leaves out what no foreign key looks for.
        index.valid && (!index.partial || index.predicate_columns.iter().all(|name| columns.contains(name)))
    };
    by_constraint
        || table.indexes.iter().filter(usable).any(|index| {
            let keys: Vec<String> = index.keys.iter().map_while(|key| key.column.clone()).collect();
            begins(&keys)
        })
}
