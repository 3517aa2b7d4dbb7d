//! What the statements before one have set and hold: `lock_timeout`, and locks of the transaction.

use plimsoll_core::LockMode;
use plimsoll_sql::Command;
use plimsoll_sql::command::SetParameter;
use plimsoll_sql::effects::LockEffect;
use plimsoll_sql::transaction::Place;

/// A session's state before a statement.
pub struct Session {
    /// `lock_timeout` of the session, in milliseconds; 0 means none.
    lock_timeout_ms: u64,
    /// Value to which it returns when the transaction rolls back.
    at_transaction_start_ms: u64,
    /// `SET LOCAL lock_timeout` of the transaction.
    local_lock_timeout_ms: Option<u64>,
    /// What the runner set.
    default_ms: u64,
    transaction: usize,
    /// Whether a strong lock without a `lock_timeout` was met before in this file.
    unguarded_lock_seen: bool,
}

impl Session {
    pub(crate) fn new(default_ms: u64) -> Self {
        Self {
            lock_timeout_ms: default_ms,
            at_transaction_start_ms: default_ms,
            local_lock_timeout_ms: None,
            default_ms,
            transaction: 0,
            unguarded_lock_seen: false,
        }
    }

    /// Whether a statement here waits for locks without end.
    pub(crate) fn waits_forever(&self) -> bool {
        self.local_lock_timeout_ms.unwrap_or(self.lock_timeout_ms) == 0
    }

    pub(crate) fn unguarded_lock_seen(&self) -> bool {
        self.unguarded_lock_seen
    }

    /// Says that the strong lock just met doesn't count: the next one is the first.
    pub(crate) fn forget_unguarded_lock(&mut self) {
        self.unguarded_lock_seen = false;
    }

    pub(crate) fn statement_ended(&mut self, place: Place) {
        if place.transaction != self.transaction {
            self.local_lock_timeout_ms = None;
            self.at_transaction_start_ms = self.lock_timeout_ms;
            self.transaction = place.transaction;
        }
    }

    /// Takes note of a statement that ran.
    pub(crate) fn run(&mut self, command: &Command, place: Place, locks: &[LockEffect]) {
        self.statement_ended(place);
        if self.waits_forever() && locks.iter().any(|lock| lock.mode >= LockMode::ShareRowExclusive) {
            self.unguarded_lock_seen = true;
        }
        match command {
            Command::Set(SetParameter { name, values, local }) if name == "lock_timeout" => {
                let value = values.first().map_or(Some(self.default_ms), |value| milliseconds(value));
                let Some(value) = value else { return };
                match (*local, place.in_transaction()) {
                    (true, true) => self.local_lock_timeout_ms = Some(value),
                    // Outside a transaction SET LOCAL warns and does nothing.
                    (true, false) => {}
                    (false, _) => {
                        self.local_lock_timeout_ms = None;
                        self.lock_timeout_ms = value;
                    }
                }
            }
            Command::Reset { name } if name.as_deref().is_none_or(|name| name == "lock_timeout") => {
                self.local_lock_timeout_ms = None;
                self.lock_timeout_ms = self.default_ms;
            }
            Command::Commit { .. } => {
                self.local_lock_timeout_ms = None;
                self.at_transaction_start_ms = self.lock_timeout_ms;
            }
            Command::Rollback { .. } => {
                self.local_lock_timeout_ms = None;
                self.lock_timeout_ms = self.at_transaction_start_ms;
            }
            _ => {}
        }
    }
}

/// A duration as PostgreSQL reads it, a bare number being milliseconds (documentation, "Setting
/// Parameters").
pub fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    Some((number * unit).round() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_postgresql_reads_them() {
        let read = ["500", "5s", "2 min", "1.5s", "0", "x"].map(milliseconds);
        assert_eq!(read, [Some(500), Some(5_000), Some(120_000), Some(1_500), Some(0), None]);
    }

    proptest! {
        #[test]
        fn a_duration_is_the_same_in_every_unit(seconds in 0_u64..1_000_000, text in "[ 0-9.a-z-]{0,20}") {
            prop_assert_eq!(milliseconds(&format!("{seconds}s")), Some(seconds * 1_000));
            prop_assert_eq!(milliseconds(&format!("{} ms", seconds * 1_000)), Some(seconds * 1_000));
            prop_assert_eq!(milliseconds(&format!(" {} ", seconds * 1_000)), Some(seconds * 1_000));
            milliseconds(&text);
        }
    }
}
