//! A column that cannot be dropped, since something needs it.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ConstraintKind};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::ResolvedName;

use super::dependents::{self, Dependent};
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-column-still-referenced",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("drop_column_still_referenced.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    if !context.surely_runs() || context.schema.relation(&alter.name).is_none() {
        return;
    }
    let table = context.schema.resolve(&alter.name);
    let mut gone: Vec<Dependent> = Vec::new();
    for action in &alter.actions {
        let ActionKind::DropColumn { name, cascade, .. } = &action.kind else { continue };
        if context.schema.relation(&table).is_some_and(|known| known.column(name).is_none()) {
            continue;
        }
        gone.extend(own(context, &table, name));
        if dependents::partitions_by(context, &alter.name, name) {
            let message = format!("this statement fails: {table} is partitioned by {name}");
            let remedy = format!(
                "Copy the rows to a table that is partitioned otherwise, then swap names; or leave {name}."
            );
            problems.push(Problem::new(message, remedy, Claim::Fails).at(&action.range));
            continue;
        }
        let mut needed_by = dependents::of_column(context, &alter.name, name);
        needed_by.extend(dependents::keys_to_column(context, &alter.name, name));
        needed_by.retain(|dependent| !gone.contains(dependent));
        if *cascade || needed_by.is_empty() {
            continue;
        }
        let message =
            format!("this statement fails: {} needs {table}.{name}", dependents::listed(&needed_by));
        let remedy = format!(
            "Drop what needs it first, by name, in the same transaction, and make anew without the column what is still \
             needed; CASCADE would drop it unseen:\n{}\nALTER TABLE {} DROP COLUMN {};",
            dependents::drops(&needed_by),
            quote_name(&alter.name),
            quote_identifier(name)
        );
        problems.push(Problem::new(message, remedy, Claim::Fails).at(&action.range));
    }
}

/// What of the table itself goes with a column: the generated column that it is, foreign keys on it.
fn own(context: &Context, table: &ResolvedName, column: &str) -> Vec<Dependent> {
    let constraints = context.schema.relation(table).into_iter().flat_map(|known| &known.constraints);
    let keys = constraints.filter(|constraint| {
        matches!(&constraint.kind, ConstraintKind::ForeignKey { columns, .. } if columns.iter().any(|own| own == column))
    });
    let mut gone: Vec<Dependent> = keys.map(|key| Dependent::foreign_key(table, key)).collect();
    gone.push(Dependent::column("generated column", table, column));
    gone
}
