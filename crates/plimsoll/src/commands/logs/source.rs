//! One log or summary to be read: opened, decompressed, its format found.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use plimsoll_core::logs::LogSource;
use plimsoll_logs::format::Scratch;
use plimsoll_logs::{Counts, Envelope, Format, Prefix, Summary, Unwrapped, psum};

use super::compressed::{Torn, again, decompressed};
use crate::exit::Failure;
use crate::logs_args::{InputArguments, LogFormatName};

/// Bytes by which a format is found.
const SAMPLE: u64 = 256 << 10;

/// See the module.
pub(super) struct Source {
    pub(super) name: String,
    /// Its first moment, in microseconds since 1970.
    pub(super) first_us: Option<i64>,
    pub(super) content: Content,
    pub(super) torn: Torn,
    envelope: Option<Envelope>,
}

/// What a source holds.
pub(super) enum Content {
    Log { format: Format, input: Input },
    Summary(Box<Summary>),
    Empty,
}

/// A log's bytes.
pub(super) enum Input {
    Plain(Box<dyn Read>),
    Wrapped(Box<Unwrapped<Box<dyn Read>>>, io::Cursor<Vec<u8>>),
}

impl Input {
    /// How many lines were another program's, once it is read.
    pub(super) fn others(&self) -> u64 {
        match self {
            Self::Plain(_) => 0,
            Self::Wrapped(unwrapped, _) => unwrapped.others(),
        }
    }
}

impl Read for Input {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(room),
            Self::Wrapped(unwrapped, begun) => match begun.read(room)? {
                0 => unwrapped.read(room),
                length => Ok(length),
            },
        }
    }
}

impl Source {
    pub(super) fn open(path: &Path, arguments: &InputArguments) -> Result<Self, Failure> {
        Self::with_head(path, arguments, 0).map(|(source, _)| source)
    }

    /// A source, and so many of its first bytes, decompressed.
    pub(super) fn with_head(
        path: &Path,
        arguments: &InputArguments,
        head_bytes: usize,
    ) -> Result<(Self, Vec<u8>), Failure> {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
        let refused = |why: io::Error| Failure::input(format!("read {name}: {why}"));
        let (input, written_us) = if is_stdin {
            (Box::new(io::stdin()) as Box<dyn Read>, now_us())
        } else {
            opened(path).map_err(refused)?
        };
        let (sample, input) = peek(input).map_err(refused)?;
        let (input, torn) = decompressed(&sample, input).map_err(refused)?;
        let (sample, input) = if torn.is_some() { peek(input).map_err(refused)? } else { (sample, input) };
        let torn = torn.unwrap_or_default();
        if psum::is_summary(&sample) {
            return Ok((Self::summary(name, input)?, Vec::new()));
        }
        let head = sample[..sample.len().min(head_bytes)].to_vec();
        let empty =
            Self { name: name.clone(), first_us: None, content: Content::Empty, torn, envelope: None };
        // Who asks for its head reads on later: a first line that isn't whole yet comes then.
        if sample.is_empty() || (head_bytes > 0 && !sample.contains(&b'\n')) {
            return Ok((empty, Vec::new()));
        }
        refuse(&name, &sample)?;
        let source = match Envelope::detect(&sample).filter(|_| arguments.log_format.is_none()) {
            Some(envelope) => empty.wrapped(envelope, input, written_us, arguments),
            None => empty.plain(&sample, input, arguments),
        }?;
        Ok((source, head))
    }

    fn plain(self, sample: &[u8], input: Box<dyn Read>, arguments: &InputArguments) -> Result<Self, Failure> {
        let text = String::from_utf8_lossy(sample);
        let format = format(&self.name, text.trim_start_matches('\u{feff}'), arguments)?;
        let first_us = first_moment(&format, &text);
        let input = Input::Plain(if sample.starts_with(BYTE_ORDER_MARK) {
            without_first(input, BYTE_ORDER_MARK.len())?
        } else {
            input
        });
        Ok(Self { first_us, content: Content::Log { format, input }, ..self })
    }

    fn wrapped(
        self,
        envelope: Envelope,
        input: Box<dyn Read>,
        written_us: i64,
        arguments: &InputArguments,
    ) -> Result<Self, Failure> {
        let mut unwrapped = Box::new(Unwrapped::new(input, envelope, written_us));
        let mut sample = Vec::new();
        unwrapped
            .by_ref()
            .take(SAMPLE)
            .read_to_end(&mut sample)
            .map_err(|why| Failure::input(format!("read {}: {why}", self.name)))?;
        let text = String::from_utf8_lossy(&sample);
        let Format::Stderr(inner) = format(&self.name, &Envelope::inner_lines(&text), arguments)? else {
            return Err(Failure::input(format!(
                "read {}: csvlog or jsonlog in a {}",
                self.name,
                envelope.word()
            )));
        };
        let format = Format::Stderr(Envelope::prefix(inner.text()).map_err(Failure::input)?);
        let first_us = first_moment(&format, &text);
        let input = Input::Wrapped(unwrapped, io::Cursor::new(sample));
        Ok(Self { first_us, content: Content::Log { format, input }, envelope: Some(envelope), ..self })
    }

    fn summary(name: String, mut input: impl Read) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(|why| Failure::input(format!("read {name}: {why}")))?;
        let summary =
            psum::decode(&bytes).map_err(|why| Failure::input(format!("read the summary {name}: {why}")))?;
        let first_us = summary.span_us.map(|(first, _)| first);
        let content = Content::Summary(Box::new(summary));
        Ok(Self { name, first_us, content, torn: Torn::default(), envelope: None })
    }

    /// For the report.
    pub(super) fn told(&self) -> LogSource {
        let named = |format: &str| LogSource {
            name: self.name.clone(),
            format: format.to_owned(),
            ..LogSource::default()
        };
        match &self.content {
            Content::Summary(_) => of_summary(&self.name),
            Content::Empty => named("empty"),
            Content::Log { format, .. } => named(self.envelope.map_or(format.word(), Envelope::word)),
        }
    }
}

