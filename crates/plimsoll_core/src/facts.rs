//! What a statement was seen to do besides its locks, scans and builds: the rest of a rehearsal's catalogue of facts.
//!
//! In JSON a fact that there is nothing to say of is left out.

use serde::Serialize;

/// Further facts about one statement.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FurtherFacts {
    /// Existing tables that were emptied, as `schema.name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<String>,
    /// Foreign keys whose every row was looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub validated_foreign_keys: Vec<ValidatedForeignKey>,
    /// Existing relations whose TOAST table was written to a new file, as `schema.name` of the owner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub toast_rewrites: Vec<String>,
    /// Indexes that there were before and that were built anew, as `schema.name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub index_rewrites: Vec<String>,
    /// Existing materialized views that were filled anew, as `schema.name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refreshed: Vec<String>,
    /// Rows written, a relation each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows_written: Vec<RowsWritten>,
    /// Rows inserted, updated and deleted in system catalogs.
    #[serde(skip_serializing_if = "is_zero")]
    pub catalog_rows: u64,
    /// Whether it changed system catalogs and did no work that grows with a relation.
    #[serde(skip_serializing_if = "is_false")]
    pub catalog_only: bool,
    /// Existing sequences that were advanced or set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<SequenceMove>,
    /// Trigger functions that ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<TriggersFired>,
    /// Temporary files that it spilled to, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temp_files: Option<TempFiles>,
    /// What it was seen waiting for, the most frequent first; empty where it ended before the first look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<WaitEvent>,
    /// What the server said of it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_messages: Vec<ServerMessage>,
}

/// A foreign key whose every row was looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ValidatedForeignKey {
    /// The referencing relation as `schema.name`.
    pub relation: String,
    /// The constraint's name.
    pub constraint: String,
}

/// Rows that were written to one relation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RowsWritten {
    /// The relation as `schema.name`.
    pub relation: String,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// A sequence's last value before and after; none where it had given out none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SequenceMove {
    /// The sequence as `schema.name`.
    pub sequence: String,
    /// Before.
    pub from: Option<i64>,
    /// After.
    pub to: Option<i64>,
}

/// A trigger function that ran. The server counts functions, not triggers: several triggers may call one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TriggersFired {
    /// The function as `schema.name`.
    pub function: String,
    /// How often it ran.
    pub calls: u64,
    /// The triggers that call it, as `name on schema.relation`; an event trigger by its name alone.
    pub triggers: Vec<String>,
}

/// Temporary files that were closed while it ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TempFiles {
    /// How many.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
}

/// Something that the statement's process was seen waiting for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct WaitEvent {
    /// As `pg_stat_activity` names it: `IO:DataFileRead`; `CPU` where it waited for nothing.
    pub event: String,
    /// In how many looks, which are 10 ms apart.
    pub samples: u64,
}

/// Something that the server said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ServerMessage {
    /// `DEBUG`, `LOG`, `INFO`, `NOTICE` or `WARNING`.
    pub severity: String,
    /// The message.
    pub message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
