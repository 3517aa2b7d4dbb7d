//! Waits for locks (`log_lock_waits`) and locks that weren't got (`log_lock_failures`).

use super::lock_object::LockObject;
use super::reading::{between, small_number, thousandths};
use crate::Record;

/// How a wait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitState {
    /// `still waiting`: told once, after `deadlock_timeout`.
    Waiting,
    /// `acquired`: it ended well.
    Acquired,
    /// `detected deadlock while waiting`; the session's error follows.
    Deadlocked,
    /// `avoided deadlock … by rearranging queue order`.
    Rearranged,
    /// `failed to acquire`: another session's deadlock check ended it.
    Failed,
    /// `could not obtain`: it didn't wait (`NOWAIT`), since 18.
    Refused,
}

/// A process waits for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockWait<'a> {
    /// Who waits.
    pub process: u32,
    /// How it stands.
    pub state: WaitState,
    /// The mode, in PostgreSQL's words (`ShareLock`).
    pub mode: &'a str,
    /// What the lock is on.
    pub object: LockObject<'a>,
    /// How long it has waited, in microseconds; None if it didn't.
    pub waited_us: Option<u64>,
    /// Who holds the lock.
    pub holders: Processes<'a>,
    /// Who waits for it, in order, this process included.
    pub queue: Processes<'a>,
    /// What it was doing (`while updating tuple (0,1)`); empty where the context doesn't say.
    pub doing: &'a str,
    /// The relation that the context names, without its schema; empty if none.
    pub relation: &'a str,
}

/// A list such as `12, 13`, read when it is iterated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Processes<'a> {
    /// The list as the log has it.
    pub text: &'a str,
}

impl Processes<'_> {
    /// The processes.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.text.split(", ").filter_map(|process| process.parse().ok())
    }
}

/// Reads a message that begins with `process `.
pub(super) fn told<'a>(record: &Record<'a>) -> Option<LockWait<'a>> {
    let (process, rest) = small_number(record.message.strip_prefix("process ")?)?;
    let (state, rest) = state(rest.strip_prefix(' ')?)?;
    let (mode, rest) = rest.split_once(" on ")?;
    // Where the statement is still being parsed, a stderr log says where in it.
    let rest = without_place(rest);
    let (rest, waited_us) = match rest.rsplit_once(" after ") {
        Some((object, time)) => (object, Some(thousandths(time.strip_suffix(" ms")?)?.0)),
        None if state == WaitState::Refused => (rest, None),
        None => return None,
    };
    let object = rest.strip_suffix(" by rearranging queue order").unwrap_or(rest);
    let (doing, relation) = context(record.context);
    let object = LockObject::of(object);
    let (holders, queue) = (holders(record.detail), queue(record.detail));
    Some(LockWait { process, state, mode, object, waited_us, holders, queue, doing, relation })
}

fn without_place(text: &str) -> &str {
    match text.rsplit_once(" at character ") {
        Some((before, place)) if place.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => text,
    }
}

fn state(rest: &str) -> Option<(WaitState, &str)> {
    let (begin, state) = match rest.as_bytes().first()? {
        b's' => ("still waiting for ", WaitState::Waiting),
        b'a' if rest.starts_with("acquired ") => ("acquired ", WaitState::Acquired),
        b'a' => ("avoided deadlock for ", WaitState::Rearranged),
        b'd' => ("detected deadlock while waiting for ", WaitState::Deadlocked),
        b'f' => ("failed to acquire ", WaitState::Failed),
        b'c' => ("could not obtain ", WaitState::Refused),
        _ => return None,
    };
    Some((state, rest.strip_prefix(begin)?))
}

/// `Process holding the lock: 1. Wait queue: 2, 3.`; PostgreSQL 18's lock failures have a comma before `Wait`.
fn holders(detail: &str) -> Processes<'_> {
    let list = between(detail, " holding the lock: ", " Wait queue:").unwrap_or_default();
    Processes { text: list.trim_end_matches(['.', ',']) }
}

