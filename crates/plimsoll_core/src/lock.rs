//! PostgreSQL's table-level lock modes and which of them conflict.
//!
//! Source: PostgreSQL documentation, "Explicit Locking", table "Conflicting Lock Modes", and
//! `LockConflicts` in PostgreSQL's `src/backend/storage/lmgr/lock.c`.

use serde::Serialize;

/// A table-level lock mode, weakest first.
///
/// Serializes as `pg_locks.mode` prints it (`AccessExclusiveLock`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum LockMode {
    /// `ACCESS SHARE`: taken by every SELECT.
    #[serde(rename = "AccessShareLock")]
    AccessShare,
    /// `ROW SHARE`: taken by SELECT … FOR UPDATE and its kin.
    #[serde(rename = "RowShareLock")]
    RowShare,
    /// `ROW EXCLUSIVE`: taken by INSERT, UPDATE, DELETE.
    #[serde(rename = "RowExclusiveLock")]
    RowExclusive,
    /// `SHARE UPDATE EXCLUSIVE`: VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY.
    #[serde(rename = "ShareUpdateExclusiveLock")]
    ShareUpdateExclusive,
    /// `SHARE`: CREATE INDEX. Blocks writers.
    #[serde(rename = "ShareLock")]
    Share,
    /// `SHARE ROW EXCLUSIVE`: ADD FOREIGN KEY, CREATE TRIGGER. Blocks writers.
    #[serde(rename = "ShareRowExclusiveLock")]
    ShareRowExclusive,
    /// `EXCLUSIVE`: REFRESH MATERIALIZED VIEW CONCURRENTLY. Blocks writers.
    #[serde(rename = "ExclusiveLock")]
    Exclusive,
    /// `ACCESS EXCLUSIVE`: most of ALTER TABLE. Blocks readers and writers.
    #[serde(rename = "AccessExclusiveLock")]
    AccessExclusive,
}

/// What ordinary traffic on a relation has to wait for while a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocks {
    /// Neither reads nor writes.
    Nothing,
    /// INSERT, UPDATE, DELETE, MERGE.
    Writes,
    /// Every statement, SELECT included.
    ReadsAndWrites,
}

impl LockMode {
    /// All modes, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// The mode as the documentation and `LOCK TABLE` write it: `ACCESS EXCLUSIVE`.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The mode as `pg_locks.mode` prints it: `AccessExclusiveLock`.
    #[must_use]
    pub const fn pg_locks(self) -> &'static str {
        match self {
            Self::AccessShare => "AccessShareLock",
            Self::RowShare => "RowShareLock",
            Self::RowExclusive => "RowExclusiveLock",
            Self::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Self::Share => "ShareLock",
            Self::ShareRowExclusive => "ShareRowExclusiveLock",
            Self::Exclusive => "ExclusiveLock",
            Self::AccessExclusive => "AccessExclusiveLock",
        }
    }

    /// Reads a mode as `pg_locks.mode` prints it. `None` for predicate locks (`SIReadLock`).
    #[must_use]
    pub fn from_pg_locks(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.pg_locks() == text)
    }

    /// Whether two sessions can't hold `self` and `other` on one relation at the same time.
    #[must_use]
    pub const fn conflicts_with(self, other: Self) -> bool {
        /// Bit `b` of row `a` says that mode `a` conflicts with mode `b`, both in [`LockMode::ALL`]'s order.
        const CONFLICTS: [u8; 8] = [
            0b1000_0000,
            0b1100_0000,
            0b1111_0000,
            0b1111_1000,
            0b1110_1100,
            0b1111_1100,
            0b1111_1110,
            0b1111_1111,
        ];
        CONFLICTS[self as usize] & (1 << other as usize) != 0
    }

    /// What ordinary statements can't do on a relation while another session holds this mode.
    #[must_use]
    pub const fn blocks(self) -> Blocks {
        if self.conflicts_with(Self::AccessShare) {
            Blocks::ReadsAndWrites
        } else if self.conflicts_with(Self::RowExclusive) {
            Blocks::Writes
        } else {
            Blocks::Nothing
        }
    }
}

impl Blocks {
    /// As a clause for a person: `blocks reads and writes`.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Nothing => "blocks neither reads nor writes",
            Self::Writes => "blocks writes",
            Self::ReadsAndWrites => "blocks reads and writes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_symmetric() {
        for a in LockMode::ALL {
            for b in LockMode::ALL {
                assert_eq!(a.conflicts_with(b), b.conflicts_with(a), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn conflicts_equal_the_documentation() {
        let count = |mode: LockMode| LockMode::ALL.iter().filter(|o| mode.conflicts_with(**o)).count();
        // Crosses in each row of the documentation's table.
        let crosses: Vec<usize> = LockMode::ALL.iter().map(|m| count(*m)).collect();
        assert_eq!(crosses, [1, 2, 4, 5, 5, 6, 7, 8]);
        assert!(!LockMode::Share.conflicts_with(LockMode::Share));
        assert!(LockMode::ShareUpdateExclusive.conflicts_with(LockMode::ShareUpdateExclusive));
    }

    #[test]
    fn a_share_lock_blocks_writes_only() {
        assert_eq!(LockMode::Share.blocks(), Blocks::Writes);
        assert_eq!(LockMode::ShareUpdateExclusive.blocks(), Blocks::Nothing);
        assert_eq!(LockMode::AccessExclusive.blocks(), Blocks::ReadsAndWrites);
    }

    #[test]
    fn pg_locks_names_round_trip() {
        for mode in LockMode::ALL {
            assert_eq!(LockMode::from_pg_locks(mode.pg_locks()), Some(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.pg_locks());
        }
        assert_eq!(LockMode::from_pg_locks("SIReadLock"), None);
    }
}
