//! A new column with a foreign key.

use plimsoll_core::Severity;
use plimsoll_sql::command::{Constraint, ConstraintKind};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::RelationKind;

use super::brief_lock;
use crate::added_column::AddedColumn;
use crate::context::{Context, Problem, column_list, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-column-references",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "adding-foreign-key-constraint"),
        ("eugene", "E1"),
        ("strong_migrations", "add_reference"),
        ("online_migrations", "add_reference"),
        ("postgres-language-server", "addingForeignKeyConstraint"),
        ("pgsafe", "add-fk-without-not-valid"),
    ],
    severity: Severity::Error,
    page: include_str!("add_column_references.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::ColumnReferences]) {
        let Some(added) = context.added_column(&hazard) else { continue };
        let Some((name, key)) = foreign_key(&added) else { continue };
        let relation = hazard.relation();
        let message = format!(
            "the new column {relation}.{} holds a value in every row, and its foreign key is looked up for all of {}{} while {}",
            added.column.name,
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = added.table_sql();
        let constraint = format!("CONSTRAINT {name} {key} NOT VALID");
        let remedy = format!(
            "Add the foreign key unchecked, then check it without blocking writers, in two transactions:\n\
             ALTER TABLE {sql} ADD COLUMN {};\n\
             ALTER TABLE {sql} ADD {constraint};\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {name};",
            added.plain()
        );
        let partitioned = context
            .schema
            .relation(added.table)
            .is_some_and(|known| known.kind == RelationKind::PartitionedTable);
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        problems.push(match partitioned {
            // NOT VALID foreign keys of partitioned tables came with PostgreSQL 18.
            true => problem,
            false => problem
                .maybe_fix("Add the foreign key NOT VALID", Some(added.moved(context.sql(), &constraint))),
        });
    }
    brief_lock::check(context, &[Cause::ColumnReferences], problems, |hazard, lock| {
        let column = context.added_column(hazard).map(|added| added.column.name.clone()).unwrap_or_default();
        format!("the foreign key of the new column {column} takes {lock}")
    });
}

/// The constraint's name and its words as a constraint of the table.
fn foreign_key(added: &AddedColumn) -> Option<(String, String)> {
    let Constraint { name, kind, .. } = added.constraint?;
    let ConstraintKind::ForeignKey { references, referenced_columns, .. } = kind else { return None };
    let made_up = || made_up_name(&[&added.table.name, &added.column.name, "fkey"]);
    let name = name.as_ref().map_or_else(made_up, |name| quote_identifier(name));
    let columns = match referenced_columns.as_slice() {
        [] => String::new(),
        columns => format!(" ({})", column_list(columns)),
    };
    let key = format!("FOREIGN KEY ({}) REFERENCES {}{columns}", added.column_sql(), quote_name(references));
    Some((name, key))
}
