//! A type change that leaves the rows as they are and builds indexes again.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::RelationKind;

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
        // Neither a constraint's index nor a partitioned one can be dropped concurrently.
        let partitioned = known.is_some_and(|known| known.kind == RelationKind::PartitionedTable);
        let needed = |name: &String| known.is_none_or(|known| known.index(name).is_none());
        let stays = partitioned || indexes.iter().any(needed);
        let new = quote_identifier(&format!("{}_new", changed.column));
        let in_steps = format!(
            "add a column of the new type, keep it in step by a trigger, fill it in batches, index it CONCURRENTLY, then swap \
             names:\nALTER TABLE {sql} ADD COLUMN {new} {};",
            changed.data_type
        );
        let drops: Vec<String> = indexes
            .iter()
            .map(|name| format!("DROP INDEX CONCURRENTLY {};", quote_identifier(name)))
            .collect();
        let remedy = match stays {
            true => format!("Rather {in_steps}"),
            false => format!(
                "If queries can do without the index for that time, take it off before and build it again CONCURRENTLY \
                 afterwards, each {}:\n{}\nElse {in_steps}",
                context.outside(),
                drops.join("\n")
            ),
        };
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
