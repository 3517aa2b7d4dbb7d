//! A new partition that makes PostgreSQL read the default one.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::ObjectName;
use plimsoll_sql::command::{ActionKind, PartitionBound};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_name;

use super::partition_bound;
use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "partition-scans-default",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("partition_scans_default.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::PartitionDefault]) {
        let relation = hazard.relation();
        let message = format!(
            "a new partition may take rows that the default one holds, so all of {}{} is read while {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = quote_name(relation);
        let constraint = made_up_name(&[&relation.name, "excludes"]);
        let (parent, bound) = new_partition(context.command);
        let known = parent.and_then(|parent| context.schema.relation(parent)?.partition_key.as_ref());
        let condition = known.zip(bound).and_then(|(key, bound)| partition_bound::outside(&key.keys, bound));
        let remedy = format!(
            "Let a check that is validated without blocking prove that it holds none, each step in a transaction of its own:\n\
             ALTER TABLE {sql} ADD CONSTRAINT {constraint} CHECK ({}) NOT VALID;\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {constraint};",
            condition.as_deref().unwrap_or("…")
        );
        problems.push(Problem::new(message, remedy, hazard.claim()));
    }
}

/// The parent and the bound of the partition that a command makes or attaches.
fn new_partition(command: &Command) -> (Option<&ObjectName>, Option<&PartitionBound>) {
    match command {
        Command::CreateTable(table) => (table.partition_of.as_ref(), table.bound.as_ref()),
        Command::AlterTable(alter) => {
            let bound = alter.actions.iter().find_map(|action| match &action.kind {
                ActionKind::AttachPartition { bound, .. } => bound.as_ref(),
                _ => None,
            });
            (Some(&alter.name), bound)
        }
        _ => (None, None),
    }
}
