//! Partitions that come and go without keeping readers out.

use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, PartitionBound};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::RelationKind;

use super::Step;
use super::made_names::{Of, made_name};
use super::site::{Mended, Refusal, Site, because};
use crate::rules::partition_bound::within;

/// `DETACH PARTITION` to `DETACH PARTITION CONCURRENTLY`, which leaves a check that has to go.
pub(super) fn detach(site: &Site) -> Result<Mended, Refusal> {
    let alter = site.alter()?;
    let [action] = alter.actions.as_slice() else { return because("it does several things") };
    let ActionKind::DetachPartition { name, .. } = &action.kind else {
        return because("it detaches nothing");
    };
    let parent = site.schema.resolve(&alter.name);
    if site.schema.default_partition(&parent).is_some() {
        return because(
            "beside a default partition none can be detached concurrently: give the lock a lock_timeout",
        );
    }
    let keys = site.relation(&alter.name).and_then(|known| known.partition_key.as_ref()).map(|key| &key.keys);
    let Some(keys) = keys else { return because("the key of the partitioned table isn't known here") };
    let check = match keys.as_slice() {
        [key] => made_name(site.schema, name, key.trim_matches('"'), "check", Of::Constraint),
        _ => made_name(site.schema, name, "", "check", Of::Constraint),
    };
    Ok(Mended::new(
        "detaches the partition CONCURRENTLY",
        vec![
            Step::outside(format!("{} CONCURRENTLY", site.sql)),
            // What detaching leaves in the partition's bound's stead.
            Step::along(format!(
                "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}",
                quote_name(name),
                quote_identifier(&check)
            )),
        ],
    ))
}

/// A check that proves the bound before the partition is attached.
pub(super) fn attach(site: &Site) -> Result<Mended, Refusal> {
    let Command::AlterTable(alter) = site.command else { return because("it is no ALTER TABLE") };
    let [action] = alter.actions.as_slice() else { return because("it does several things") };
    let ActionKind::AttachPartition { name, bound: Some(bound) } = &action.kind else {
        return because("it attaches no partition with a bound that is understood");
    };
    if site.relation(name).is_none_or(|known| known.kind != RelationKind::Table) {
        return because("what is attached isn't known to be a plain table");
    }
    let keys = site
        .relation(&alter.name)
        .and_then(|known| known.partition_key.as_ref())
        .map(|key| key.keys.as_slice());
    let condition = keys.and_then(|keys| within(keys, bound)).filter(|_| *bound != PartitionBound::Default);
    let Some(condition) = condition else { return because("no check of one line proves this bound") };
    let check = quote_identifier(&made_name(site.schema, name, "", "bound", Of::Constraint));
    let head = format!("ALTER TABLE {}", quote_name(name));
    Ok(Mended::new(
        "lets a validated check prove the bound before it attaches",
        vec![
            Step::along(format!("{head} ADD CONSTRAINT {check} CHECK ({condition}) NOT VALID")),
            Step::fresh(format!("{head} VALIDATE CONSTRAINT {check}")),
            Step::along(site.sql),
            Step::along(format!("{head} DROP CONSTRAINT {check}")),
        ],
    ))
}
