//! A check that is added unchecked, and checked without blocking anyone.

use plimsoll_sql::command::{ActionKind, ConstraintKind, TableAction};
use plimsoll_sql::name::quote_identifier;
use plimsoll_sql::{Command, ObjectName, Schema};

use super::made_names::{Of, made_name};
use super::site::{Mended, Refusal, Site, because};
use super::{Step, alter_head};

pub(super) fn add(site: &Site, action: &TableAction) -> Result<Mended, Refusal> {
    let (alter, constraint) = (site.alter()?, site.constraint(&action.kind)?);
    let ConstraintKind::Check { columns, .. } = &constraint.kind else { return because("it is no check") };
    let quoted = quote_identifier(
        &constraint.name.clone().unwrap_or_else(|| check_name(site.schema, &alter.name, columns)),
    );
    let written = &site.sql[constraint.range.clone()];
    let definition = match constraint.name {
        Some(_) => written.to_owned(),
        None => format!("CONSTRAINT {quoted} {written}"),
    };
    let head = alter_head(alter);
    Ok(Mended::new(
        "adds the check NOT VALID, then validates it",
        vec![
            Step::along(format!("{head} ADD {definition} NOT VALID")),
            Step::fresh(format!("{head} VALIDATE CONSTRAINT {quoted}")),
        ],
    ))
}

/// The name that PostgreSQL makes up for a check: with the column where it names but one.
pub(super) fn check_name(schema: &Schema, table: &ObjectName, names: &[String]) -> String {
    let known = schema.relation(table);
    let is_column = |name: &&String| known.is_none_or(|known| known.column(name).is_some());
    let mut columns: Vec<&String> = names.iter().filter(is_column).collect();
    columns.dedup();
    match columns.as_slice() {
        [column] => made_name(schema, table, column, "check", Of::Constraint),
        _ => made_name(schema, table, "", "check", Of::Constraint),
    }
}

/// `VALIDATE` in a transaction that holds no strong lock.
pub(super) fn validate_later(site: &Site) -> Result<Mended, Refusal> {
    let validates = match site.command {
        Command::AlterTable(alter) => {
            alter.actions.iter().all(|action| matches!(action.kind, ActionKind::ValidateConstraint { .. }))
        }
        _ => false,
    };
    match validates {
        true => Ok(Mended::new("validates in a transaction of its own", vec![Step::fresh(site.sql)])),
        false => {
            because("it does more than to validate: write VALIDATE CONSTRAINT as a statement of its own")
        }
    }
}
