//! Locks between programs: a lock on an open file, which the kernel drops when its holder ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

/// How much a lock excludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// Many readers.
    Shared,
    /// One writer.
    Exclusive,
}

/// Opens the lock file, making it where possible. A lock works on a file open for reading too.
///
/// # Errors
/// When it can be neither made nor opened.
pub fn open_lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .or_else(|error| File::open(path).map_err(|_| error))
}

/// Waits for the lock, which is held until the file is closed.
///
/// # Errors
/// When it isn't free within `patience`, or can't be locked.
pub fn lock(file: &File, kind: LockKind, patience: Duration) -> io::Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let attempt = match kind {
            LockKind::Shared => file.try_lock_shared(),
            LockKind::Exclusive => file.try_lock(),
        };
        match attempt {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                let why = format!("another program has held its lock for {} s", patience.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(POLL),
        }
    }
}
