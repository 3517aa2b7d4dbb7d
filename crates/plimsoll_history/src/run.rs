//! What is kept of one run.

use sha2::{Digest as _, Sha256};

/// One run of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// When it ended, in seconds since 1970 (UTC).
    pub at_s: u64,
    /// Which verb ran.
    pub kind: RunKind,
    /// Plimsoll's version.
    pub plimsoll: String,
    /// The server's version; empty where no server was needed.
    pub server: String,
    /// What rules said of statements, and what they should have said.
    pub claims: Vec<Claim>,
    /// The queries that ran on both sides, alarmed or not.
    pub measured: Vec<Measured>,
}

/// The verb that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// `plimsoll check`.
    Check,
    /// `plimsoll regress test`.
    Regress,
}

impl RunKind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Regress => "regress",
        }
    }
}

/// A rule and a statement: what was claimed and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The migration file's name.
    pub file: String,
    /// The rule's id; of a missed fact that no rule is known for, the id of the finding that told of it.
    pub rule: String,
    /// The statement's fingerprint, without its literals; the file's name where the claim is about no statement.
    pub statement: String,
    /// The relation that is said to be locked, as `schema.name`.
    pub relation: Option<String>,
    /// What the rehearsal made of it.
    pub verdict: Verdict,
}

impl Claim {
    /// Names the same finding in repeated runs: the rule, the statement without its literals, the relation.
    #[must_use]
    pub fn finding(&self) -> String {
        digest(&[&self.rule, &self.statement, self.relation.as_deref().unwrap_or_default()])
    }
}

/// What a rehearsal made of a claim. Of several of one finding in one run, the first of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It was seen.
    Confirmed,
    /// It was seen not to be so.
    Refuted,
    /// It was seen, and the rule hadn't claimed it, though it names such hazards.
    Missed,
    /// A rehearsal can't tell, or didn't get there.
    Untested,
}

impl Verdict {
    /// The word that the file has.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Refuted => "refuted",
            Self::Missed => "missed",
            Self::Untested => "untested",
        }
    }
}

/// A query that ran before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Names the comparison: the same query, before and after the same change on the same server version, has the same.
    pub comparison: String,
    /// The query's name, with its set of values.
    pub query: String,
    /// Fingerprint of its text: 16 hexadecimal digits.
    pub fingerprint: String,
    /// What the alarm rests on: the greatest growth of its buffers and rows. Finite.
    pub score: f64,
    /// The growth from which it was alarmed.
    pub threshold: f64,
    /// Whether it was.
    pub alarmed: bool,
}

/// 32 hexadecimal digits that stand for these parts in this order.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_keeps_parts_apart() {
        assert_eq!(digest(&["a"]).len(), 32);
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
        assert_ne!(digest(&["a", "b"]), digest(&["ab", ""]));
        assert_ne!(digest(&["a", "b"]), digest(&["b", "a"]));
    }
}
