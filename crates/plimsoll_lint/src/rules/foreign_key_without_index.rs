//! A foreign key whose columns have no index.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind};
use plimsoll_sql::name::quote_name;

use super::foreign_keys::{self, NewKey};
use crate::context::{Context, Problem, column_list};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "foreign-key-without-index",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("foreign_key_without_index.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for key in foreign_keys::of(context) {
        if key.columns.is_empty()
            || in_statement(context, &key)
            || in_schema(context, &key)
            || later(context, &key)
        {
            continue;
        }
        let columns = column_list(key.columns);
        let sql = quote_name(key.table);
        let concurrently =
            if context.existing(key.table).is_some() && key.created.is_none() { " CONCURRENTLY" } else { "" };
        problems.push(
            Problem::new(
                format!(
                    "deleting a row of {}, or changing its key, reads all of {} to find what references it",
                    key.references, key.table
                ),
                format!("Index the columns of the key:\nCREATE INDEX{concurrently} ON {sql} ({columns});"),
                Claim::Nothing,
            )
            .at(key.range),
        );
    }
}

/// Whether an index on these columns finds the key's: its first ones are the same, in any order.
fn serves(indexed: &[&String], key: &NewKey) -> bool {
    indexed.len() >= key.columns.len()
        && indexed[..key.columns.len()].iter().all(|column| key.columns.contains(column))
}

fn is_key_on(constraint: &Constraint, key: &NewKey) -> bool {
    match &constraint.kind {
        ConstraintKind::Unique(own) | ConstraintKind::PrimaryKey(own) => {
            serves(&own.columns.iter().collect::<Vec<_>>(), key)
        }
        _ => false,
    }
}

/// A key that the statement itself makes.
fn in_statement(context: &Context, key: &NewKey) -> bool {
    let constraints: Vec<&Constraint> = match context.command {
        Command::CreateTable(table) => {
            table.columns.iter().flat_map(|column| &column.constraints).chain(&table.constraints).collect()
        }
        Command::AlterTable(alter) => alter
            .actions
            .iter()
            .flat_map(|action| match &action.kind {
                ActionKind::AddConstraint(constraint) => vec![constraint],
                ActionKind::AddColumn { column, .. } => column.constraints.iter().collect(),
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    };
    constraints.into_iter().any(|constraint| is_key_on(constraint, key))
}

fn in_schema(context: &Context, key: &NewKey) -> bool {
    let Some(relation) = context.schema.relation(key.table) else { return false };
    let by_constraint = relation.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::Unique(own) | ConstraintKind::PrimaryKey(own) => {
            serves(&own.columns.iter().collect::<Vec<_>>(), key)
        }
        _ => false,
    });
    by_constraint
        || relation.indexes.iter().filter(|index| !index.partial).any(|index| {
            serves(&index.keys.iter().map_while(|key| key.column.as_ref()).collect::<Vec<_>>(), key)
        })
}

fn later<'a>(context: &Context<'a>, key: &NewKey<'a>) -> bool {
    context.later(key.table).any(|command| match command {
        Command::CreateIndex(index) => {
            !index.partial && serves(&index.keys.iter().map_while(|key| key.column.as_ref()).collect::<Vec<_>>(), key)
        }
        Command::AlterTable(alter) => alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::AddConstraint(constraint) if is_key_on(constraint, key))
        }),
        _ => false,
    })
}
