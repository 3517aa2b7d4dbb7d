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

pub(crate) async fn load(
    client: &Client,
    source: &PlanSource,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    client.batch_execute(SESSION).await.map_err(BuildError::statement("prepare the loading"))?;
    let mut failed = Vec::new();
    for batch in ordered(source).chunks(BATCH) {
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
