//! A partition whose bound PostgreSQL refuses.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::{ActionKind, PartitionBound};
use plimsoll_sql::effects::{bounds_overlap, is_empty_range};
use plimsoll_sql::schema::Relation;
use plimsoll_sql::{Command, ObjectName};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "partition-bound-overlap",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("partition_bound_overlap.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    if !context.surely_runs() {
        return;
    }
    match context.command {
        Command::CreateTable(table) => {
            let exists = table.if_not_exists && context.schema.relation(&table.name).is_some();
            if let (Some(parent), Some(bound), false) = (&table.partition_of, &table.bound, exists) {
                problems.extend(refused(context, parent, &table.name, bound));
            }
        }
        Command::AlterTable(alter) => {
            for action in &alter.actions {
                if let ActionKind::AttachPartition { name, bound: Some(bound) } = &action.kind {
                    let found = refused(context, &alter.name, name, bound);
                    problems.extend(found.map(|problem| problem.at(&action.range)));
                }
            }
        }
        _ => {}
    }
}

fn refused(
    context: &Context,
    parent: &ObjectName,
    partition: &ObjectName,
    bound: &PartitionBound,
) -> Option<Problem> {
    let parent_name = context.schema.resolve(parent);
    let relation = context.schema.relation(&parent_name)?;
    let key = relation.partition_key.as_ref()?;
    let fits = match bound {
        PartitionBound::Default => key.strategy != "hash",
        PartitionBound::Range { .. } => key.strategy == "range",
        PartitionBound::List(_) => key.strategy == "list",
        PartitionBound::Hash => key.strategy == "hash",
    };
    let fails = |message: String, remedy: &str| Some(Problem::new(message, remedy, Claim::Fails));
    if !fits {
        return fails(
            format!(
                "this statement fails: {parent_name} is partitioned by {}, and this bound is for another kind",
                key.strategy
            ),
            "Write the bound as the key asks: FROM … TO for range, IN for list, WITH (MODULUS …, REMAINDER …) for hash.",
        );
    }
    if matches!(bound, PartitionBound::Range { .. }) && !is_ordered(relation, &key.keys) {
        return None;
    }
    if is_empty_range(bound) {
        return fails(
            "this statement fails: the range ends where it begins, or before".to_owned(),
            "Write the lower bound first; the upper one isn't part of the range.",
        );
    }
    let own = context.schema.resolve(partition);
    let (other, _) = context.schema.partitions(&parent_name).find(|(name, relation)| {
        **name != own && relation.bound.as_ref().is_some_and(|other| bounds_overlap(bound, other))
    })?;
    fails(
        format!("this statement fails: the bound overlaps that of {other}"),
        "Let the range begin where the other one ends (its upper bound isn't part of it), or detach the other one first.",
    )
}

/// Whether the texts of bounds compare as their values do.
fn is_ordered(relation: &Relation, keys: &[String]) -> bool {
    keys.iter().all(|key| {
        let data_type = relation.column(key).and_then(|column| column.data_type.as_ref());
        data_type.is_some_and(|data_type| {
            let name = data_type.name.name.as_str();
            let number = ["smallint", "integer", "bigint", "numeric"].contains(&name);
            !data_type.array && (number || name == "date" || name.starts_with("timestamp"))
        })
    })
}
