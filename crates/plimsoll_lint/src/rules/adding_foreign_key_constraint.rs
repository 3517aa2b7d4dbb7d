//! A foreign key that is checked while both tables are locked.

use plimsoll_core::{LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind};
use plimsoll_sql::schema::RelationKind;

use crate::context::{Context, Problem, column_list, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "adding-foreign-key-constraint",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "adding-foreign-key-constraint"),
        ("eugene", "E4"),
        ("strong_migrations", "add_foreign_key"),
    ],
    severity: Severity::Error,
    page: include_str!("adding_foreign_key_constraint.md"),
    check,
};

/// The first version that has `NOT VALID` foreign keys on partitioned tables.
const PARTITIONED_NOT_VALID: u32 = 18;

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::AddConstraint(Constraint { name, kind, not_valid: false, .. }) = &action.kind else {
            continue;
        };
        let ConstraintKind::ForeignKey { columns, references, referenced_columns } = kind else { continue };
        let referenced = context.schema.resolve(references);
        let made_up = made_up_name(&[&alter.name.name, &columns.join("_"), "fkey"]);
        let name = name.as_ref().map_or(made_up, |name| plimsoll_sql::name::quote_identifier(name));
        let partitioned =
            table.relation.is_some_and(|relation| relation.kind == RelationKind::PartitionedTable);
        let remedy = if partitioned && context.settings.server_major.is_none_or(|v| v < PARTITIONED_NOT_VALID)
        {
            format!(
                "Before PostgreSQL {PARTITIONED_NOT_VALID} a partitioned table takes no NOT VALID foreign key: add it to \
                 each partition NOT VALID, VALIDATE each, then add it to the parent."
            )
        } else {
            let target = plimsoll_sql::name::quote_name(references);
            let target_columns = match referenced_columns.as_slice() {
                [] => String::new(),
                columns => format!(" ({})", column_list(columns)),
            };
            format!(
                "Add it unchecked, then check it without blocking writers, in two transactions:\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}{target_columns} \
                 NOT VALID;\n\
                 ALTER TABLE {sql} VALIDATE CONSTRAINT {name};",
                sql = table.sql,
                columns = column_list(columns),
            )
        };
        problems.push(Problem {
            severity: None,
            fix: None,
            range: Some(action.range.clone()),
            message: format!(
                "adding this foreign key reads all of {} while writes to it and to {referenced} are blocked",
                table.name
            ),
            remedy,
            claim: table.claim(LockMode::ShareRowExclusive, Work::Scan),
        });
    }
}
