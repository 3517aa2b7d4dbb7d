//! A new value of an enum that is used before it is committed.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::{ActionKind, ColumnDefinition, ConstraintKind};
use plimsoll_sql::{Command, DataType, ObjectName};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "enum-value-used-in-transaction",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[("pgsafe", "enum-value-used-in-transaction")],
    severity: Severity::Error,
    page: include_str!("enum_value_used_in_transaction.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let mut values = context.session.unsafe_enum_values(context.settings.server_major);
    let found = values.find(|(name, value)| uses(context, name, value));
    let Some((name, value)) = found else { return };
    let message = format!(
        "this uses '{value}', which the same transaction has added to the enum {name}: PostgreSQL refuses that until it is \
         committed (unsafe use of new value, SQLSTATE 55P04)"
    );
    let remedy = format!("Run it {}.", context.elsewhere());
    problems.push(Problem::new(message, remedy, Claim::Fails));
}

/// Whether the statement uses a value as one of an enum, as far as its text and the schema tell.
fn uses(context: &Context, enum_name: &str, value: &str) -> bool {
    let literal = format!("'{}'", value.replace('\'', "''"));
    let is_enum = |data_type: &DataType| data_type.name.name == enum_name;
    let in_column = |column: &ColumnDefinition| {
        let default = column.default.as_ref().map(|default| default.text.as_str());
        let checks = column.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Check { expression, .. } => Some(expression.as_str()),
            _ => None,
        });
        let mut texts = default.into_iter().chain(checks);
        column.data_type.as_ref().is_some_and(is_enum) && texts.any(|text| text.contains(&literal))
    };
    match context.command {
        Command::Modify(modify) => {
            modify.strings.iter().any(|string| string == value) && has_enum(context, &modify.table, enum_name)
        }
        Command::CreateTable(table) => table.columns.iter().any(in_column),
        Command::AlterTable(alter) => alter.actions.iter().any(|action| match &action.kind {
            ActionKind::AddColumn { column, .. } => in_column(column),
            ActionKind::SetDefault { column, default } => {
                let known = context.schema.relation(&alter.name).and_then(|known| known.column(column));
                let of_enum = known.and_then(|column| column.data_type.as_ref()).is_none_or(is_enum);
                of_enum && default.as_ref().is_some_and(|default| default.text.contains(&literal))
            }
            ActionKind::AddConstraint(constraint) => match &constraint.kind {
                ConstraintKind::Check { expression, .. } => {
                    expression.contains(&literal) && has_enum(context, &alter.name, enum_name)
                }
                _ => false,
            },
            _ => false,
        }),
        Command::CreateIndex(index) => {
            context.sql().contains(&literal) && has_enum(context, &index.table, enum_name)
        }
        Command::CreateView(view) => {
            context.sql().contains(&literal)
                && view.reads.iter().any(|read| has_enum(context, read, enum_name))
        }
        Command::Query { reads, .. } => {
            context.sql().contains(&literal) && reads.iter().any(|read| has_enum(context, read, enum_name))
        }
        _ => false,
    }
}

/// Whether a relation has a column of the enum, or isn't known.
fn has_enum(context: &Context, name: &ObjectName, enum_name: &str) -> bool {
    let Some(known) = context.schema.relation(name) else { return true };
    let is_enum = |data_type: &DataType| data_type.name.name == enum_name;
    !known.columns_known || known.columns.iter().any(|column| column.data_type.as_ref().is_some_and(is_enum))
}
