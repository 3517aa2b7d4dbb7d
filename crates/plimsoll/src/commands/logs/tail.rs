//! One log that is followed: what has been added to it, in whole records.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use plimsoll_logs::alert::Live;
use plimsoll_logs::{Format, Unwrapped};

use super::position::{HEAD, Log};
use super::source;
use crate::exit::Failure;
use crate::logs_args::InputArguments;
use crate::output::tell;

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;
/// A record that is longer is cut.
const LONGEST: usize = 64 << 20;
/// The last record is whole when nothing has come for so long.
const QUIET: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Tail {
    pub(super) name: String,
    pub(super) grew: Instant,
    input: Option<(File, u64)>,
    about: (u64, u64),
    head: Vec<u8>,
    /// How it began before it was truncated, and how far it was read then.
    before: Option<(Vec<u8>, u64)>,
    text: Text,
}

/// What was read and isn't taken yet.
#[derive(Default)]
struct Text {
    buffer: Vec<u8>,
    format: Option<Format>,
    unwrapped: Option<Box<Unwrapped<io::Empty>>>,
}

impl Tail {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let about = file.metadata()?;
        let mut head = Vec::new();
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        file.rewind()?;
        Ok(Self {
            name: path.display().to_string(),
            grew: Instant::now(),
            input: Some((file, 0)),
            about: (about.dev(), about.ino()),
            head,
            before: None,
            text: Text::default(),
        })
    }

    /// What is pushed and not read.
    pub(super) fn of_stdin() -> Self {
        let name = "standard input".to_owned();
        let (head, text) = (Vec::new(), Text::default());
        Self { name, grew: Instant::now(), input: None, about: (0, 0), head, before: None, text }
    }

    pub(super) const fn about(&self) -> (u64, u64) {
        self.about
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// From where on a log is to be read that was copied from this one before it was truncated.
    pub(super) fn copied_at(&self, head: &[u8]) -> Option<u64> {
        let (before, offset) = self.before.as_ref()?;
        (!before.is_empty() && head.starts_with(before)).then_some(*offset)
    }

    /// Whether it is compressed, and so is a log that is over.
    pub(super) fn is_compressed(&self) -> bool {
        [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh"]
            .iter()
            .any(|magic| self.head.starts_with(magic))
    }

    /// Begins at this byte, or at the end.
    pub(super) fn begin(&mut self, offset: Option<u64>, arguments: &InputArguments) -> Result<(), Failure> {
        let failed = |why: io::Error| Failure::input(format!("read {}: {why}", self.name));
        let Some((file, at)) = &mut self.input else { return Ok(()) };
        let length = file.metadata().map_err(failed)?.len();
        let offset = offset.filter(|offset| *offset <= length).unwrap_or(length);
        if offset > 0 {
            // What stands before tells the format.
            let mut sample = Vec::new();
            file.by_ref().take(256 << 10).read_to_end(&mut sample).map_err(failed)?;
            self.text.find_format(&self.name, &sample, arguments)?;
        }
        *at = file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        Ok(())
    }

    /// Reads what was added since; whether that was anything.
    pub(super) fn poll(&mut self, live: &mut Live, arguments: &InputArguments) -> Result<bool, Failure> {
        let mut piece = vec![0; PIECE];
        let mut grew = false;
        loop {
            let length = self.read(live, arguments, &mut piece)?;
            if length == 0 {
                break;
            }
            grew = true;
            self.push(&piece[..length], live, arguments)?;
        }
        if !grew && self.grew.elapsed() >= QUIET {
            self.text.quiet(live);
        }
        Ok(grew)
    }

    fn read(
        &mut self,
        live: &mut Live,
        arguments: &InputArguments,
        piece: &mut [u8],
    ) -> Result<usize, Failure> {
        let failed = |why: io::Error| Failure::environment(format!("follow {}: {why}", self.name));
        let Some((file, at)) = &mut self.input else { return Ok(0) };
        if file.metadata().map_err(failed)?.len() < *at {
            tell(&format!("note: {} was truncated: it is read from its beginning", self.name));
            file.rewind().map_err(failed)?;
            self.before = Some((std::mem::take(&mut self.head), std::mem::take(at)));
            self.text.end(&self.name, live, arguments)?;
        }
        let length = file.read(piece).map_err(failed)?;
        if (*at as usize) < HEAD && self.head.len() as u64 == *at {
            self.head.extend_from_slice(&piece[..length.min(HEAD - self.head.len())]);
        }
        *at += length as u64;
        Ok(length)
    }

    /// Takes bytes that were added.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        live: &mut Live,
        arguments: &InputArguments,
    ) -> Result<(), Failure> {
        self.grew = Instant::now();
        self.text.push(&self.name, bytes, live, arguments)
    }

    /// Takes all that is left.
    pub(super) fn end(&mut self, live: &mut Live, arguments: &InputArguments) -> Result<(), Failure> {
        self.text.end(&self.name, live, arguments)
    }

    /// How far it was read, if that can be told.
    pub(super) fn position(&self) -> Option<Log> {
        let (_, at) = self.input.as_ref().filter(|_| self.text.unwrapped.is_none())?;
        let offset = at - self.text.buffer.len() as u64;
        Some(Log::new(&self.name, self.about, &self.head, offset))
    }
}

impl Text {
    fn find_format(&mut self, name: &str, sample: &[u8], arguments: &InputArguments) -> Result<(), Failure> {
        let (format, envelope) = source::format_of(name, sample, arguments)?;
        self.unwrapped = envelope.map(|envelope| Box::new(Unwrapped::pushed(envelope, source::now_us())));
        self.format = Some(format);
        Ok(())
    }

    fn push(
        &mut self,
        name: &str,
        bytes: &[u8],
        live: &mut Live,
        arguments: &InputArguments,
    ) -> Result<(), Failure> {
        match &mut self.unwrapped {
            Some(unwrapped) => self.buffer.extend(unwrapped.push(bytes)),
            None => self.buffer.extend_from_slice(bytes),
        }
        if self.format.is_none() {
            // A first line that isn't whole tells nothing yet.
            let Some(end) = self.buffer.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
            let sample = self.buffer[..=end].to_vec();
            self.find_format(name, &sample, arguments)?;
            if let Some(unwrapped) = &mut self.unwrapped {
                self.buffer = unwrapped.push(&std::mem::take(&mut self.buffer));
            }
        }
        self.take(live, false);
        Ok(())
    }

    fn take(&mut self, live: &mut Live, all: bool) {
        let Some(format) = &mut self.format else { return };
        let all = all || self.buffer.len() > LONGEST;
        let cut = if all { Some(self.buffer.len()) } else { format.last_start(&self.buffer) };
        if let Some(cut) = cut.filter(|cut| *cut > 0) {
            live.take(format, &self.buffer[..cut]);
            self.buffer.drain(..cut);
        }
    }

    /// Nothing has come for a while: what has an end is whole.
    fn quiet(&mut self, live: &mut Live) {
        if let Some(unwrapped) = &mut self.unwrapped {
            self.buffer.extend(unwrapped.quiet());
        }
        if self.buffer.ends_with(b"\n") {
            self.take(live, true);
        }
    }

    fn end(&mut self, name: &str, live: &mut Live, arguments: &InputArguments) -> Result<(), Failure> {
        if self.format.is_none() && !self.buffer.is_empty() {
            let sample = self.buffer.clone();
            self.find_format(name, &sample, arguments)?;
        }
        if let Some(unwrapped) = &mut self.unwrapped {
            self.buffer.extend(unwrapped.quiet());
        }
        self.take(live, true);
        Ok(())
    }
}
