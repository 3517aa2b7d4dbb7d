//! Facts of a snapshot: JSON objects, one a line. What a fact is about is its first key; keys that this
//! version doesn't know are passed over.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::name::ObjectName;

/// What a catalogue and the server's counters say besides the DDL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// About the server.
    pub server: Option<ServerFacts>,
    /// Sizes and counters of tables and materialized views.
    pub tables: BTreeMap<ObjectName, TableFacts>,
    /// Indexes that queries may not use.
    pub invalid_indexes: BTreeSet<ObjectName>,
    /// Sizes and uses of indexes that are no constraint's.
    pub indexes: BTreeMap<ObjectName, IndexUse>,
    /// How far sequences are.
    pub sequences: BTreeMap<ObjectName, SequenceFacts>,
    /// Extensions with their versions.
    pub extensions: BTreeMap<String, ExtensionFacts>,
    /// What the role that took the snapshot may not see.
    pub unseen: Vec<Unseen>,
}

/// The server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServerFacts {
    /// `server_version_num`.
    pub version: u32,
    /// The database.
    pub database: String,
    /// The day on which the snapshot was taken, `YYYY-MM-DD`.
    pub taken: String,
    /// The day since which counters count, if they were ever reset.
    pub counters_since: Option<String>,
    /// Settings of a new session of the role.
    pub settings: BTreeMap<String, String>,
}

/// A table's or materialized view's size and counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TableFacts {
    /// With TOAST and without indexes.
    pub bytes: Option<u64>,
    /// Without TOAST and indexes.
    pub main_bytes: Option<u64>,
    /// Of its indexes.
    pub index_bytes: Option<u64>,
    /// As the planner estimates; -1 where nobody has counted yet.
    pub rows: Option<i64>,
    /// As counted since the last vacuum or crash.
    pub live_rows: Option<u64>,
    /// As counted since the last vacuum or crash.
    pub dead_rows: Option<u64>,
    /// The day of the last vacuum.
    pub vacuumed: Option<String>,
    /// The day of the last analyze.
    pub analyzed: Option<String>,
    /// What the rows would take without gaps, where that can be estimated.
    pub expected_bytes: Option<u64>,
}

/// An index that is no constraint's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IndexUse {
    /// Its size.
    pub bytes: u64,
    /// Scans since the counters were reset.
    pub scans: Option<u64>,
}

/// A sequence's place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SequenceFacts {
    /// The last value that was given out.
    pub last: i64,
    /// Its least value.
    pub least: i64,
    /// Its greatest value.
    pub most: i64,
    /// What each value adds.
    pub step: i64,
    /// Whether it begins anew at its end.
    pub cycles: bool,
    /// Schema, table and column that own it.
    pub column: Option<(String, String, String)>,
}

/// An extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExtensionFacts {
    /// Its version.
    pub version: String,
    /// The version that the server's files have, where they are known.
    pub newest: Option<String>,
}

/// Something that a role may not see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Unseen {
    /// What, in the plural.
    pub unseen: String,
    /// How many; none where that can't be told either.
    pub count: Option<u64>,
}

/// Why a fact can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFactError {
    /// Bytes into the fact.
    pub offset: usize,
    /// What is wrong.
    pub why: String,
}

impl TableFacts {
    /// Rows, where somebody has counted them.
    #[must_use]
    pub fn known_rows(&self) -> Option<u64> {
        self.rows.and_then(|rows| u64::try_from(rows).ok())
    }
}

impl Facts {
    /// Takes note of a line. One about something that this version doesn't know says nothing.
    pub(super) fn read(&mut self, json: &str) -> Result<(), ReadFactError> {
        let wrong = |offset: usize, why: String| ReadFactError { offset, why };
        let fact: Map<String, Value> = serde_json::from_str(json).map_err(|error| {
            let why = error.to_string();
            // Its own place counts from the fact's start; ours stands before it.
            let why = why.split(" at line ").next().unwrap_or(&why);
            wrong(error.column().saturating_sub(1), format!("this fact is no JSON object: {why}"))
        })?;
        self.take(fact).map_err(|why| wrong(0, format!("this fact can't be understood: {why}")))
    }

    fn take(&mut self, fact: Map<String, Value>) -> Result<(), String> {
        let named = |key: &str| fact.get(key).map(name);
        let rest = || Value::Object(fact.clone());
        if let Some(server) = fact.get("server") {
            self.server = Some(read(server.clone())?);
        } else if let Some(table) = named("table") {
            self.tables.insert(table?, read(rest())?);
        } else if let Some(index) = named("index") {
            if fact.get("valid") == Some(&Value::Bool(false)) {
                self.invalid_indexes.insert(index?);
            }
        } else if let Some(index) = named("index_use") {
            self.indexes.insert(index?, read(rest())?);
        } else if let Some(sequence) = named("sequence") {
            self.sequences.insert(sequence?, read(rest())?);
        } else if let Some(extension) = fact.get("extension") {
            let extension: String = read(extension.clone())?;
            self.extensions.insert(extension, read(rest())?);
        } else if fact.contains_key("unseen") {
            self.unseen.push(read(rest())?);
        }
        Ok(())
    }
}

fn read<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// `["schema", "name"]`.
fn name(value: &Value) -> Result<ObjectName, String> {
    let (schema, name): (String, String) = read(value.clone())?;
    Ok(ObjectName::qualified(schema, name))
}
