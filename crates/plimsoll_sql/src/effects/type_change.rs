//! What changing a column's type does: to the rows, to checks that look at it, to its indexes.
//!
//! Source: `ATColumnChangeRequiresRewrite`, `RememberAllDependentForRebuilding` and
//! `CheckIndexCompatible` in PostgreSQL.

use std::borrow::Cow;

use super::Environment;
use crate::command::{ActionKind, AlterTable, ConstraintKind, UsingExpression};
use crate::data_type::{DataType, TypeChange};
use crate::name::ObjectName;
use crate::schema::{Relation, RelationKind, Schema, UserType, constrained_columns};

/// What a type change does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnTypeChange {
    /// To the rows.
    pub rows: TypeChange,
    /// CHECK constraints that are read again, by name.
    pub checks: Vec<String>,
    /// Indexes that are built again, by name; constraints' too.
    pub indexes: Vec<String>,
    /// The old type, if it is known.
    pub old: Option<DataType>,
}

/// A table without the constraints that an `ALTER TABLE` drops.
#[must_use]
pub fn without_dropped<'a>(relation: &'a Relation, alter: &AlterTable) -> Cow<'a, Relation> {
    let is_dropped = |name: &str| {
        alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::DropConstraint { name: dropped, .. } if dropped == name)
        })
    };
    if !relation.constraints.iter().any(|constraint| is_dropped(&constraint.name)) {
        return Cow::Borrowed(relation);
    }
    let mut relation = relation.clone();
    relation.constraints.retain(|constraint| !is_dropped(&constraint.name));
    Cow::Owned(relation)
}

/// What `ALTER COLUMN … TYPE` does to a table. An unknown table or column gives an unknown change.
#[must_use]
pub fn column_type_change(
    schema: &Schema,
    relation: Option<&Relation>,
    column: &str,
    to: &DataType,
    using: Option<&UsingExpression>,
    collation: Option<&ObjectName>,
    environment: Environment,
) -> ColumnTypeChange {
    let known = relation.and_then(|relation| relation.column(column));
    let old = known.and_then(|column| column.data_type.clone());
    let rows = match (using, &old) {
        (Some(UsingExpression::Other), _) => TypeChange::Rewrite,
        (_, Some(old)) => rows(schema, old, &to.stored(), environment),
        (_, None) => TypeChange::Unknown,
    };
    let (mut checks, mut indexes) = (Vec::new(), Vec::new());
    if let (TypeChange::Nothing, Some(relation), Some(old)) = (rows, relation, &old) {
        let other_order = known.is_some_and(|known| known.collation.as_deref() != collation)
            || operator_class(schema, old) != operator_class(schema, to);
        // An index of partitions is made anew as a whole, whatever its storage.
        let partitioned = relation.kind == RelationKind::PartitionedTable;
        for constraint in &relation.constraints {
            let looks = constrained_columns(&constraint.kind).iter().any(|name| *name == column);
            match &constraint.kind {
                ConstraintKind::Check { .. } if looks && constraint.validated => {
                    checks.push(constraint.name.clone());
                }
                ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)
                    if looks && (other_order || partitioned) =>
                {
                    indexes.push(constraint.name.clone());
                }
                _ => {}
            }
        }
        for index in &relation.indexes {
            let keys = index.keys.iter().flat_map(|key| &key.columns);
            let looks = keys.chain(&index.predicate_columns).any(|name| name == column);
            let expression = index.partial || index.keys.iter().any(|key| key.column.is_none());
            if looks && (other_order || expression || partitioned) {
                indexes.push(index.name.clone());
            }
        }
    }
    ColumnTypeChange { rows, checks, indexes, old }
}

fn rows(schema: &Schema, from: &DataType, to: &DataType, environment: Environment) -> TypeChange {
    if from == to {
        return TypeChange::Nothing;
    }
    if schema.is_constrained_domain(to) {
        return TypeChange::Rewrite;
    }
    let (from, to) = (schema.base_type(from), schema.base_type(to));
    if from == to {
        return TypeChange::Nothing;
    }
    let user_type =
        |data_type: &DataType| (!data_type.is_builtin()).then(|| schema.user_type(&data_type.name));
    match (user_type(&from), user_type(&to)) {
        (Some(Some(UserType::Enum(_) | UserType::Other)), _)
        | (_, Some(Some(UserType::Enum(_) | UserType::Other))) => TypeChange::Rewrite,
        _ if is_citext(&from) || is_citext(&to) => {
            let text = |data_type: &DataType| {
                !data_type.array
                    && data_type.modifiers.is_empty()
                    && (is_citext(data_type)
                        || ["text", "character varying"].contains(&data_type.name.name.as_str()))
            };
            // A length is thrown away without looking at the rows, and checked when it is put on.
            let from_any_length = DataType { modifiers: Vec::new(), ..from.clone() };
            if text(&from_any_length) && text(&to) { TypeChange::Nothing } else { TypeChange::Rewrite }
        }
        _ => from.change_to(&to, environment.time_zone),
    }
}

fn is_citext(data_type: &DataType) -> bool {
    data_type.name.name == "citext" && !data_type.array
}

/// The type whose default operator class an index on a column of this type has: binary-coercible
/// types share one.
fn operator_class(schema: &Schema, data_type: &DataType) -> ObjectName {
    let base = schema.base_type(data_type);
    let name = match base.name.name.as_str() {
        "character varying" => "text",
        "cidr" => "inet",
        "regclass" | "regproc" | "regtype" => "oid",
        _ => return base.name,
    };
    ObjectName::unqualified(name)
}
