//! A foreign key that is checked while both tables are locked.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
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
    for hazard in context.hazards(&[Cause::ForeignKey]) {
        let constraint = alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::AddConstraint(constraint) if hazard.effect.range.as_ref() == Some(&action.range) => {
                Some(constraint)
            }
            _ => None,
        });
        let Some(Constraint { name, kind, range, .. }) = constraint else { continue };
        let ConstraintKind::ForeignKey { columns, references, referenced_columns } = kind else { continue };
        let referenced = context.schema.resolve(references);
        let table = context.schema.resolve(&alter.name);
        let sql = quote_name(&alter.name);
        let made_up = made_up_name(&[&alter.name.name, &columns.join("_"), "fkey"]);
        let name = name.as_ref().map_or(made_up, |name| quote_identifier(name));
        let partitioned = context
            .schema
            .relation(&alter.name)
            .is_some_and(|relation| relation.kind == RelationKind::PartitionedTable);
        let refused =
            partitioned && context.settings.server_major.is_none_or(|major| major < PARTITIONED_NOT_VALID);
        let remedy = if refused {
            format!(
                "Before PostgreSQL {PARTITIONED_NOT_VALID} a partitioned table takes no NOT VALID foreign key: add it to \
                 each partition NOT VALID, VALIDATE each, then add it to the parent."
            )
        } else {
            let target = quote_name(references);
            let target_columns = match referenced_columns.as_slice() {
                [] => String::new(),
                columns => format!(" ({})", column_list(columns)),
            };
            format!(
                "Add it unchecked, then check it without blocking writers, in two transactions:\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}{target_columns} \
                 NOT VALID;\n\
                 ALTER TABLE {sql} VALIDATE CONSTRAINT {name};",
                columns = column_list(columns),
            )
        };
        let relation = &hazard.effect.relation;
        let both = if referenced == table { String::new() } else { format!(", nor to {referenced}") };
        let message = format!(
            "adding this foreign key reads all of {} while {}{both}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        problems.push(match refused {
            true => problem,
            false => problem.fix("Add NOT VALID", vec![(range.end..range.end, " NOT VALID".into())]),
        });
    }
}