fn queue(detail: &str) -> Processes<'_> {
    let list = detail.split_once("Wait queue: ").map_or("", |(_, list)| list);
    Processes { text: list.trim_end_matches('.') }
}

/// `while updating tuple (0,1) in relation "ships"`: what, and the relation.
fn context(context: &str) -> (&str, &str) {
    let line = context.split('\n').next().unwrap_or_default();
    if !line.starts_with("while ") {
        return ("", "");
    }
    let (doing, relation) = line
        .split_once(" in relation \"")
        .or_else(|| line.split_once(" of relation \""))
        .unwrap_or((line, ""));
    (doing, relation.trim_end_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;
    use crate::message::{Event, understand};

    const DETAIL: &str = "Processes holding the lock: 12, 13. Wait queue: 14, 15.";

    fn read(message: &str) -> Option<LockWait<'_>> {
        let context = "while updating tuple (0,1) in relation \"ships\"\nSQL statement \"x\"";
        match understand(&Record { detail: DETAIL, context, ..Record::new(Severity::Log, message) }) {
            Event::LockWait(wait) => Some(wait),
            _ => None,
        }
    }

    #[track_caller]
    fn check(message: &str, state: WaitState, mode: &str, object: LockObject<'_>, waited_us: Option<u64>) {
        let wait = read(message).expect(message);
        assert_eq!((wait.process, wait.state, wait.mode), (14, state, mode));
        assert_eq!((wait.object, wait.waited_us), (object, waited_us));
        assert_eq!(wait.holders.iter().collect::<Vec<_>>(), [12, 13]);
        assert_eq!(wait.queue.iter().collect::<Vec<_>>(), [14, 15]);
        assert_eq!((wait.doing, wait.relation), ("while updating tuple (0,1)", "ships"));
    }

    #[test]
    fn each_state_of_a_wait_is_told() {
        let transaction = LockObject::Transaction { transaction: 742 };
        let relation = LockObject::Relation { relation: 16384, database: 5 };
        check(
            "process 14 still waiting for ShareLock on transaction 742 after 1000.123 ms",
            WaitState::Waiting,
            "ShareLock",
            transaction,
            Some(1_000_123),
        );
        check(
            "process 14 acquired AccessExclusiveLock on relation 16384 of database 5 after 2000.000 ms",
            WaitState::Acquired,
            "AccessExclusiveLock",
            relation,
            Some(2_000_000),
        );
        check(
            "process 14 detected deadlock while waiting for ShareLock on transaction 742 after 1000.001 ms",
            WaitState::Deadlocked,
            "ShareLock",
            transaction,
            Some(1_000_001),
        );
        check(
            "process 14 avoided deadlock for ShareLock on relation 16384 of database 5 by rearranging queue order after 1.5 ms",
            WaitState::Rearranged,
            "ShareLock",
            relation,
            Some(1500),
        );
        check(
            "process 14 failed to acquire ShareLock on transaction 742 after 7.000 ms",
            WaitState::Failed,
            "ShareLock",
            transaction,
            Some(7000),
        );
        check(
            "process 14 could not obtain AccessExclusiveLock on relation 16384 of database 5",
            WaitState::Refused,
            "AccessExclusiveLock",
            relation,
            None,
        );
    }

    #[test]
    fn a_detail_of_lock_failures_has_a_comma() {
        let detail = "Process holding the lock: 12, Wait queue: .";
        assert_eq!(holders(detail).iter().collect::<Vec<_>>(), [12]);
        assert_eq!(queue(detail).iter().count(), 0);
    }

    #[test]
    fn other_messages_of_processes_are_none() {
        for message in ["process 14 still waiting for ShareLock on x", "process x", "process 14 sleeps"] {
            assert!(read(message).is_none(), "{message}");
        }
    }
}
