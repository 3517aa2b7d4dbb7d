//! Waits for locks, who was in the way, and deadlocks.

use plimsoll_core::logs::{LogDeadlock, LogDeadlockEdge, LogLockEdge, LogLockWaits};

use super::{figures_of, ms, text};
use crate::summary::Summary;

pub(super) fn lock_waits(summary: &Summary) -> Vec<LogLockWaits> {
    let mut waits: Vec<LogLockWaits> = summary
        .lock_waits
        .iter()
        .map(|(wait, waits)| LogLockWaits {
            mode: wait.mode.clone(),
            object: wait.object.clone(),
            query: text(summary, wait.waiting),
            waits: waits.waits,
            acquired: figures_of(&waits.acquired),
            given_up: waits.given_up,
        })
        .collect();
    waits.sort_by_key(|one| std::cmp::Reverse((one.waits, one.acquired.calls)));
    waits
}

pub(super) fn lock_edges(summary: &Summary) -> Vec<LogLockEdge> {
    let told = |(edge, figures): (&crate::summary::LockEdge, &crate::summary::LockEdges)| LogLockEdge {
        waiting: text(summary, edge.wait.waiting),
        mode: edge.wait.mode.clone(),
        object: edge.wait.object.clone(),
        holder: text(summary, edge.holder),
        is_running: edge.is_running,
        waits: figures.waits,
        waited_ms: ms(figures.waited_us),
        longest_ms: ms(figures.longest_us),
    };
    let mut edges: Vec<LogLockEdge> = summary.lock_edges.iter().map(told).collect();
    edges.sort_by(|one, other| other.waited_ms.total_cmp(&one.waited_ms));
    edges
}

pub(super) fn deadlocks(summary: &Summary) -> Vec<LogDeadlock> {
    let edge = |edge: &crate::summary::DeadlockEdge| LogDeadlockEdge {
        waiting: text(summary, edge.waiting),
        mode: edge.mode.clone(),
        object: edge.object.clone(),
        holder: text(summary, edge.holder),
    };
    let mut deadlocks: Vec<LogDeadlock> = summary
        .deadlocks
        .iter()
        .map(|(edges, one)| LogDeadlock { count: one.count, edges: edges.iter().map(edge).collect() })
        .collect();
    deadlocks.sort_by_key(|one| std::cmp::Reverse(one.count));
    deadlocks
}
