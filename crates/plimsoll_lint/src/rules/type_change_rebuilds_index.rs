//! A type change that leaves the rows as they are and builds indexes again.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use super::type_change;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "type-change-rebuilds-index",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "changing-column-type"), ("strong_migrations", "change_column")],
    severity: Severity::Error,
    page: include_str!("type_change_rebuilds_index.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::TypeChangeIndex]) {
        let Some(changed) = type_change::of(context, &hazard) else { continue };
        let relation = hazard.relation();
        let indexes = &changed.change.indexes;
        let message = format!(
            "changing {relation}.{} to {} builds {} again on all of {}{} while {}",
            changed.column,
            changed.data_type,
            indexes.join(", "),
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = quote_name(changed.table);
        let known = context.schema.relation(changed.table);
        let of_constraint = indexes.iter().any(|name| known.is_none_or(|known| known.index(name).is_none()));
        let new = quote_identifier(&format!("{}_new", changed.column));
        let new_column = format!(
            "Add a column of the new type, keep it in step by a trigger, fill it in batches, index it CONCURRENTLY, then swap \
             names:\n\
             ALTER TABLE {sql} ADD COLUMN {new} {};",
            changed.data_type
        );
        let remedy = match of_constraint {
            true => new_column,
            false => {
                let drops: Vec<String> = indexes
                    .iter()
                    .map(|name| format!("DROP INDEX CONCURRENTLY {};", quote_identifier(name)))
                    .collect();
                format!(
                    "If queries can do without the index for that time, take it off before and build it again CONCURRENTLY \
                     afterwards, each {}:\n{}\n{new_column}",
                    context.outside(),
                    drops.join("\n")
                )
                .replace("\nAdd a column", "\nElse add a column")
            }
        };
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
