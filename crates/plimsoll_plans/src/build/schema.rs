//! The schema: objects in the dump's order, but indexes in that of production's OIDs, by which the planner chooses among equals.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::Unrestored;
use super::error::{BuildError, explained};
use crate::source::{PlanSource, SchemaEntry};

/// Objects that are made in one round trip and one transaction.
const BATCH: usize = 250;

const SESSION: &str = "set check_function_bodies = off; set client_min_messages = error; set xmloption = content; \
    set row_security = off; set search_path = ''; set standard_conforming_strings = on; set allow_system_table_mods = on; \
    set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'";

/// Kinds that make no relation and no type, and that no other kind needs.
const LAST: [&str; 9] = [
    "FK CONSTRAINT",
    "CHECK CONSTRAINT",
    "TRIGGER",
    "POLICY",
    "ROW SECURITY",
    "STATISTICS",
    "COMMENT",
    "ACL",
    "DEFAULT ACL",
];

/// The schema's objects in the order in which they are made.
pub(crate) struct Order<'a> {
    /// Up to the last relation.
    pub(super) relations: Vec<&'a SchemaEntry>,
    /// What can be made while the relations get their statistics.
    pub(super) rest: Vec<&'a SchemaEntry>,
}

impl<'a> Order<'a> {
    pub(super) fn of(source: &'a PlanSource) -> Self {
        let mut relations = ordered(source);
        let is_last = |entry: &&SchemaEntry| LAST.contains(&entry.kind.as_str());
        let rest = relations.iter().rposition(|entry| !is_last(entry)).map_or(0, |at| at + 1);
        let rest = relations.split_off(rest);
        Self { relations, rest }
    }
}

/// Gives a session the settings that a schema and its statistics are loaded with.
pub(super) async fn prepare(client: &Client) -> Result<(), BuildError> {
    client.batch_execute(SESSION).await.map_err(BuildError::statement("prepare the loading"))
}

pub(crate) async fn load(client: &Client, source: &PlanSource) -> Result<Vec<Unrestored>, BuildError> {
    let order = Order::of(source);
    prepare(client).await?;
    let mut unrestored = make(client, &order.relations).await;
    unrestored.extend(make(client, &order.rest).await);
    end(client).await?;
    Ok(unrestored)
}

/// Makes objects; returns those that can't be made.
pub(super) async fn make(client: &Client, entries: &[&SchemaEntry]) -> Vec<Unrestored> {
    let mut failed = Vec::new();
    for batch in entries.chunks(BATCH) {
        let together: Vec<&str> = batch.iter().map(|entry| entry.sql.as_str()).collect();
        if client.batch_execute(&together.join("\n")).await.is_ok() {
            continue;
        }
        for entry in batch {
            if client.batch_execute(&entry.sql).await.is_err() {
                failed.push(*entry);
            }
        }
    }
    let mut unrestored = Vec::new();
    // What failed for lack of something that came later.
    for entry in failed {
        match client.batch_execute(&entry.sql).await {
            Err(error) if !is_there_already(entry, &error) => unrestored.push(Unrestored {
                what: format!("{} {}", entry.kind.to_lowercase(), shown(entry)),
                why: explained(&error),
            }),
            _ => {}
        }
    }
    unrestored
}

pub(super) async fn end(client: &Client) -> Result<(), BuildError> {
    client.batch_execute("reset default_tablespace; reset default_table_access_method; update pg_catalog.pg_class set relispopulated = true \
        where relkind = 'm' and not relispopulated")
        .await
        .map_err(BuildError::statement("end the loading"))
}

fn shown(entry: &SchemaEntry) -> String {
    if entry.schema == "-" { entry.name.clone() } else { format!("{}.{}", entry.schema, entry.name) }
}

/// Every database has it.
fn is_there_already(entry: &SchemaEntry, error: &tokio_postgres::Error) -> bool {
    entry.kind == "SCHEMA" && error.code() == Some(&tokio_postgres::error::SqlState::DUPLICATE_SCHEMA)
}

fn ordered(source: &PlanSource) -> Vec<&SchemaEntry> {
    let mut ranks = HashMap::new();
    for (rank, relation) in source.relations.iter().enumerate() {
        let Some(index) = &relation.index else { continue };
        let schema = relation.schema.as_str();
        ranks.insert(("INDEX", schema, relation.name.clone()), rank);
        ranks.insert(("CONSTRAINT", schema, format!("{} {}", index.table, relation.name)), rank);
    }
    let rank = |entry: &SchemaEntry| {
        ranks.get(&(entry.kind.as_str(), entry.schema.as_str(), entry.name.clone())).copied()
    };
    let mut indexes: Vec<(usize, &SchemaEntry)> =
        source.schema.iter().filter_map(|entry| Some((rank(entry)?, entry))).collect();
    indexes.sort_by_key(|(rank, _)| *rank);
    let mut indexes = indexes.into_iter().map(|(_, entry)| entry);
    let in_place = |entry| if rank(entry).is_some() { indexes.next() } else { Some(entry) };
    source.schema.iter().filter_map(in_place).collect()
}
