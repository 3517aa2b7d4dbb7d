//! How far each log has been read, kept in a file from one run to the next.
//!
//! A log is known again by a hash of its first bytes, decompressed: so it may be renamed, copied and truncated, or
//! compressed between two runs. A summary is put beside its place first, then the position that names it is written, and
//! then the summary is moved to its place. Whoever was killed between two of these is taken further by the next run, so
//! that nothing counts twice and nothing is lost.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use crate::exit::Failure;
use crate::output::write_bytes;

/// Bytes by which a log is known again.
pub(super) const HEAD: usize = 4096;
/// So many logs are kept; those that were seen last.
const MOST_LOGS: usize = 10_000;
const VERSION: &str = "plimsoll position 1 ";

/// A position file that this run alone may write.
#[derive(Debug)]
pub(super) struct Position {
    path: PathBuf,
    kept: Kept,
    _lock: File,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    logs: Vec<Log>,
    /// A summary that has to be in its place before anything else is read.
    summary: Option<Pending>,
}

/// How far a log has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    /// Its name then, for people.
    pub(super) name: String,
    pub(super) device: u64,
    pub(super) inode: u64,
    /// How many of its first bytes are hashed, decompressed.
    pub(super) head_bytes: usize,
    pub(super) head_hash: u64,
    /// The first byte that isn't read, decompressed. A record begins there.
    pub(super) offset: u64,
    /// When it was seen last, in seconds since 1970.
    pub(super) seen_s: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pending {
    beside: PathBuf,
    place: PathBuf,
    hash: u64,
}

impl Position {
    /// Opens a position file, or begins one. What a run that was killed has left is brought to its end.
    ///
    /// # Errors
    /// When another run has it, when it is damaged, and when the disk refuses.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let lock = lock(path)?;
        let kept = match std::fs::read_to_string(path) {
            Ok(text) => read(&text).map_err(|why| {
                Failure::input(format!(
                    "read the position file {}: {why}; remove it, and all logs are read from their beginning",
                    path.display()
                ))
            })?,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(why) => {
                return Err(Failure::environment(format!(
                    "read the position file {}: {why}",
                    path.display()
                )));
            }
        };
        let position = Self { path: path.to_owned(), kept, _lock: lock };
        position.finish_summary()?;
        Ok(position)
    }

    /// How far a log was read: that of the same file first, then whatever begins alike.
    pub(super) fn of(&self, device: u64, inode: u64, head: &[u8]) -> Option<&Log> {
        let fits = |log: &&Log| log.head_bytes > 0 && log.hash_fits(head);
        let mut known: Vec<&Log> = self.kept.logs.iter().filter(fits).collect();
        known.sort_by_key(|log| ((log.device, log.inode) != (device, inode), std::cmp::Reverse(log.offset)));
        known.first().copied()
    }

    /// Writes how far logs were read, and puts the summary of what was read into its place.
    pub(super) fn write(&mut self, logs: Vec<Log>, summary: Option<(&Path, &[u8])>) -> Result<(), Failure> {
        self.keep(logs);
        self.kept.summary = summary.map(|(place, bytes)| put_beside(place, bytes)).transpose()?;
        let text = serde_json::to_string_pretty(&self.kept)
            .map_err(|why| Failure::environment(format!("write {}: {why}", self.path.display())))?;
        let hash = XxHash3_64::oneshot(text.as_bytes());
        write_bytes(&self.path, format!("{VERSION}{hash:016x}\n{text}\n").as_bytes())?;
        self.finish_summary()
    }

    fn keep(&mut self, logs: Vec<Log>) {
        let is_new = |log: &Log| {
            !logs.iter().any(|new| {
                (new.head_bytes == log.head_bytes && new.head_hash == log.head_hash)
                    || (new.device, new.inode) == (log.device, log.inode)
            })
        };
        self.kept.logs.retain(is_new);
        self.kept.logs.extend(logs);
        self.kept.logs.sort_by_key(|log| std::cmp::Reverse(log.seen_s));
        self.kept.logs.truncate(MOST_LOGS);
    }

    /// Moves the summary that is named to its place, unless it is there.
    fn finish_summary(&self) -> Result<(), Failure> {
        let Some(Pending { beside, place, hash }) = &self.kept.summary else { return Ok(()) };
        let Ok(bytes) = std::fs::read(beside) else { return Ok(()) };
        if XxHash3_64::oneshot(&bytes) != *hash {
            return Ok(());
        }
        std::fs::rename(beside, place)
            .map_err(|why| Failure::environment(format!("write {}: {why}", place.display())))
    }
}

impl Log {
    /// How far a log was read that begins like this.
    pub(super) fn new(name: &str, (device, inode): (u64, u64), head: &[u8], offset: u64) -> Self {
        let head = &head[..head.len().min(HEAD)];
        let seen_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let head_hash = XxHash3_64::oneshot(head);
        Self { name: name.to_owned(), device, inode, head_bytes: head.len(), head_hash, offset, seen_s }
    }

    fn hash_fits(&self, head: &[u8]) -> bool {
        head.get(..self.head_bytes).is_some_and(|head| XxHash3_64::oneshot(head) == self.head_hash)
    }
}

fn put_beside(place: &Path, bytes: &[u8]) -> Result<Pending, Failure> {
    // What a link leads to is replaced, not the link; and the next run may be in another folder.
    let place = std::fs::canonicalize(place)
        .or_else(|_| std::path::absolute(place))
        .map_err(|why| Failure::environment(format!("write {}: {why}", place.display())))?;
    let mut beside = place.clone().into_os_string();
    beside.push(".next");
    let beside = PathBuf::from(beside);
    write_bytes(&beside, bytes)?;
    Ok(Pending { beside, place, hash: XxHash3_64::oneshot(bytes) })
}

fn read(text: &str) -> Result<Kept, String> {
    let rest = text.strip_prefix(VERSION).ok_or("it is none of this version")?;
    let (hash, rest) = rest.split_once('\n').ok_or("it is damaged: it ends early")?;
    let body = rest.strip_suffix('\n').unwrap_or(rest);
    if format!("{:016x}", XxHash3_64::oneshot(body.as_bytes())) != hash {
        return Err("it is damaged: its checksum doesn't fit".to_owned());
    }
    serde_json::from_str(body).map_err(|why| format!("it is damaged: {why}"))
}

/// Locks a position file as long as the result lives. The file itself is replaced at each run, so another one is locked.
fn lock(path: &Path) -> Result<File, Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |why: std::io::Error| {
        Failure::environment(format!("lock the position file {}: {why}", path.display()))
    };
    let mut file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(Failure::environment(format!(
                "lock the position file {}: another run reads with it; wait for its end",
                path.display()
            )));
        }
        Err(std::fs::TryLockError::Error(why)) => return Err(failed(why)),
    }
    file.flush().map_err(failed)?;
    Ok(file)
}
