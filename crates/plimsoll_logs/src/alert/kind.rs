//! What can be alerted of, and from what threshold on.

use std::collections::BTreeMap;

use plimsoll_core::units::{milliseconds, parse_bytes};

/// A kind of alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "their descriptions are in the table below")]
pub enum Kind {
    Crash,
    Fatal,
    Deadlock,
    LockWait,
    SlowStatement,
    NPlusOne,
    FailedStatements,
    RefusedConnections,
    TemporaryFile,
    Checkpoints,
    Replication,
    NewError,
    NewQuery,
    SlowerQuery,
}

/// What a threshold is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// There is none.
    None,
    /// Microseconds, written as `500ms` or `2s`.
    Time,
    /// Bytes, written as `1 GB`.
    Bytes,
    /// A number.
    Count,
}

/// A kind's name, its threshold, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// See [`Kind`].
    pub kind: Kind,
    /// As it is written in options and alerts.
    pub name: &'static str,
    /// Of the threshold.
    pub unit: Unit,
    /// The threshold, unless another one is asked for.
    pub threshold: u64,
    /// Whether it takes a summary of the time before.
    pub takes_baseline: bool,
}

const fn rule(kind: Kind, name: &'static str, unit: Unit, threshold: u64) -> Rule {
    Rule { kind, name, unit, threshold, takes_baseline: false }
}

const fn compared(kind: Kind, name: &'static str, threshold: u64) -> Rule {
    Rule { kind, name, unit: Unit::Count, threshold, takes_baseline: true }
}

/// All kinds.
pub const RULES: [Rule; 14] = [
    rule(Kind::Crash, "crash", Unit::None, 0),
    rule(Kind::Fatal, "fatal", Unit::None, 0),
    rule(Kind::Deadlock, "deadlock", Unit::None, 0),
    rule(Kind::LockWait, "lock-wait", Unit::Time, 1_000_000),
    rule(Kind::SlowStatement, "slow-statement", Unit::Time, 5_000_000),
    rule(Kind::NPlusOne, "n-plus-one", Unit::Count, 20),
    rule(Kind::FailedStatements, "failed-statements", Unit::Count, 20),
    rule(Kind::RefusedConnections, "refused-connections", Unit::Count, 10),
    rule(Kind::TemporaryFile, "temporary-file", Unit::Bytes, 1 << 30),
    rule(Kind::Checkpoints, "checkpoints", Unit::None, 0),
    rule(Kind::Replication, "replication", Unit::None, 0),
    compared(Kind::NewError, "new-error", 1),
    compared(Kind::NewQuery, "new-query", 1),
    compared(Kind::SlowerQuery, "slower-query", 2),
];

impl Kind {
    /// Its row.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        RULES.iter().find(|rule| rule.kind == self).unwrap_or(&RULES[0])
    }
}

/// Which alerts are wanted, with their thresholds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    thresholds: BTreeMap<Kind, u64>,
}

impl Wanted {
    /// Those that are asked for, or all that can be told with or without a baseline.
    #[must_use]
    pub fn new(asked: &[(Kind, u64)], has_baseline: bool) -> Self {
        if !asked.is_empty() {
            return Self { thresholds: asked.iter().copied().collect() };
        }
        let usual = RULES.iter().filter(|rule| has_baseline || !rule.takes_baseline);
        Self { thresholds: usual.map(|rule| (rule.kind, rule.threshold)).collect() }
    }

    /// The threshold of a kind, if it is wanted.
    #[must_use]
    pub fn threshold(&self, kind: Kind) -> Option<u64> {
        self.thresholds.get(&kind).copied()
    }
}

/// Reads `deadlock` or `slow-statement=2s`.
///
/// # Errors
/// When there is no such kind, or its threshold is none.
pub fn parse(text: &str) -> Result<(Kind, u64), String> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
        let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        return Err(format!("there is no alert {name:?}; there are {}", names.join(", ")));
    };
    let Some(value) = value else { return Ok((rule.kind, rule.threshold)) };
    let (threshold, such_as) = match rule.unit {
        Unit::None => return Err(format!("{name} has no threshold")),
        Unit::Time => (milliseconds(value).and_then(|time| time.checked_mul(1000)), "2s or 500ms"),
        Unit::Bytes => (parse_bytes(value), "100MB or 1GB"),
        Unit::Count => (value.parse().ok().filter(|count| *count > 0), "20"),
    };
    threshold.map(|threshold| (rule.kind, threshold)).ok_or_else(|| format!("{name} takes {such_as}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read() {
        assert_eq!(parse("deadlock"), Ok((Kind::Deadlock, 0)));
        assert_eq!(parse("slow-statement=2s"), Ok((Kind::SlowStatement, 2_000_000)));
        assert_eq!(parse("n-plus-one=5"), Ok((Kind::NPlusOne, 5)));
        for bad in ["x", "deadlock=1", "lock-wait=soon", "n-plus-one=0", "temporary-file=-1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn comparisons_take_a_baseline() {
        assert_eq!(Wanted::new(&[], false).threshold(Kind::NewQuery), None);
        assert_eq!(Wanted::new(&[], true).threshold(Kind::NewQuery), Some(1));
        let one = Wanted::new(&[(Kind::Deadlock, 0)], true);
        assert_eq!((one.threshold(Kind::Deadlock), one.threshold(Kind::Crash)), (Some(0), None));
    }
}
