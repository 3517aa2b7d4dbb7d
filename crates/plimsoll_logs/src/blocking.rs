//! Who blocked whom: what the holders of a lock were running when somebody waited for it.
//!
//! The log names a holder by its process. What it was running is told by its next statement if that had begun before, and
//! otherwise by its last one, behind which its transaction stayed open.

use std::collections::BTreeMap;

use plimsoll_traffic::hashed::ByNumber;

use crate::steps::Blocked;
use crate::summary::LockEdges;

/// More waits that aren't over are settled with what is known.
const MOST_OPEN: usize = 10_000;

/// A wait, by the reader and its number; the holder's query, 0 if unknown; and whether it was running.
pub(crate) type EdgeOf = ((usize, u32), u64, bool);

/// Follows waits.
#[derive(Default)]
pub(crate) struct Blocking {
    /// Waits for each holder that hasn't said yet what it was running.
    open: ByNumber<u32, Vec<Open>>,
    number_open: usize,
    pub(crate) edges: BTreeMap<EdgeOf, LockEdges>,
    /// By the process that waits: the edges that its wait has made.
    settled: ByNumber<u32, Vec<(EdgeOf, u64)>>,
}

struct Open {
    wait: (usize, u32),
    waiting: u32,
    told_us: i64,
    waited_us: u64,
    /// The holder's last query before.
    last: u64,
}

impl Blocking {
    /// Whether no holder is waited for.
    pub(crate) fn is_idle(&self) -> bool {
        self.number_open == 0
    }

    /// Takes what a log tells; `last` gives a process's last query.
    pub(crate) fn take(&mut self, reader: usize, told_us: i64, blocked: &Blocked, last: impl Fn(u32) -> u64) {
        if blocked.is_over {
            return self.over(blocked);
        }
        for holder in &blocked.holders {
            self.open.entry(*holder).or_default().push(Open {
                wait: (reader, blocked.wait),
                waiting: blocked.process,
                told_us,
                waited_us: blocked.waited_us,
                last: last(*holder),
            });
            self.number_open += 1;
        }
        if self.number_open > MOST_OPEN || self.settled.len() > MOST_OPEN {
            self.end();
            self.settled.clear();
        }
    }

    /// A holder has run a statement that began at this moment.
    pub(crate) fn ran(&mut self, process: u32, query: u64, started_us: i64) {
        for open in self.open.remove(&process).unwrap_or_default() {
            let is_running = started_us <= open.told_us;
            self.settle(&open, if is_running { query } else { open.last }, is_running);
        }
    }

    /// A holder's session is over.
    pub(crate) fn ended(&mut self, process: u32) {
        for open in self.open.remove(&process).unwrap_or_default() {
            self.settle(&open, open.last, false);
        }
    }

    /// The log is over.
    pub(crate) fn end(&mut self) {
        let holders: Vec<u32> = self.open.keys().copied().collect();
        holders.into_iter().for_each(|holder| self.ended(holder));
    }

    fn settle(&mut self, open: &Open, query: u64, is_running: bool) {
        self.number_open -= 1;
        let edge = (open.wait, query, is_running);
        let figures = self.edges.entry(edge).or_default();
        figures.waits += 1;
        figures.wait(open.waited_us);
        self.settled.entry(open.waiting).or_default().push((edge, open.waited_us));
    }

    /// A wait is over, and it is known how long it took.
    fn over(&mut self, blocked: &Blocked) {
        for (edge, counted_us) in self.settled.remove(&blocked.process).unwrap_or_default() {
            let figures = self.edges.entry(edge).or_default();
            figures.waited_us += blocked.waited_us.saturating_sub(counted_us);
            figures.longest_us = figures.longest_us.max(blocked.waited_us);
        }
        let of_process = |open: &&mut Open| open.waiting == blocked.process;
        for open in self.open.values_mut().flatten().filter(of_process) {
            open.waited_us = blocked.waited_us;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(holders: &[u32], waited_us: u64, is_over: bool) -> Blocked {
        Blocked { wait: 3, process: 7, holders: holders.to_vec(), waited_us, is_over }
    }

    fn edges(blocking: &Blocking) -> Vec<(u64, bool, u64, u64)> {
        let told = |((_, query, is_running), figures): (&EdgeOf, &LockEdges)| {
            (*query, *is_running, figures.waits, figures.waited_us)
        };
        blocking.edges.iter().map(told).collect()
    }

    #[test]
    fn a_holder_is_told_by_what_it_was_running() {
        let mut blocking = Blocking::default();
        blocking.take(0, 1000, &blocked(&[8], 500, false), |_| 11);
        // It began before the wait was told, and so was running then.
        blocking.ran(8, 12, 900);
        blocking.take(0, 3000, &blocked(&[], 2500, true), |_| 0);
        assert_eq!(edges(&blocking), [(12, true, 1, 2500)]);
    }

    #[test]
    fn an_open_transaction_is_told_by_its_last_query() {
        let mut blocking = Blocking::default();
        blocking.take(0, 1000, &blocked(&[8, 9], 500, false), |process| u64::from(process) * 10);
        blocking.take(0, 2000, &blocked(&[], 1500, true), |_| 0);
        blocking.ran(8, 12, 1500);
        blocking.ended(9);
        assert_eq!(edges(&blocking), [(80, false, 1, 1500), (90, false, 1, 1500)]);
        assert!(blocking.is_idle());
    }
}
