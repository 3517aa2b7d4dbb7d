//! Logs read from where the last run ended. See [`super::position`].

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use plimsoll_core::logs::LogSource;
use plimsoll_logs::{End, Scan, Summary, psum};

use super::files;
use super::gather::Gathered;
use super::position::{HEAD, Log, Position};
use super::source::{self, BYTE_ORDER_MARK, Content, Input, Source};
use crate::args::ColorChoice;
use crate::exit::{ENVIRONMENT, Failure};
use crate::logs_args::ReadArguments;
use crate::output::tell;

/// A log that hasn't been written for so long has its last record whole: the server writes a record with all its lines at
/// once.
const QUIET: Duration = Duration::from_secs(10);

/// What was read, and how far.
pub(super) struct Since {
    pub(super) gathered: Gathered,
    pub(super) logs: Vec<Log>,
}

/// A log, and how far it was read before.
struct Known {
    source: Source,
    about: (u64, u64),
    head: Vec<u8>,
    offset: u64,
    end: End,
}

/// Reads and reports what has been written since, and writes how far that was.
pub(super) fn read(arguments: &ReadArguments, path: &Path, color: ColorChoice) -> Result<u8, Failure> {
    let mut position = Position::open(path)?;
    let Since { gathered, logs } = gather(arguments, &position)?;
    let Gathered { summary, sources, is_damaged } = gathered;
    let sum = match &arguments.save {
        Some(place) => Some((place.as_path(), added(place, summary.clone())?)),
        None => None,
    };
    // Before the report: a reader that goes away early doesn't make it count twice.
    position.write(logs, sum.as_ref().map(|(place, bytes)| (*place, bytes.as_slice())))?;
    let shown = match arguments.unparsed {
        true => super::show_unparsed(&summary)?,
        false => super::show(&summary, sources, None, &arguments.shown, color)?,
    };
    Ok(if is_damaged { ENVIRONMENT } else { shown })
}

/// Reads what has been written since.
fn gather(arguments: &ReadArguments, position: &Position) -> Result<Since, Failure> {
    let mut known = Vec::new();
    for path in files::meant(&arguments.files)? {
        known.push(open(&path, arguments, position)?);
    }
    known.sort_by_key(|known| known.source.first_us);
    let readers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut scan = Scan::new(readers);
    let (mut told, mut logs, mut is_damaged) = (Vec::new(), Vec::new(), false);
    let mut heads = BTreeSet::new();
    for one in known {
        if one.head.len() == HEAD && !heads.insert(one.head.clone()) {
            tell(&format!("note: {} is a copy of another one: it is read once", one.source.name));
            continue;
        }
        let torn = one.source.torn.clone();
        let name = one.source.name.clone();
        let (of_source, log) = read_one(one, &mut scan)?;
        if let Some(why) = torn.why() {
            is_damaged = true;
            tell(&format!(
                "warning: {name} is damaged or cut short ({why}): what could be decompressed counts"
            ));
        }
        told.push(of_source);
        logs.push(log);
    }
    Ok(Since { gathered: Gathered { summary: scan.summary(), sources: told, is_damaged }, logs })
}

fn open(path: &Path, arguments: &ReadArguments, position: &Position) -> Result<Known, Failure> {
    let refused = |why: io::Error| Failure::input(format!("read {} with a position: {why}", path.display()));
    let about = std::fs::metadata(path).map_err(refused)?;
    if !about.is_file() {
        return Err(Failure::input(format!(
            "read {} with a position: it is no file, and only a file can be read on later; leave --position out",
            path.display()
        )));
    }
    let quiet = about.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    let end = if quiet.is_some_and(|quiet| quiet >= QUIET) { End::Whole } else { End::MayGoOn };
    let about = (about.dev(), about.ino());
    let (source, head) = Source::with_head(path, &arguments.input, HEAD)?;
    let offset = position.of(about.0, about.1, &head).map_or(0, |log| log.offset);
    Ok(Known { source, about, head, offset, end })
}

fn read_one(known: Known, scan: &mut Scan) -> Result<(LogSource, Log), Failure> {
    let Known { source, about, head, offset, end } = known;
    let mut of_source = source.told();
    let Source { name, content, .. } = source;
    let failed = |why: io::Error| Failure::environment(format!("read {name}: {why}; nothing was written"));
    let offset = match content {
        Content::Empty => 0,
        Content::Summary(_) => {
            return Err(Failure::input(format!(
                "read {name} with a position: it is a summary; add summaries up with `plimsoll logs merge`"
            )));
        }
        Content::Log { input: Input::Wrapped(..), .. } => {
            return Err(Failure::input(format!(
                "read {name} with a position: it is a {}, in which a record's place isn't known; use --follow, or leave \
                 --position out",
                of_source.format
            )));
        }
        Content::Log { format, input: Input::Plain(mut input) } => {
            let plain = from_there(&head, &name, about, offset).map_err(failed)?;
            let skipped = match plain {
                Some(file) => {
                    input = Box::new(file);
                    offset
                }
                None => io::copy(&mut input.by_ref().take(offset), &mut io::sink()).map_err(failed)?,
            };
            let mut counted = Counted { input, bytes: 0 };
            // Where it is shorter than what was read of it, nothing is new in it.
            let left = if skipped == offset {
                let (format, left) = scan.read_up_to(&format, &mut counted, end).map_err(failed)?;
                of_source.prefixes = source::prefixes(&format);
                left
            } else {
                0
            };
            offset + counted.bytes - left
        }
    };
    Ok((of_source, Log::new(&name, about, &head, offset)))
}

/// A log that isn't compressed, from there on, up to where it ends now: what was read before isn't read again.
fn from_there(head: &[u8], name: &str, about: (u64, u64), offset: u64) -> io::Result<Option<io::Take<File>>> {
    let mut file = File::open(name)?;
    let mut begin = vec![0; head.len()];
    let now = file.metadata()?;
    // It may have been renamed or truncated since.
    let is_same = (now.dev(), now.ino()) == about && file.read_exact(&mut begin).is_ok() && begin == head;
    let mark = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() as u64 } else { 0 };
    let from = offset + mark;
    if !is_same || now.len() < from {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(from))?;
    Ok(Some(file.take(now.len() - from)))
}

/// An input whose bytes are counted.
struct Counted<R> {
    input: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(room)?;
        self.bytes += length as u64;
        Ok(length)
    }
}

/// Adds to the summary that is at this place, if there is one; the bytes of the sum.
pub(super) fn added(place: &Path, mut summary: Summary) -> Result<Vec<u8>, Failure> {
    match std::fs::read(place) {
        Ok(bytes) => summary.merge(
            psum::decode(&bytes)
                .map_err(|why| Failure::input(format!("add to the summary {}: {why}", place.display())))?,
        ),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => {
            return Err(Failure::input(format!("add to the summary {}: {why}", place.display())));
        }
    }
    psum::encode(&summary).map_err(|why| Failure::environment(format!("write the summary: {why}")))
}
