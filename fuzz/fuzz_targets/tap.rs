//! A session's messages, however they are cut, to the same statements, in bounded memory.
//!
//! Each line of the input is a message: `>` from the client or `<` from the server, its kind, and its body; or, behind
//! `=` in the kind's place, bytes that come as they are. `\0`, `\n`, `\\` and `\x` with two digits are bytes.

#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use plimsoll_pg::tap::{ServerError, Session, Sink, Statement, Tracker, TransactionStatus};
use plimsoll_traffic::Collector;

/// A row's count of columns may be a lie, and a number of a few bytes has up to 131,072 digits.
const ALWAYS_ENOUGH: usize = 4 << 20;
/// Kept for each byte of the input: most by messages without a body, which wait for an answer.
const ENOUGH_A_BYTE: usize = 256;

fuzz_target!(|input: &[u8]| {
    let lines: Vec<Line> = input.split(|byte| *byte == b'\n').filter_map(Line::read).collect();
    let whole = told(&lines, usize::MAX);
    for cut in [1, 2, 7] {
        assert_eq!(told(&lines, cut), whole, "cut into pieces of {cut}");
    }
    let before = Counted::begin();
    follow(&lines, usize::MAX, &Nothing);
    let most = Counted::most_since(before);
    assert!(most <= ALWAYS_ENOUGH + ENOUGH_A_BYTE * input.len(), "{most} bytes for {} of input", input.len());
    let counting = Counting::default();
    follow(&lines, usize::MAX, &counting);
    drop(counting.0.into_inner().unwrap().traffic());
});

enum From {
    Client,
    Server,
}

struct Line {
    from: From,
    bytes: Vec<u8>,
}

impl Line {
    fn read(line: &[u8]) -> Option<Self> {
        let (arrow, rest) = line.split_first()?;
        let from = match arrow {
            b'>' => From::Client,
            b'<' => From::Server,
            _ => return None,
        };
        let (kind, body) = rest.split_first()?;
        let body = unescaped(body);
        let bytes = match kind {
            b'=' => body,
            _ => [&[*kind], &(body.len() as u32 + 4).to_be_bytes()[..], &body].concat(),
        };
        Some(Self { from, bytes })
    }
}

fn unescaped(mut text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    loop {
        let (byte, length) = match text {
            [] => return bytes,
            [b'\\', b'0', ..] => (0, 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'x', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'\\', 1),
            },
            [b'\\', b'\\', ..] => (b'\\', 2),
            [byte, ..] => (*byte, 1),
        };
        bytes.push(byte);
        text = &text[length..];
    }
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).map(|digit| digit as u8)
}

/// A line's bytes come in pieces of this size, at the time of its number.
fn follow(lines: &[Line], cut: usize, sink: &dyn Sink) {
    let mut tracker = Tracker::new(Session::default());
    for (at, line) in lines.iter().enumerate() {
        let now = Duration::from_millis(at as u64);
        for piece in line.bytes.chunks(cut) {
            match line.from {
                From::Client => tracker.client_sent(piece, now, sink),
                From::Server => tracker.server_sent(piece, now, sink),
            }
        }
    }
    tracker.close(Duration::from_millis(lines.len() as u64), sink);
}

fn told(lines: &[Line], cut: usize) -> Vec<String> {
    let sink = Told::default();
    follow(lines, cut, &sink);
    sink.0.into_inner().unwrap()
}

struct Nothing;

impl Sink for Nothing {
    fn statement(&self, _: &Session, _: &Statement<'_>) {}
}

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Sink for Told {
    fn statement(&self, session: &Session, statement: &Statement<'_>) {
        assert!(statement.started <= statement.ended, "it ends before it starts");
        assert!(statement.first_row.is_none_or(|at| at <= statement.ended), "a row comes behind the end");
        let values: Vec<_> = statement.parameters.values().map(|value| (value.text(), value.hash())).collect();
        let rows = statement.row_values;
        let names: Vec<_> = (0..rows.columns().min(100)).map(|column| rows.name(column)).collect();
        self.add(format!("{session:?} {statement:?} {values:?} {names:?}"));
    }

    fn ready(&self, session: &Session, status: TransactionStatus, at: Duration) {
        self.add(format!("{session:?} is ready: {status:?} at {at:?}"));
    }

    fn refused(&self, session: &Session, error: &ServerError) {
        self.add(format!("{session:?} is refused: {error:?}"));
    }

    fn ended(&self, session: &Session, at: Duration) {
        self.add(format!("{session:?} has ended at {at:?}"));
    }

    fn trouble(&self, session: &Session, what: String) {
        self.add(format!("{session:?}: {what}"));
    }
}

/// As `plimsoll watch` counts.
#[derive(Default)]
struct Counting(Mutex<Collector>);

impl Sink for Counting {
    fn statement(&self, session: &Session, statement: &Statement<'_>) {
        let bound: Vec<_> = statement.parameters.values().map(|value| value.hash()).collect();
        let texts = || statement.parameters.texts();
        self.0.lock().unwrap().observe(&statement.observed(session, &bound, &texts));
    }
}

/// Counts what is allocated.
struct Counted;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

impl Counted {
    fn begin() -> usize {
        let live = LIVE.load(Ordering::Relaxed);
        MOST.store(live, Ordering::Relaxed);
        live
    }

    fn most_since(before: usize) -> usize {
        MOST.load(Ordering::Relaxed).saturating_sub(before)
    }
}

// SAFETY: `System` does it all.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(live, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;
