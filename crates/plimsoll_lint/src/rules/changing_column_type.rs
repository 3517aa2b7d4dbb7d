//! A type change that rewrites the table.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

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
    for hazard in context.hazards(&[Cause::TypeChange, Cause::TypeChangeUnknown]) {
        let change = alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::AlterColumnType { column, data_type, .. }
                if hazard.effect.range.as_ref() == Some(&action.range) =>
            {
                Some((column, data_type))
            }
            _ => None,
        });
        let Some((column, data_type)) = change else { continue };
        let relation = &hazard.effect.relation;
        let known =
            context.schema.relation(&alter.name).and_then(|known| known.column(column)?.data_type.clone());
        let old = known.map_or_else(|| "a type that isn't known here".to_owned(), |known| known.to_string());
        let verb = match hazard.effect.cause {
            Cause::TypeChange => "rewrites",
            _ => "may rewrite",
        };
        let message = format!(
            "changing {relation}.{column} from {old} to {data_type} {verb} all of {} and its indexes while {}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let (table_sql, column_sql) = (quote_name(&alter.name), quote_identifier(column));
        let new_column = quote_identifier(&format!("{column}_new"));
        let remedy = format!(
            "Add a column of the new type, keep it in step by a trigger, fill it in batches, then swap names:\n\
             ALTER TABLE {table_sql} ADD COLUMN {new_column} {data_type};\n\
             -- trigger: NEW.{new_column} := NEW.{column_sql}; then UPDATE … in batches; then, in one short \
             transaction:\n\
             ALTER TABLE {table_sql} DROP COLUMN {column_sql};\n\
             ALTER TABLE {table_sql} RENAME COLUMN {new_column} TO {column_sql};"
        );
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        let undecided = hazard.effect.cause == Cause::TypeChangeUnknown && !context.schema.is_known();
        problems.push(if undecided { problem.severity(Severity::Note) } else { problem });
    }
}
