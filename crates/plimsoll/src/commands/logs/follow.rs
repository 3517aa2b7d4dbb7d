//! `plimsoll logs --follow`: logs read as they are written, over rotation, with alerts.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use plimsoll_logs::alert::{Alert, Baseline, Live, Wanted};

use super::gather::gather;
use super::messenger::Messenger;
use super::position::{Log, Position};
use super::tail::Tail;
use super::{files, since};
use crate::exit::{CLEAN, Failure, stop_signal};
use crate::logs_args::{LogReportFormat, ReadArguments};
use crate::output::{print, tell};

/// Between two looks at the logs.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two looks for new files.
const LOOK: Duration = Duration::from_secs(1);
/// Between two writes of the summary and the position.
const WRITE: Duration = Duration::from_secs(60);
/// A log that was renamed away is read until it has been quiet for so long.
const FORGET: Duration = Duration::from_secs(60);

struct Follow<'a> {
    arguments: &'a ReadArguments,
    live: Live,
    tails: Vec<Tail>,
    position: Option<Position>,
    messenger: Option<Messenger>,
    refused: BTreeSet<(u64, u64)>,
    /// How far logs were read that aren't followed any more, until that is written.
    left: Vec<Log>,
}

/// Follows logs until it is asked to stop.
pub(super) fn run(arguments: &ReadArguments) -> Result<u8, Failure> {
    let stopped = on_stop();
    let mut follow = Follow::new(arguments)?;
    if arguments.files.iter().any(|path| path.as_os_str() == "-") {
        follow.stdin(&stopped)?;
    } else {
        follow.logs(&stopped)?;
    }
    follow.end()
}

impl<'a> Follow<'a> {
    fn new(arguments: &'a ReadArguments) -> Result<Self, Failure> {
        let options = &arguments.following;
        let baseline = match &options.baseline {
            Some(path) => {
                let before = gather(std::slice::from_ref(path), &arguments.input)?;
                Some(Baseline::new(&before.summary))
            }
            None => None,
        };
        let wanted = Wanted::new(&options.alert, baseline.is_some());
        let webhook = options.webhook.clone().or_else(|| std::env::var("PLIMSOLL_WEBHOOK").ok());
        Ok(Self {
            arguments,
            live: Live::new(wanted, baseline, options.window, options.repeat_after),
            tails: Vec::new(),
            position: arguments.position.as_deref().map(Position::open).transpose()?,
            messenger: Messenger::start(webhook.as_deref(), options.command.as_deref())?,
            refused: BTreeSet::new(),
            left: Vec::new(),
        })
    }

    fn logs(&mut self, stopped: &AtomicBool) -> Result<(), Failure> {
        self.find(true)?;
        tell(&format!("follows {}", plimsoll_core::units::plural(self.tails.len(), "log")));
        let (mut looked, mut written, mut grew) = (Instant::now(), Instant::now(), Instant::now());
        while !stopped.load(Ordering::Relaxed) {
            for tail in &mut self.tails {
                if tail.poll(&mut self.live, &self.arguments.input)? {
                    grew = Instant::now();
                }
            }
            self.deliver(grew)?;
            if looked.elapsed() >= LOOK {
                self.find(false)?;
                looked = Instant::now();
            }
            if written.elapsed() >= WRITE {
                self.write()?;
                written = Instant::now();
            }
            std::thread::sleep(PAUSE);
        }
        for tail in &mut self.tails {
            tail.poll(&mut self.live, &self.arguments.input)?;
        }
        Ok(())
    }

