//! Reading logs with several threads: blocks are read side by side, and what they tell of sessions is gone through in order.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};

use crate::blocks::Blocks;
use crate::format::{Format, Scratch};
use crate::record::Record;
use crate::sequence::Sequence;
use crate::steps::Step;
use crate::summary::{LockEdge, Summary};
use crate::tally::Tally;

/// Reads logs into one summary. Files of one server come in the order in which they were written.
pub struct Scan {
    tallies: Vec<Tally>,
    sequence: Sequence,
}

/// Whether a log is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All of it is read.
    Whole,
    /// More may come to its last record, which is left.
    MayGoOn,
}

/// What blocks tell, put into order.
struct Ordered<'s> {
    sequence: &'s mut Sequence,
    next: u64,
    /// By the block's number: its reader, and what it tells.
    waiting: BTreeMap<u64, (usize, Vec<Step>)>,
    /// Room that steps have taken before.
    spare: Vec<Vec<Step>>,
}

/// As many blocks may be read ahead of the one that is next in order, for each reader.
const AHEAD: u64 = 4;

impl Scan {
    /// With this many readers, at least one.
    #[must_use]
    pub fn new(readers: usize) -> Self {
        Self {
            tallies: (0..readers.max(1)).map(|_| Tally::default()).collect(),
            sequence: Sequence::default(),
        }
    }

    /// Reads a whole log; returns its format, with the prefixes that turned out to be needed.
    ///
    /// # Errors
    /// When the input can't be read; what was read before counts.
    pub fn read(&mut self, format: &Format, input: impl Read) -> io::Result<Format> {
        self.read_up_to(format, input, End::Whole).map(|(format, _)| format)
    }

    /// Reads a log, without its last record if more may come to it; returns how many bytes at its end were left, too.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_up_to(&mut self, format: &Format, input: impl Read, end: End) -> io::Result<(Format, u64)> {
        let most_ahead = AHEAD * self.tallies.len() as u64;
        let ordered = Mutex::new(Ordered {
            sequence: &mut self.sequence,
            next: 0,
            waiting: BTreeMap::new(),
            spare: Vec::new(),
        });
        let moved_on = Condvar::new();
        let (blocks, taken) = mpsc::sync_channel::<(u64, Arc<Format>, Vec<u8>)>(self.tallies.len());
        let (used, rooms) = mpsc::channel::<Vec<u8>>();
        let taken = Mutex::new(taken);
        std::thread::scope(|scope| {
            for (reader, tally) in self.tallies.iter_mut().enumerate() {
                let (taken, ordered, used, moved_on) = (&taken, &ordered, used.clone(), &moved_on);
                scope.spawn(move || {
                    let _gone = Gone { ordered, moved_on };
                    let mut scratch = Scratch::default();
                    loop {
                        let next = locked(taken).recv();
                        let Ok((number, format, block)) = next else { break };
                        let steps = read_block(&format, tally, &mut scratch, &block);
                        tally.steps = locked(ordered).add(number, reader, steps);
                        moved_on.notify_all();
                        used.send(block).ok();
                    }
                });
            }
            let mut source = Blocks::new(input, format).leaving_last(end == End::MayGoOn);
            let mut number = 0;
            let mut shared = Arc::new(format.clone());
            while let Some(block) = source.next(rooms.try_recv().unwrap_or_default())? {
                if *shared != *source.format() {
                    shared = Arc::new(source.format().clone());
                }
                if blocks.send((number, Arc::clone(&shared), block)).is_err() {
                    break;
                }
                number += 1;
                let mut ordered = locked(&ordered);
                while number.saturating_sub(ordered.next) > most_ahead {
                    ordered = moved_on.wait(ordered).unwrap_or_else(PoisonError::into_inner);
                }
            }
            drop(blocks);
            Ok((source.format().clone(), source.left()))
        })
    }

    /// Reads whole records in this thread, and shows each to `sink` before it is counted.
    pub(crate) fn watch(
        &mut self,
        format: &Format,
        block: &[u8],
        scratch: &mut Scratch,
        sink: &mut dyn FnMut(&Record<'_>, &mut Tally),
    ) {
        let Some(tally) = self.tallies.first_mut() else { return };
        let steps = read_block_showing(format, tally, scratch, block, sink);
        self.sequence.take(0, &steps);
    }

    /// The sessions, and the reader of [`Self::watch`].
    pub(crate) fn sequence_and_tally(&mut self) -> (&mut Sequence, &mut Tally) {
        (&mut self.sequence, &mut self.tallies[0])
    }

    /// What was read.
    #[must_use]
    pub fn summary(mut self) -> Summary {
        self.sequence.end();
        let Sequence { told, blocking, .. } = self.sequence;
        let mut parts = Summary::default();
        parts.unlisted.merge(&told.untold);
        for ((reader, origin), figures) in &told.late {
            let stream = self.tallies[*reader].stream_key(origin);
            parts.streams.entry(stream).or_default().merge(figures);
        }
        for (((reader, origin), before, kind), figures) in told.bursts {
            let burst = self.tallies[reader].burst_key(&origin, before, kind);
            parts.bursts.entry(burst).or_default().merge(&figures);
        }
        for (route, requests) in told.requests {
            let route = self.tallies.iter().find_map(|tally| tally.route(route)).unwrap_or_default();
            parts.requests.entry(route.to_owned()).or_default().merge(&requests);
        }
        for (((reader, wait), holder, is_running), figures) in blocking.edges {
            if let Some(wait) = self.tallies[reader].wait(wait).cloned() {
                parts.lock_edges.entry(LockEdge { wait, holder, is_running }).or_default().merge(&figures);
            }
        }
        self.tallies.into_iter().fold(parts, |mut summary, tally| {
            summary.merge(tally.summary());
            summary
        })
    }
}

/// Says that a reader is gone: one that panics would otherwise be waited for.
struct Gone<'g, 's> {
    ordered: &'g Mutex<Ordered<'s>>,
    moved_on: &'g Condvar,
}

impl Drop for Gone<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            locked(self.ordered).next = u64::MAX;
            self.moved_on.notify_all();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_block(format: &Format, tally: &mut Tally, scratch: &mut Scratch, block: &[u8]) -> Vec<Step> {
    read_block_showing(format, tally, scratch, block, |_, _| ())
}

/// Without a sink, this is the hot path: a sink that does nothing costs nothing.
fn read_block_showing(
    format: &Format,
    tally: &mut Tally,
    scratch: &mut Scratch,
    block: &[u8],
    mut sink: impl FnMut(&Record<'_>, &mut Tally),
) -> Vec<Step> {
    // Nearly every block is UTF-8; that is told much quicker than where one isn't.
    let text = match simdutf8::basic::from_utf8(block) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(block),
    };
    let mut counts = std::mem::take(tally.counts());
    // A replaced byte takes three.
    counts.replaced += (text.len() - block.len().min(text.len())) as u64;
    format.scan(&text, scratch, &mut counts, &mut |record| {
        sink(record, tally);
        tally.take(record);
    });
    *tally.counts() = counts;
    std::mem::take(&mut tally.steps)
}

impl Ordered<'_> {
    /// Takes a block's steps, and returns room for those of the next one.
    fn add(&mut self, number: u64, reader: usize, steps: Vec<Step>) -> Vec<Step> {
        self.waiting.insert(number, (reader, steps));
        while let Some((reader, mut steps)) = self.waiting.remove(&self.next) {
            self.sequence.take(reader, &steps);
            self.next += 1;
            steps.clear();
            self.spare.push(steps);
        }
        self.spare.pop().unwrap_or_default()
    }
}
