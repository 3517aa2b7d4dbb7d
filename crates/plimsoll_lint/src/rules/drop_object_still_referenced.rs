//! A type, schema or key that cannot be dropped, since something needs it.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, AlterTable, Drop, ObjectKind};

use super::dependents::{self, Dependent};
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-object-still-referenced",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("drop_object_still_referenced.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    if !context.surely_runs() {
        return;
    }
    match context.command {
        Command::Drop(drop) if !drop.cascade => {
            let needed_by = needed_by(context, drop);
            let names: Vec<String> = drop.names.iter().map(ToString::to_string).collect();
            problems.extend(problem(&names.join(", "), &needed_by));
        }
        Command::AlterTable(alter) => {
            for action in &alter.actions {
                let ActionKind::DropConstraint { name, cascade: false, .. } = &action.kind else { continue };
                let needed_by = keys_left(context, alter, name);
                problems.extend(problem(name, &needed_by).map(|problem| problem.at(&action.range)));
            }
        }
        _ => {}
    }
}

fn problem(shown: &str, needed_by: &[Dependent]) -> Option<Problem> {
    let needs = dependents::listed(needed_by);
    (!needed_by.is_empty()).then(|| {
        Problem::new(
            format!("this statement fails: {needs} needs {shown}"),
            format!("Drop or change what needs it first, by name, in the same transaction; CASCADE would drop it unseen:\n-- {needs}"),
            Claim::Fails,
        )
    })
}

fn needed_by(context: &Context, drop: &Drop) -> Vec<Dependent> {
    let schema = context.schema;
    match drop.kind {
        ObjectKind::Type | ObjectKind::Domain => drop
            .names
            .iter()
            .flat_map(|name| schema.columns_of_type(name))
            .map(|(table, column)| Dependent::column("column", table, &column.name))
            .collect(),
        ObjectKind::Schema => {
            let inside = schema.relations().filter(|(name, _)| {
                drop.names.iter().any(|dropped| name.schema.as_ref() == Some(&dropped.name))
            });
            inside.map(|(name, relation)| Dependent::relation(name, relation)).collect()
        }
        _ => Vec::new(),
    }
}

/// Foreign keys that need a key, unless the statement drops them itself, or another key of the same
/// columns may be theirs.
fn keys_left(context: &Context, alter: &AlterTable, constraint: &str) -> Vec<Dependent> {
    let Some(relation) = context.schema.relation(&alter.name) else { return Vec::new() };
    let key = relation.constraint(constraint).map(|known| dependents::key_columns(&known.kind));
    let Some(Some(columns)) = key else { return Vec::new() };
    let same = |other: Option<&[String]>| other.is_some_and(|other| other == columns);
    let constraints = relation.constraints.iter().filter(|other| other.name != constraint);
    let another = constraints.into_iter().any(|other| same(dependents::key_columns(&other.kind)))
        || relation
            .indexes
            .iter()
            .filter(|index| index.unique)
            .any(|index| index.keys.iter().filter_map(|key| key.column.as_ref()).eq(columns.iter()));
    if another {
        return Vec::new();
    }
    let table = context.schema.resolve(&alter.name);
    let dropped_here = |dependent: &Dependent| {
        alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::DropConstraint { name, .. } if dependent.shown == format!("foreign key {name} of {table}"))
        })
    };
    let mut keys = dependents::keys_on(context, &alter.name, constraint);
    keys.retain(|key| !dropped_here(key));
    keys
}