/// A summary, for the report.
pub(super) fn of_summary(name: &str) -> LogSource {
    LogSource { name: name.to_owned(), format: "summary".to_owned(), ..LogSource::default() }
}

/// The server's own prefixes by which a log was read.
pub(super) fn prefixes(format: &Format) -> Vec<String> {
    match format {
        Format::Stderr(prefix) => prefix.texts().map(|text| Envelope::inner(text).to_owned()).collect(),
        _ => Vec::new(),
    }
}

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file up to where it ends now, and when it was last written, in microseconds since 1970: what is added while it is
/// read doesn't count.
pub(super) fn opened(path: &Path) -> io::Result<(Box<dyn Read>, i64)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    let written_us = about.modified().map_or_else(|_| now_us(), microseconds);
    if about.is_file() {
        return Ok((Box::new(file.take(about.len())), written_us));
    }
    Ok((Box::new(file), now_us()))
}

fn microseconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX / 2)
}

pub(super) fn now_us() -> i64 {
    microseconds(SystemTime::now())
}

/// The first bytes of an input, and the whole of it.
fn peek(mut input: Box<dyn Read>) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut sample = Vec::new();
    input.by_ref().take(SAMPLE).read_to_end(&mut sample)?;
    Ok((sample.clone(), again(sample, input)))
}

fn without_first(mut input: Box<dyn Read>, bytes: usize) -> Result<Box<dyn Read>, Failure> {
    let mut first = vec![0; bytes];
    input
        .read_exact(&mut first)
        .map_err(|why| Failure::input(format!("read behind the byte order mark: {why}")))?;
    Ok(input)
}

/// Refuses what is known to be no log, and says what to do instead.
fn refuse(name: &str, sample: &[u8]) -> Result<(), Failure> {
    let instead = match sample {
        [b'L', b'P', b'K', b'S', b'H', b'H', b'R', b'H', ..] => {
            format!(
                "it is a file of systemd's journal; run `journalctl --file {name} -o json | plimsoll logs -`"
            )
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            format!("it is in UTF-16; run `iconv -f UTF-16 -t UTF-8 {name} | plimsoll logs -`")
        }
        [b'P', b'K', 3, 4, ..] => format!("it is a zip archive; run `unzip -p {name} | plimsoll logs -`"),
        [0x04, 0x22, 0x4d, 0x18, ..] => {
            format!("it is compressed by lz4; run `lz4 -dc {name} | plimsoll logs -`")
        }
        _ if sample.get(257..262) == Some(b"ustar") => {
            format!("it is a tar archive; run `tar -xOf {name} | plimsoll logs -`")
        }
        _ => return Ok(()),
    };
    Err(Failure::input(format!("read {name}: {instead}")))
}

/// The format of a log that begins like this, and what is around its lines.
pub(super) fn format_of(
    name: &str,
    sample: &[u8],
    arguments: &InputArguments,
) -> Result<(Format, Option<Envelope>), Failure> {
    refuse(name, sample)?;
    let text = String::from_utf8_lossy(sample);
    let Some(envelope) = Envelope::detect(sample).filter(|_| arguments.log_format.is_none()) else {
        return format(name, text.trim_start_matches('\u{feff}'), arguments).map(|format| (format, None));
    };
    let mut lines = Vec::new();
    let unwrapped = Unwrapped::new(sample, envelope, now_us()).read_to_end(&mut lines);
    unwrapped.map_err(|why| Failure::input(format!("read {name}: {why}")))?;
    let lines = String::from_utf8_lossy(&lines);
    match format(name, &Envelope::inner_lines(&lines), arguments)? {
        Format::Stderr(inner) => {
            let prefix = Envelope::prefix(inner.text()).map_err(Failure::input)?;
            Ok((Format::Stderr(prefix), Some(envelope)))
        }
        _ => Err(Failure::input(format!("read {name}: csvlog or jsonlog in a {}", envelope.word()))),
    }
}

fn format(name: &str, sample: &str, arguments: &InputArguments) -> Result<Format, Failure> {
    let declared = declared(&arguments.prefix).map_err(Failure::input)?;
    let found = match (arguments.log_format, declared) {
        (Some(LogFormatName::Csvlog), _) => Some(Format::Csv),
        (Some(LogFormatName::Jsonlog), _) => Some(Format::Json),
        (_, Some(prefix)) => Some(Format::Stderr(prefix)),
        (Some(LogFormatName::Stderr), None) => plimsoll_logs::prefix::detect(sample).map(Format::Stderr),
        (None, None) => Format::detect(sample),
    };
    let unknown = || {
        let why = "none of its first lines is one of PostgreSQL's stderr log, csvlog, jsonlog or syslog";
        Failure::input(format!(
            "read {name}: {why}; give the server's log_line_prefix with --prefix if it is a log"
        ))
    };
    found.ok_or_else(unknown)
}

fn declared(prefixes: &[String]) -> Result<Option<Prefix>, plimsoll_logs::PrefixError> {
    let mut declared: Option<Prefix> = None;
    for text in prefixes {
        let prefix = Prefix::new(text)?;
        match &mut declared {
            Some(first) => first.also(prefix),
            None => declared = Some(prefix),
        }
    }
    Ok(declared)
}

fn first_moment(format: &Format, sample: &str) -> Option<i64> {
    let mut first = None;
    format.scan(sample, &mut Scratch::default(), &mut Counts::default(), &mut |record| {
        first = first.or(record.time_us);
    });
    first
}
