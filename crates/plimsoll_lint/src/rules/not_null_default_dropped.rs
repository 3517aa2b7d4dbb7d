//! A new NOT NULL column that loses its default in the same change.

use plimsoll_core::Severity;
use plimsoll_sql::command::{ActionKind, ConstraintKind};
use plimsoll_sql::name::quote_identifier;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "not-null-default-dropped",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("django-migration-linter", "NOT_NULL")],
    severity: Severity::Warning,
    page: include_str!("not_null_default_dropped.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::DropDefault { column } = action else { return None };
        let here = alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::AddColumn { column: added, .. } if added.name == *column => Some(added),
            _ => None,
        });
        let required = match here {
            Some(added) => added
                .constraints
                .iter()
                .any(|constraint| matches!(constraint.kind, ConstraintKind::NotNull { .. })),
            None => {
                context.schema.is_new_column(&alter.name, column)
                    && table
                        .relation
                        .and_then(|relation| relation.column(column))
                        .is_some_and(|column| column.not_null)
            }
        };
        required.then(|| {
            (
                format!("inserts of running code fail: they don't know {}.{column}, which takes no null and has lost its default", table.name),
                format!(
                    "Leave the default until no old code runs (Django 5: db_default on the field), and drop it in a later \
                     change:\nALTER TABLE {} ALTER COLUMN {} DROP DEFAULT;",
                    table.sql,
                    quote_identifier(column)
                ),
            )
        })
    });
}
