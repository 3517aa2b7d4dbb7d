//! A foreign key that is added unchecked, and checked without blocking writers.

use plimsoll_sql::command::{ConstraintKind, TableAction};
use plimsoll_sql::name::{quote_identifier, quote_name};

use super::made_names::{Of, made_name};
use super::site::{Mended, Refusal, Site, because};
use super::{Step, alter_head};

/// The first version that has `NOT VALID` foreign keys on partitioned tables.
const PARTITIONED_NOT_VALID: u32 = 18;

pub(super) fn add(site: &Site, action: &TableAction) -> Result<Mended, Refusal> {
    let (alter, constraint) = (site.alter()?, site.constraint(&action.kind)?);
    let ConstraintKind::ForeignKey { columns, references, .. } = &constraint.kind else {
        return because("it is no foreign key");
    };
    if site.is_partitioned(references) && !site.is_surely_at_least(PARTITIONED_NOT_VALID) {
        return because(
            "before PostgreSQL 18, VALIDATE leaves a foreign key to a partitioned table NOT VALID towards each partition",
        );
    }
    let named = constraint.name.clone();
    let name = named
        .unwrap_or_else(|| made_name(site.schema, &alter.name, &columns.join("_"), "fkey", Of::Constraint));
    let quoted = quote_identifier(&name);
    let written = &site.sql[constraint.range.clone()];
    let definition = match constraint.name {
        Some(_) => written.to_owned(),
        None => format!("CONSTRAINT {quoted} {written}"),
    };
    if site.is_partitioned(&alter.name) && !site.is_surely_at_least(PARTITIONED_NOT_VALID) {
        return on_each_partition(site, &definition, &quoted);
    }
    let head = alter_head(alter);
    Ok(Mended::new(
        "adds the foreign key NOT VALID, then validates it",
        vec![
            Step::along(format!("{head} ADD {definition} NOT VALID")),
            Step::fresh(format!("{head} VALIDATE CONSTRAINT {quoted}")),
        ],
    ))
}

/// Before version 18: on each partition first, whose keys the parent's then takes for its own.
fn on_each_partition(site: &Site, definition: &str, name: &str) -> Result<Mended, Refusal> {
    let alter = site.alter()?;
    let parent = site.schema.resolve(&alter.name);
    let partitions: Vec<_> = site.schema.partitions(&parent).map(|(name, _)| name).collect();
    if alter.only || partitions.iter().any(|partition| site.is_partitioned(partition)) {
        return because(
            "before PostgreSQL 18 a partitioned table takes no NOT VALID foreign key, and its partitions are partitioned themselves",
        );
    }
    let mut steps: Vec<Step> = Vec::new();
    for partition in &partitions {
        steps.push(Step::along(format!("ALTER TABLE {} ADD {definition} NOT VALID", quote_name(partition))));
    }
    for partition in &partitions {
        steps.push(Step::fresh(format!("ALTER TABLE {} VALIDATE CONSTRAINT {name}", quote_name(partition))));
    }
    steps.push(Step::along(format!("{} ADD {definition}", alter_head(alter))));
    Ok(Mended::new(
        "adds the foreign key to each partition NOT VALID, validates it, then adds it to the parent",
        steps,
    ))
}
