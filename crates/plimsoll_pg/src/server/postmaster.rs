//! The postmaster: PostgreSQL's first process, and our child.
//!
//! A thread of its own starts it and waits for it. That thread lives as long as the server,
//! which matters: on Linux the kernel tells the postmaster to quit when the **thread** that
//! made it ends. So a server may be started from any thread.

use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::die_with_us::die_with_us;
use super::leftovers::clear_up;

/// A postmaster told to quit kills children that don't after 5 s.
const QUIT_PATIENCE: Duration = Duration::from_secs(8);

/// A running postmaster, stopped when dropped.
#[derive(Debug)]
pub(super) struct Postmaster {
    process: Pid,
    data: PathBuf,
    ending: Arc<Ending>,
    keeper: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Ending {
    status: Mutex<Option<ExitStatus>>,
    known: Condvar,
}

impl Postmaster {
    /// Starts the command, which runs a server on the data directory.
    pub(super) fn start(mut command: Command, data: PathBuf) -> io::Result<Self> {
        die_with_us(&mut command, Signal::QUIT);
        let ending = Arc::new(Ending::default());
        let (report, started) = mpsc::channel();
        let keeper = std::thread::Builder::new().name("postmaster-keeper".to_owned()).spawn({
            let ending = Arc::clone(&ending);
            move || keep(command, &report, &ending)
        })?;
        let process = started.recv().map_err(|_| io::Error::other("its keeper ended"))??;
        Ok(Self { process, data, ending, keeper: Some(keeper) })
    }

    /// The process number.
    pub(super) fn process(&self) -> u32 {
        self.process.as_raw_pid().cast_unsigned()
    }

    /// How it ended, if it did.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        *self.ending.lock()
    }

    /// Asks for a fast shutdown. Returns how it ended; `None` if it doesn't within `patience`, and then runs on.
    pub(super) fn shut_down(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.signal(Signal::INT);
        self.ending.wait(patience)
    }

    fn stop(&mut self) {
        self.signal(Signal::QUIT);
        if self.ending.wait(QUIT_PATIENCE).is_none() {
            self.signal(Signal::KILL);
        }
        if let Some(keeper) = self.keeper.take() {
            // It ends once the process has; it doesn't panic.
            keeper.join().ok();
        }
        clear_up(&self.data);
    }

    /// Signals the process, if it is still ours: the keeper reaps it only under this lock, so
    /// that the number can't be another process's.
    fn signal(&self, signal: Signal) {
        let status = self.ending.lock();
        if status.is_none() {
            // It may end at this moment: as wanted.
            kill_process(self.process, signal).ok();
        }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Ending {
    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        // A status is one value: a panic elsewhere can't have left half of it.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        let mut status = self.lock();
        while status.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let (guard, _) = self.known.wait_timeout(status, left).unwrap_or_else(PoisonError::into_inner);
            status = guard;
        }
        *status
    }
}

fn keep(mut command: Command, report: &mpsc::Sender<io::Result<Pid>>, ending: &Ending) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return report.send(Err(error)).unwrap_or_default(),
    };
    let process = Pid::from_child(&child);
    report.send(Ok(process)).unwrap_or_default();
    // Waits without reaping, see `signal`. Fails only if it was reaped already.
    waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).ok();
    let mut status = ending.lock();
    *status = child.wait().ok();
    drop(status);
    ending.known.notify_all();
}
