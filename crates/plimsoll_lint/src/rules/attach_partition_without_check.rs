//! `ATTACH PARTITION` that reads the new partition, or builds indexes on it, while it is locked.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ConstraintKind, PartitionBound};
use plimsoll_sql::effects::{Cause, implies_bound};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::Relation;

use super::partition_bound;
use crate::context::{Context, Hazard, Problem, column_list, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "attach-partition-without-check",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("postgres-language-server", "avoidAttachingPartition"),
        ("pgfence", "attach-partition"),
        ("pgsafe", "attach-partition"),
    ],
    severity: Severity::Error,
    page: include_str!("attach_partition_without_check.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[Cause::AttachPartition, Cause::AttachIndex]) {
        let Some(ActionKind::AttachPartition { name, bound }) =
            context.action_of(&hazard).map(|action| &action.kind)
        else {
            continue;
        };
        let partition = quote_name(name);
        let (parent, known) = (context.schema.relation(&alter.name), context.schema.relation(name));
        let (verb, remedy) = match hazard.effect.cause {
            Cause::AttachIndex => ("builds indexes on", index_remedy(context, parent, known, &partition)),
            _ => {
                let keys =
                    parent.and_then(|parent| parent.partition_key.as_ref()).map(|key| key.keys.as_slice());
                let implied = match (known, keys, bound) {
                    (Some(known), Some(keys), Some(bound)) => implies_bound(known, keys, bound),
                    _ => false,
                };
                let remedy = match implied {
                    true => foreign_key_remedy(&partition),
                    false => check_remedy(name.name.as_str(), &partition, keys, bound.as_ref()),
                };
                ("reads all of", remedy)
            }
        };
        problems.push(Problem::new(message(context, &hazard, verb), remedy, hazard.claim()).of(&hazard));
    }
}

fn message(context: &Context, hazard: &Hazard, verb: &str) -> String {
    format!(
        "attaching this partition {verb} {}{} while {}",
        context.sized(hazard.relation()),
        hazard.and_others(),
        context.kept_out(hazard.relation(), hazard.effect.mode)
    )
}

fn check_remedy(name: &str, sql: &str, keys: Option<&[String]>, bound: Option<&PartitionBound>) -> String {
    let constraint = made_up_name(&[name, "bound"]);
    match bound.zip(keys).and_then(|(bound, keys)| partition_bound::within(keys, bound)) {
        Some(condition) => format!(
            "Let a check that is validated without blocking prove the bound first, each step in a transaction of its own:\n\
             ALTER TABLE {sql} ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID;\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {constraint};\n\
             -- attach it; then\n\
             ALTER TABLE {sql} DROP CONSTRAINT {constraint};"
        ),
        None => format!(
            "Let a check that is validated without blocking prove the bound first. Its words are what PostgreSQL shows of an empty \
             table that is attached with the same bound: SELECT pg_get_partition_constraintdef('…'::regclass);\n\
             ALTER TABLE {sql} ADD CONSTRAINT {constraint} CHECK (…) NOT VALID;\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {constraint};"
        ),
    }
}

fn foreign_key_remedy(sql: &str) -> String {
    format!(
        "A foreign key of the parent is looked up for every row. Give the partition the same one before, NOT VALID, and check it \
         without blocking writers: ALTER TABLE {sql} VALIDATE CONSTRAINT …;"
    )
}

/// The parent's indexes that the partition lacks, by their columns.
fn index_remedy(context: &Context, parent: Option<&Relation>, known: Option<&Relation>, sql: &str) -> String {
    let mut remedy =
        format!("Build the parent's indexes on it before, without blocking writers, {}:", context.outside());
    let (Some(parent), Some(known)) = (parent, known) else { return remedy };
    let mut has: Vec<Vec<String>> = Vec::new();
    let columns_of = |relation: &Relation| -> Vec<(Vec<String>, bool)> {
        let keys = relation.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
                Some((key.columns.clone(), true))
            }
            _ => None,
        });
        let indexes = relation.indexes.iter().map(|index| {
            let columns = index.keys.iter().map(|key| key.column.clone().unwrap_or_else(|| key.text.clone()));
            (columns.collect(), index.unique)
        });
        keys.chain(indexes).collect()
    };
    has.extend(columns_of(known).into_iter().map(|(columns, _)| columns));
    for (columns, unique) in columns_of(parent).into_iter().filter(|(columns, _)| !has.contains(columns)) {
        let unique = if unique { "UNIQUE " } else { "" };
        let name = quote_identifier(&columns.join("_"));
        remedy.push_str(&format!(
            "\nCREATE {unique}INDEX CONCURRENTLY {} ON {sql} ({});",
            made_up_name(&[sql.trim_matches('"'), name.trim_matches('"'), "idx"]),
            column_list(&columns)
        ));
    }
    remedy
}
