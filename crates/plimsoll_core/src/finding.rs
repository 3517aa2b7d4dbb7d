//! What was found: a rule's statement about a place, and how far it is proven.

use serde::Serialize;

use crate::lock::LockMode;
use crate::source::Location;

/// How bad a finding is. Ordered: an error is greater than a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing breaks.
    Note,
    /// A strong lock that is brief but unguarded, or a change that breaks the running code.
    Warning,
    /// Work proportional to a relation's size under a lock that blocks its users, or a
    /// statement that fails, corrupts or loses data.
    Error,
}

impl Severity {
    /// The word that config, reports and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How far a finding is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// Said by a rule, not (yet) tried on a server.
    Claimed,
    /// Said by a rule and seen on a server.
    Confirmed,
    /// Said by a rule, and a server showed otherwise.
    Refuted,
    /// Seen on a server; no rule had said so.
    Observed,
}

impl EvidenceKind {
    /// The word that reports and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Confirmed => "confirmed",
            Self::Refuted => "refuted",
            Self::Observed => "observed",
        }
    }
}

/// What a finding stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// How far the finding is proven.
    pub kind: EvidenceKind,
    /// The facts in words, such as `AccessExclusiveLock on public.ships`.
    pub facts: Vec<String>,
}

/// Work proportional to a relation's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Every row is written anew.
    Rewrite,
    /// Every row is read.
    Scan,
    /// An index is built.
    IndexBuild,
}

impl Work {
    /// As a verb phrase for `… relation`: `rewrites`.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Rewrite => "rewrites",
            Self::Scan => "scans",
            Self::IndexBuild => "builds an index on",
        }
    }
}

/// What a finding says a server will show: the part of it that a rehearsal can prove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// The statement takes this lock on this relation and does this work meanwhile.
    Lock {
        /// Relation as `schema.name`.
        relation: String,
        /// The lock mode taken.
        mode: LockMode,
        /// Work under the lock; `None` for a brief lock.
        work: Option<Work>,
    },
    /// The statement fails.
    Fails,
    /// Nothing that a server shows, such as running code that still reads a dropped column.
    #[default]
    Nothing,
}

/// Edits that mend a finding. Applied together, and never automatically.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What they do, in a few words: `Add CONCURRENTLY`.
    pub title: String,
    /// The edits, which don't overlap.
    pub edits: Vec<Edit>,
}

/// A text put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What is replaced; empty where text is inserted.
    pub location: Location,
    /// The new text.
    pub text: String,
}

/// One finding. Serializes to the JSON contract, `findings[]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id, kebab-case.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do instead.
    pub remedy: String,
    /// Edits that do it, where a program can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// Where it stands.
    pub location: Location,
    /// Index of the statement in its file, from 0; none where the finding is about no
    /// statement of a migration.
    pub statement: Option<usize>,
    /// What it stands on.
    pub evidence: Evidence,
    /// The part that a rehearsal can prove.
    #[serde(skip)]
    pub claim: Claim,
}
