//! How a transaction is kept whole when one of its statements fails.

/// Undoes a statement and takes its savepoint away.
pub(super) const BACK_TO_SAVEPOINT: &str = "ROLLBACK TO SAVEPOINT plimsoll; RELEASE SAVEPOINT plimsoll";

/// What stands before a statement in an open transaction. Some statements do otherwise within a subtransaction, which a
/// savepoint begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// A savepoint.
    Savepoint,
    /// A savepoint, behind which the statement is tried; then it runs without: values of an enum that a transaction makes
    /// can be used in it, but not those that a subtransaction makes (17 and later; `EnumTypeUncommitted` in `pg_enum.c`).
    Trial,
    /// Nothing: the statement is refused within a subtransaction.
    None,
}

impl Guard {
    /// The guard of a statement, by its leading words.
    pub(super) fn of(sql: &str) -> Self {
        let mut words = sql.split_ascii_whitespace().map(str::to_ascii_lowercase);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (first.as_str(), second.as_str()) {
            ("set", "transaction") => Self::None,
            ("create" | "alter", "type") => Self::Trial,
            _ => Self::Savepoint,
        }
    }
}
