//! Foreign keys between columns of different types.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::schema::Relation;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "fk-type-mismatch",
    other_tools: &[("online_migrations", "mismatched_foreign_key_type")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("fk_type_mismatch.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.tables() {
        for constraint in &table.constraints {
            let ConstraintKind::ForeignKey { columns, references, referenced_columns } = &constraint.kind
            else {
                continue;
            };
            let Some(referenced) = context.schema.relation(references) else { continue };
            let theirs = if referenced_columns.is_empty() {
                primary_key(referenced)
            } else {
                referenced_columns.clone()
            };
            let pairs = columns.iter().zip(&theirs);
            let Some((own, other, types)) = pairs
                .filter_map(|(own, other)| {
                    let of = |relation: &Relation, column: &str| {
                        relation.column(column).and_then(|column| column.data_type.clone())
                    };
                    let types = (of(table, own)?, of(referenced, other)?);
                    let bases = (context.schema.base_type(&types.0), context.schema.base_type(&types.1));
                    let differ = bases.0.is_builtin()
                        && bases.1.is_builtin()
                        && kind(&bases.0.name.name) != kind(&bases.1.name.name);
                    differ.then_some((own, other, types))
                })
                .next()
            else {
                continue;
            };
            problems.push(SchemaProblem::new(
                Subject::Constraint(name.clone(), constraint.name.clone()),
                format!("{name}.{own} is of type {}, and {references}.{other}, which it references, of type {}", types.0, types.1),
                "Give both the same type: the narrower one can't hold every key of the other, and each comparison casts.",
            ));
        }
    }
}

fn primary_key(table: &Relation) -> Vec<String> {
    let key = table.constraints.iter().find_map(|one| match &one.kind {
        ConstraintKind::PrimaryKey(key) => Some(key.columns.clone()),
        _ => None,
    });
    key.unwrap_or_default()
}

/// Types that hold the same values are one kind.
fn kind(type_name: &str) -> &str {
    match type_name {
        "character varying" => "text",
        other => other,
    }
}
