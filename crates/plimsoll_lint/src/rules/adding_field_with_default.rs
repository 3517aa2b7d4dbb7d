//! A new column whose default has to be computed for each row.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, AlterTable, ColumnDefinition, Expression};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::volatility::volatile_call;

use crate::context::{Context, Hazard, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "adding-field-with-default",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "adding-field-with-default"), ("strong_migrations", "add_column_default")],
    severity: Severity::Error,
    page: include_str!("adding_field_with_default.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[Cause::ColumnDefault]) {
        let Some((column, default)) = column_of(alter, &hazard) else { continue };
        let Some(function) = volatile_call(default, context.schema) else { continue };
        let (sql, column_sql) = (quote_name(&alter.name), quote_identifier(&column.name));
        let data_type = column.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
        let relation = &hazard.effect.relation;
        let message = format!(
            "the default of {relation}.{} calls {function}(), which is volatile: all of {} is rewritten while {}",
            column.name,
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let remedy = format!(
            "Add the column without the default, set the default for new rows, fill the old ones in batches:\n\
             ALTER TABLE {sql} ADD COLUMN {column_sql} {data_type};\n\
             ALTER TABLE {sql} ALTER COLUMN {column_sql} SET DEFAULT {};",
            default.text
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}

/// The column whose default the hazard comes from.
fn column_of<'a>(alter: &'a AlterTable, hazard: &Hazard) -> Option<(&'a ColumnDefinition, &'a Expression)> {
    alter.actions.iter().find_map(|action| match &action.kind {
        ActionKind::AddColumn { column, .. } => {
            let default = column.default.as_deref()?;
            (hazard.effect.range.as_ref() == Some(&default.range)).then_some((column.as_ref(), default))
        }
        _ => None,
    })
}
