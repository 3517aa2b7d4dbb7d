//! A deadlock: who waited for whom, on what, and with which statement. The server tells it in the error's DETAIL.

use super::lock_object::LockObject;
use super::reading::small_number;

/// `deadlock detected`; the session that is told lost its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlock<'a> {
    /// The DETAIL.
    pub detail: &'a str,
}

/// A process waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlockEdge<'a> {
    /// Who waits.
    pub process: u32,
    /// The mode that it waits for, in PostgreSQL's words.
    pub mode: &'a str,
    /// What the lock is on.
    pub object: LockObject<'a>,
    /// Who holds it, or stands before it in the queue.
    pub blocked_by: u32,
}

impl<'a> Deadlock<'a> {
    /// The circle of waits, in the server's order.
    pub fn edges(&self) -> impl Iterator<Item = DeadlockEdge<'a>> + use<'a> {
        self.detail.split('\n').map_while(edge)
    }

    /// Each process with what it runs, in the order of the edges. Statements may have several lines; only the next edge's process
    /// ends one.
    pub fn queries(&self) -> impl Iterator<Item = (u32, &'a str)> + use<'a> {
        let mut edges = self.edges().map(|edge| edge.process).peekable();
        let lines: usize = self.detail.split('\n').map_while(|line| edge(line).map(|_| line.len() + 1)).sum();
        let mut rest = self.detail.get(lines..).unwrap_or_default();
        std::iter::from_fn(move || {
            let process = edges.next()?;
            let text = after_process(rest, process)?;
            let end = edges.peek().and_then(|next| next_process(text, *next)).unwrap_or(text.len());
            rest = text.get(end + 1..).unwrap_or_default();
            Some((process, &text[..end]))
        })
    }
}

/// `Process 1 waits for ShareLock on transaction 5; blocked by process 2.`
fn edge(line: &str) -> Option<DeadlockEdge<'_>> {
    // A stderr log has a TAB before each further line.
    let line = line.strip_prefix('\t').unwrap_or(line);
    let (process, rest) = small_number(line.strip_prefix("Process ")?)?;
    let rest = rest.strip_prefix(" waits for ")?;
    let (mode, rest) = rest.split_once(" on ")?;
    let (object, rest) = rest.rsplit_once("; blocked by process ")?;
    let (blocked_by, _) = small_number(rest)?;
    Some(DeadlockEdge { process, mode, object: LockObject::of(object), blocked_by })
}

/// What stands behind `Process 1: `.
fn after_process(text: &str, process: u32) -> Option<&str> {
    let text = text.strip_prefix('\t').unwrap_or(text);
    let (found, rest) = small_number(text.strip_prefix("Process ")?)?;
    rest.strip_prefix(": ").filter(|_| found == process)
}

/// Where the line of a process begins, at its newline.
fn next_process(text: &str, process: u32) -> Option<usize> {
    text.match_indices('\n').map(|(at, _)| at).find(|at| after_process(&text[at + 1..], process).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Event, understand};
    use crate::{Record, Severity};

    const DETAIL: &str = "Process 7 waits for ShareLock on transaction 742; blocked by process 8.\n\
        Process 8 waits for AccessExclusiveLock on tuple (0,1) of relation 16384 of database 5; blocked by process 7.\n\
        Process 7: update ships\nset id = 1\nProcess 9: not one\n\
        Process 8: select 1; -- Process 7: x";

    fn deadlock(detail: &str) -> Deadlock<'_> {
        let record =
            Record { sqlstate: "40P01", detail, ..Record::new(Severity::Error, "deadlock detected") };
        match understand(&record) {
            Event::Deadlock(deadlock) => deadlock,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn edges_and_queries_are_told() {
        let deadlock = deadlock(DETAIL);
        let tuple = LockObject::Tuple { page: 0, offset: 1, relation: 16384, database: 5 };
        let edges: Vec<_> = deadlock.edges().collect();
        assert_eq!(
            edges,
            [
                DeadlockEdge {
                    process: 7,
                    mode: "ShareLock",
                    object: LockObject::Transaction { transaction: 742 },
                    blocked_by: 8,
                },
                DeadlockEdge { process: 8, mode: "AccessExclusiveLock", object: tuple, blocked_by: 7 },
            ]
        );
        let queries: Vec<_> = deadlock.queries().collect();
        assert_eq!(
            queries,
            [(7, "update ships\nset id = 1\nProcess 9: not one"), (8, "select 1; -- Process 7: x"),]
        );
    }

    #[test]
    fn a_detail_without_queries_has_none() {
        let edges = DETAIL.split("\nProcess 7:").next().unwrap();
        assert_eq!(deadlock(edges).edges().count(), 2);
        assert_eq!(deadlock(edges).queries().count(), 0);
        assert_eq!(deadlock("").edges().count(), 0);
    }
}
