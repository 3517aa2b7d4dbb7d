//! A type change that rewrites the table.

use plimsoll_core::{LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, UsingExpression};
use plimsoll_sql::data_type::TypeChange;
use plimsoll_sql::name::quote_identifier;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "changing-column-type",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "changing-column-type"),
        ("eugene", "E5"),
        ("strong_migrations", "change_column"),
    ],
    severity: Severity::Error,
    page: include_str!("changing_column_type.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::AlterColumnType { column, data_type, using } = &action.kind else { continue };
        let old_type = table.relation.and_then(|relation| relation.column(column)?.data_type.as_ref());
        let change = match (using, old_type) {
            (Some(UsingExpression::Other), _) => TypeChange::Rewrite,
            (_, Some(old_type)) => old_type.change_to(data_type, context.settings.time_zone),
            (_, None) => TypeChange::Unknown,
        };
        let old = old_type.map_or_else(|| "a type that isn't known here".to_owned(), ToString::to_string);
        let name = &table.name;
        let message = match change {
            TypeChange::Nothing => continue,
            TypeChange::Rewrite => format!(
                "changing {name}.{column} from {old} to {data_type} rewrites the whole table and its indexes while \
                 nobody can read or write it"
            ),
            TypeChange::Unknown => format!(
                "changing {name}.{column} from {old} to {data_type} may rewrite the whole table while nobody can read \
                 or write it"
            ),
        };
        let (table_sql, column_sql) = (&table.sql, quote_identifier(column));
        let new_column = quote_identifier(&format!("{column}_new"));
        problems.push(Problem {
            severity: None,
            fix: None,
            range: Some(action.range.clone()),
            message,
            remedy: format!(
                "Add a column of the new type, keep it in step by a trigger, fill it in batches, then swap names:\n\
                 ALTER TABLE {table_sql} ADD COLUMN {new_column} {data_type};\n\
                 -- trigger: NEW.{new_column} := NEW.{column_sql}; then UPDATE … in batches; then, in one short \
                 transaction:\n\
                 ALTER TABLE {table_sql} DROP COLUMN {column_sql};\n\
                 ALTER TABLE {table_sql} RENAME COLUMN {new_column} TO {column_sql};"
            ),
            claim: table.claim(LockMode::AccessExclusive, Work::Rewrite),
        });
    }
}
