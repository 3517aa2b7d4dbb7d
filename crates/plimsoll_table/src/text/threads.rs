//! Blocks of a text, read by whichever thread is free, and joined in the file's order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Rows;
use super::place::Stop;
use crate::error::TableError;
use crate::kinds::Rule;
use crate::part::Part;
use crate::wanted::Wanted;
use crate::whole::Whole;

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Bytes a block, at least.
    pub(super) block: usize,
    pub(super) threads: usize,
}

/// Reads all rows from `start`.
pub(super) fn read(
    rows: &Rows,
    bytes: &[u8],
    start: usize,
    wanted: &Wanted,
    pace: Pace,
) -> Result<Whole, TableError> {
    let joining = Joining {
        whole: Whole::new(wanted),
        next: 0,
        waiting: BTreeMap::new(),
        spare: Vec::new(),
        failed: None,
    };
    let reading = Reading {
        rows,
        bytes,
        wanted,
        block: pace.block,
        cut: Mutex::new(Cut { at: start, index: 0 }),
        joining: Mutex::new(joining),
        stopped: AtomicBool::new(false),
    };
    let blocks = (bytes.len() - start).div_ceil(pace.block);
    thread::scope(|scope| {
        for _ in 1..pace.threads.min(blocks) {
            // One thread less is no reason to fail.
            let _ = thread::Builder::new().spawn_scoped(scope, || reading.work());
        }
        reading.work();
    });
    let joining = reading.joining.into_inner().unwrap_or_else(PoisonError::into_inner);
    joining.failed.map_or(Ok(joining.whole), Err)
}

struct Reading<'text> {
    rows: &'text Rows,
    bytes: &'text [u8],
    wanted: &'text Wanted,
    block: usize,
    cut: Mutex<Cut>,
    joining: Mutex<Joining>,
    /// A block failed: those before it are all handed out by then, and none after it matters.
    stopped: AtomicBool,
}

/// Where the next block begins, and which it is.
struct Cut {
    at: usize,
    index: usize,
}

struct Joining {
    whole: Whole,
    /// The block that comes next.
    next: usize,
    /// Blocks that were read before their turn.
    waiting: BTreeMap<usize, Block>,
    /// Parts whose memory can be used again.
    spare: Vec<Part>,
    failed: Option<TableError>,
}

struct Block {
    start: usize,
    part: Part,
    outcome: Result<(), Stop>,
}

impl Reading<'_> {
    fn work(&self) {
        while let Some((index, start, end)) = self.next_block() {
            let spare = locked(&self.joining).spare.pop();
            let mut part = spare.unwrap_or_else(|| Part::new(self.wanted));
            let outcome = self.rows.read(&self.bytes[start..end], &mut part);
            self.join(index, Block { start, part, outcome });
        }
    }

    fn next_block(&self) -> Option<(usize, usize, usize)> {
        let mut cut = locked(&self.cut);
        if self.stopped.load(Ordering::Relaxed) || cut.at >= self.bytes.len() {
            return None;
        }
        let (index, start) = (cut.index, cut.at);
        cut.at = self.rows.block_end(self.bytes, start, self.block);
        cut.index += 1;
        Some((index, start, cut.at))
    }

    /// Joins a block, where it is its turn, and those that waited for it.
    fn join(&self, index: usize, block: Block) {
        let mut joining = locked(&self.joining);
        joining.waiting.insert(index, block);
        while joining.failed.is_none() {
            let next = joining.next;
            let Some(block) = joining.waiting.remove(&next) else { return };
            let (joined, mut part) = self.join_next(&mut joining.whole, block);
            joining.next += 1;
            joining.failed = joined.err();
            part.clear();
            joining.spare.push(part);
        }
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn join_next(&self, whole: &mut Whole, block: Block) -> (Result<(), TableError>, Part) {
        let Block { start, part, outcome } = block;
        let row = whole.rows + part.rows as u64 + 1;
        // A kind was noted before what stopped the reading.
        let kinds = whole.join_kinds(&part, &Rule::new(self.wanted.positive.as_deref()), &self.wanted.label);
        let joined = kinds.and_then(|()| match outcome {
            Err(stop) => Err(stop.told(self.bytes, start, row, self.rows)),
            Ok(()) => whole.join(&part),
        });
        (joined, part)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