    fn stdin(&mut self, stopped: &AtomicBool) -> Result<(), Failure> {
        if self.arguments.files.len() > 1 || self.position.is_some() {
            return Err(Failure::input(
                "follow standard input: it is followed alone, and has no position; leave the others out",
            ));
        }
        let pieces = read_stdin();
        let mut tail = Tail::of_stdin();
        let mut written = Instant::now();
        while !stopped.load(Ordering::Relaxed) {
            match pieces.recv_timeout(PAUSE) {
                Ok(piece) => tail.push(&piece, &mut self.live, &self.arguments.input)?,
                Err(RecvTimeoutError::Timeout) => {
                    tail.poll(&mut self.live, &self.arguments.input)?;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.deliver(tail.grew)?;
            if written.elapsed() >= WRITE {
                self.write()?;
                written = Instant::now();
            }
        }
        tail.end(&mut self.live, &self.arguments.input)
    }

    /// Finds logs that are new; those that were there at the start are read from their end, or where the last run ended.
    fn find(&mut self, at_start: bool) -> Result<(), Failure> {
        // Between a rename and the next file there may be none.
        let meant = match files::meant(&self.arguments.files) {
            Ok(meant) => meant,
            Err(failure) if at_start => return Err(failure),
            Err(_) => return Ok(()),
        };
        let mut there = BTreeSet::new();
        for path in meant {
            let Ok(about) = std::fs::metadata(&path) else { continue };
            let about = (about.dev(), about.ino());
            there.insert(about);
            if self.refused.contains(&about) || self.tails.iter().any(|tail| tail.about() == about) {
                continue;
            }
            let Ok(mut tail) = Tail::open(&path) else { continue };
            if tail.is_compressed() {
                self.refused.insert(about);
                continue;
            }
            let copied = self.tails.iter().find_map(|followed| followed.copied_at(tail.head()));
            if let Some(offset) = copied {
                tail.begin(Some(offset), &self.arguments.input)?;
                self.tails.push(tail);
                continue;
            }
            if self.is_copy(&tail) {
                continue;
            }
            let known =
                self.position.as_ref().and_then(|position| position.of(about.0, about.1, tail.head()));
            let offset = match (known, at_start && self.position.is_none()) {
                (Some(log), _) => Some(log.offset),
                (None, true) => None,
                (None, false) => Some(0),
            };
            tail.begin(offset, &self.arguments.input)?;
            self.tails.push(tail);
        }
        self.refused.retain(|about| there.contains(about));
        let (tails, gone) = std::mem::take(&mut self.tails)
            .into_iter()
            .partition(|tail| there.contains(&tail.about()) || tail.grew.elapsed() < FORGET);
        self.tails = tails;
        for mut tail in gone {
            tail.end(&mut self.live, &self.arguments.input)?;
            self.left.extend(tail.position());
        }
        Ok(())
    }

    /// Whether it begins as one that is followed: a copy is made before that one is truncated.
    fn is_copy(&self, new: &Tail) -> bool {
        !new.head().is_empty()
            && self.tails.iter().any(|tail| !tail.head().is_empty() && new.head().starts_with(tail.head()))
    }

    fn deliver(&mut self, grew: Instant) -> Result<(), Failure> {
        let quiet_us = i64::try_from(grew.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.live.silent(quiet_us);
        for alert in self.live.alerts() {
            print(&shown(&alert, self.arguments.shown.format))?;
            if let Some(messenger) = &mut self.messenger {
                messenger.take(alert);
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Failure> {
        let save = self.arguments.save.as_deref();
        if save.is_none() && self.position.is_none() {
            // Nobody wants it; what was counted needs room.
            drop(self.live.summary());
            return Ok(());
        }
        let summary = self.live.summary();
        let sum = match save {
            Some(place) => Some((place, since::added(place, summary)?)),
            None => None,
        };
        let left = std::mem::take(&mut self.left);
        let logs = left.into_iter().chain(self.tails.iter().filter_map(Tail::position)).collect();
        match (&mut self.position, &sum) {
            (Some(position), sum) => {
                position.write(logs, sum.as_ref().map(|(place, bytes)| (*place, bytes.as_slice())))
            }
            (None, Some((place, bytes))) => crate::output::write_bytes(place, bytes),
            (None, None) => Ok(()),
        }
    }

    fn end(mut self) -> Result<u8, Failure> {
        if self.position.is_none() {
            for tail in &mut self.tails {
                tail.end(&mut self.live, &self.arguments.input)?;
            }
        }
        self.deliver(Instant::now())?;
        self.write()?;
        if let Some(messenger) = self.messenger {
            messenger.end();
        }
        Ok(CLEAN)
    }
}

fn shown(alert: &Alert, format: LogReportFormat) -> String {
    let json = || serde_json::to_string(alert).unwrap_or_default();
    let line = if format == LogReportFormat::Json { json() } else { alert.line() };
    line + "\n"
}

/// Becomes true when the program is asked to stop.
fn on_stop() -> Arc<AtomicBool> {
    let stopped = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&stopped);
    let (ready, is_ready) = sync_channel(1);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = stop_signal() => (),
                () = async { ready.send(()).unwrap_or_default(); std::future::pending().await } => (),
            }
        });
        heard.store(true, Ordering::Relaxed);
    });
    // Signals are heard from now on.
    is_ready.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    stopped
}

fn read_stdin() -> Receiver<Vec<u8>> {
    let (sender, pieces) = sync_channel(16);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin();
        let mut piece = vec![0; 64 << 10];
        while let Ok(length @ 1..) = stdin.read(&mut piece) {
            if sender.send(piece[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    pieces
}
