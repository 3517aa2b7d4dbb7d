//! What ran on a server for a while: queries by fingerprint, and bursts of one query.

use serde::{Deserialize, Serialize};

/// What was seen. Serializes to the JSON contract, `traffic`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Traffic {
    /// Statements in all.
    pub statements: u64,
    /// Connections that ran them.
    pub sessions: u64,
    /// From the first statement's start to the last one's end, in milliseconds.
    pub lasted_ms: f64,
    /// By time in total, the longest first.
    pub queries: Vec<QueryTraffic>,
    /// Width of the timeline's steps, in milliseconds.
    pub step_ms: f64,
    /// Statements whose queries aren't listed, since too many different ones came.
    #[serde(skip_serializing_if = "is_zero")]
    pub unlisted: u64,
    /// Runs of one query, in the order in which they began.
    pub bursts: Vec<Burst>,
    /// Bursts that aren't listed, since too many came.
    #[serde(skip_serializing_if = "is_zero")]
    pub unlisted_bursts: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// All statements of one fingerprint. Times in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryTraffic {
    /// Hash of the normal form, 16 hexadecimal digits.
    pub fingerprint: String,
    /// The normal form.
    pub query: String,
    /// How often it ran.
    pub calls: u64,
    /// How often it failed.
    pub failures: u64,
    /// Rows returned or changed in total.
    pub rows: u64,
    /// Time that clients waited for it in total.
    pub total_ms: f64,
    /// The longest of these times.
    pub max_ms: f64,
    /// Half of the calls took at most this, to 3 %.
    pub p50_ms: f64,
    /// 99 of 100 calls took at most this, to 3 %.
    pub p99_ms: f64,
    /// Bytes that the server sent for it.
    pub bytes: u64,
    /// The applications that ran it, by name.
    pub applications: Vec<String>,
    /// The routes it came from, as its sqlcommenter tags say (`route`, else `controller` and `action`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// When it ran: numbers of the timeline's steps, and how many calls began in each. Steps without a call are left out.
    pub hits: Vec<(u32, u32)>,
}

/// What a burst is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BurstKind {
    /// One query for each row of another one's answer, or for each item of a list.
    NPlusOne,
    /// One INSERT, UPDATE or DELETE for each row, each waited for.
    WriteLoop,
    /// Statements sent in one go: the client waits once.
    Batch,
    /// A statement tried again after it failed.
    Retry,
    /// One query with the same values again and again: a poll, or what a cache would spare.
    Repetition,
    /// Page after page of one result.
    Paging,
}

impl BurstKind {
    /// The word that reports and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NPlusOne => "n-plus-one",
            Self::WriteLoop => "write-loop",
            Self::Batch => "batch",
            Self::Retry => "retry",
            Self::Repetition => "repetition",
            Self::Paging => "paging",
        }
    }
}

/// Statements of one fingerprint close after one another on one connection. Times in milliseconds since the first
/// statement of all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Burst {
    /// What it is.
    pub kind: BurstKind,
    /// The query's fingerprint.
    pub fingerprint: String,
    /// Number of the connection.
    pub session: usize,
    /// The application's name.
    pub application: String,
    /// Tags of the first statement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// How many statements.
    pub statements: u64,
    /// How many different values they had.
    pub distinct: u64,
    /// When the first began.
    pub started_ms: f64,
    /// When the last ended.
    pub ended_ms: f64,
    /// Time that the client waited for answers.
    pub waited_ms: f64,
    /// The query whose rows gave the values, if one was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fed_by: Option<Feeder>,
    /// Round trips that one statement for all (a join, or `IN` with a list) would have spared.
    pub spared: u64,
}

/// Where a burst's values came from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feeder {
    /// The query's fingerprint.
    pub fingerprint: String,
    /// The query's normal form.
    pub query: String,
    /// The column, by name or, where that isn't known, by number from 1.
    pub column: String,
    /// How many of the burst's statements had a value of it.
    pub statements: u64,
}
