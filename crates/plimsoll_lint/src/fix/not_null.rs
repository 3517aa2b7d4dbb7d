//! `NOT NULL` that is proven without blocking anyone.

use plimsoll_sql::ObjectName;
use plimsoll_sql::command::{ActionKind, ConstraintKind, TableAction};
use plimsoll_sql::name::quote_identifier;

use super::made_names::{Of, made_name};
use super::site::{Mended, Refusal, Site, because};
use super::{Step, alter_head};

/// The first version that has `NOT NULL … NOT VALID`.
const NOT_NULL_NOT_VALID: u32 = 18;

pub(super) fn set(site: &Site, action: &TableAction) -> Result<Mended, Refusal> {
    let alter = site.alter()?;
    let ActionKind::SetNotNull { column } = &action.kind else { return because("it is no SET NOT NULL") };
    let head = alter_head(alter);
    let title = match site.is_surely_at_least(NOT_NULL_NOT_VALID) {
        true => "says NOT NULL of new rows first, then validates it",
        false => "lets a validated check prove it before SET NOT NULL",
    };
    Ok(Mended::new(title, steps(site, &head, &alter.name, column)))
}

/// The steps that make a column `NOT NULL`.
pub(super) fn steps(site: &Site, head: &str, table: &ObjectName, column: &str) -> Vec<Step> {
    let quoted = quote_identifier(column);
    let said = site.relation(table).and_then(|known| {
        known.constraints.iter().find(
            |constraint| matches!(&constraint.kind, ConstraintKind::NotNull { column: own } if own == column),
        )
    });
    if let Some(said) = said {
        // It is said of new rows already.
        return vec![Step::fresh(format!("{head} VALIDATE CONSTRAINT {}", quote_identifier(&said.name)))];
    }
    if site.is_surely_at_least(NOT_NULL_NOT_VALID) {
        let name = quote_identifier(&made_name(site.schema, table, column, "not_null", Of::Constraint));
        return vec![
            Step::along(format!("{head} ADD CONSTRAINT {name} NOT NULL {quoted} NOT VALID")),
            Step::fresh(format!("{head} VALIDATE CONSTRAINT {name}")),
        ];
    }
    // Version 18 names its own constraint `…_not_null`: the check must not have that name.
    let name = quote_identifier(&made_name(site.schema, table, column, "not_null_check", Of::Constraint));
    vec![
        Step::along(format!("{head} ADD CONSTRAINT {name} CHECK ({quoted} IS NOT NULL) NOT VALID")),
        Step::fresh(format!("{head} VALIDATE CONSTRAINT {name}")),
        Step::along(format!("{head} ALTER COLUMN {quoted} SET NOT NULL")),
        Step::along(format!("{head} DROP CONSTRAINT {name}")),
    ]
}

pub(super) fn add_constraint(site: &Site, action: &TableAction) -> Result<Mended, Refusal> {
    let (alter, constraint) = (site.alter()?, site.constraint(&action.kind)?);
    let ConstraintKind::NotNull { column } = &constraint.kind else { return because("it is no NOT NULL") };
    let made = || made_name(site.schema, &alter.name, column, "not_null", Of::Constraint);
    let name = quote_identifier(&constraint.name.clone().unwrap_or_else(made));
    let head = alter_head(alter);
    let inherit = if constraint.no_inherit { " NO INHERIT" } else { "" };
    Ok(Mended::new(
        "adds NOT NULL as NOT VALID, then validates it",
        vec![
            Step::along(format!(
                "{head} ADD CONSTRAINT {name} NOT NULL {}{inherit} NOT VALID",
                quote_identifier(column)
            )),
            Step::fresh(format!("{head} VALIDATE CONSTRAINT {name}")),
        ],
    ))
}
