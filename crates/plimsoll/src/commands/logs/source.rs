//! One log or summary to be read: opened, decompressed, its format found.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use plimsoll_core::logs::LogSource;
use plimsoll_logs::format::Scratch;
use plimsoll_logs::{Counts, Format, Prefix, Summary, psum};

use crate::exit::Failure;
use crate::logs_args::{LogFormatName, ReadArguments};

/// Bytes by which a format is found.
const SAMPLE: u64 = 256 << 10;
/// What compressed files begin with, and what reads them.
const COMPRESSED: [(&[u8], &str); 4] = [
    (b"\x28\xb5\x2f\xfd", "zstd -dc"),
    (b"\xfd7zXZ\0", "xz -dc"),
    (b"BZh", "bzip2 -dc"),
    (b"PK\x03\x04", "unzip -p"),
];

/// See the module.
pub(super) struct Source {
    pub(super) name: String,
    /// Its first moment, in microseconds since 1970.
    pub(super) first_us: Option<i64>,
    pub(super) content: Content,
}

/// What a source holds.
pub(super) enum Content {
    Log { format: Format, input: Box<dyn Read> },
    Summary(Box<Summary>),
    Empty,
}

impl Source {
    pub(super) fn open(path: &Path, arguments: &ReadArguments) -> Result<Self, Failure> {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
        let refused = |why: io::Error| Failure::input(format!("read {name}: {why}"));
        let mut input: Box<dyn Read> =
            if is_stdin { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(refused)?) };
        let mut sample = peek(&mut input).map_err(refused)?;
        if sample.starts_with(b"\x1f\x8b") {
            input = Box::new(MultiGzDecoder::new(Cursor::new(sample).chain(input)));
            sample = peek(&mut input).map_err(refused)?;
        }
        if let Some((_, reader)) = COMPRESSED.iter().find(|(magic, _)| sample.starts_with(magic)) {
            return Err(Failure::input(format!(
                "read {name}: it is compressed in a way that isn't read here; run `{reader} {name} | plimsoll logs -`"
            )));
        }
        if psum::is_summary(&sample) {
            return Self::summary(name, Cursor::new(sample).chain(input));
        }
        if sample.is_empty() {
            return Ok(Self { name, first_us: None, content: Content::Empty });
        }
        let text = String::from_utf8_lossy(&sample);
        let format = format(&name, &text, arguments)?;
        let first_us = first_moment(&format, &text);
        let input: Box<dyn Read> = Box::new(Cursor::new(sample).chain(input));
        Ok(Self { name, first_us, content: Content::Log { format, input } })
    }

    fn summary(name: String, mut input: impl Read) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(|why| Failure::input(format!("read {name}: {why}")))?;
        let summary =
            psum::decode(&bytes).map_err(|why| Failure::input(format!("read the summary {name}: {why}")))?;
        let first_us = summary.span_us.map(|(first, _)| first);
        Ok(Self { name, first_us, content: Content::Summary(Box::new(summary)) })
    }

    /// For the report.
    pub(super) fn told(&self) -> LogSource {
        match &self.content {
            Content::Summary(_) => of_summary(&self.name),
            Content::Empty => LogSource { name: self.name.clone(), format: "empty".to_owned(), prefix: None },
            Content::Log { format, .. } => LogSource {
                name: self.name.clone(),
                format: format.word().to_owned(),
                prefix: match format {
                    Format::Stderr(prefix) => Some(prefix.text().to_owned()),
                    _ => None,
                },
            },
        }
    }
}

/// A summary, for the report.
pub(super) fn of_summary(name: &str) -> LogSource {
    LogSource { name: name.to_owned(), format: "summary".to_owned(), prefix: None }
}

fn peek(input: &mut Box<dyn Read>) -> io::Result<Vec<u8>> {
    let mut sample = Vec::new();
    input.by_ref().take(SAMPLE).read_to_end(&mut sample)?;
    Ok(sample)
}

fn format(name: &str, sample: &str, arguments: &ReadArguments) -> Result<Format, Failure> {
    let declared = arguments.prefix.as_deref().map(Prefix::new).transpose().map_err(Failure::input)?;
    let found = match (arguments.log_format, declared) {
        (Some(LogFormatName::Csvlog), _) => Some(Format::Csv),
        (Some(LogFormatName::Jsonlog), _) => Some(Format::Json),
        (_, Some(prefix)) => Some(Format::Stderr(prefix)),
        (Some(LogFormatName::Stderr), None) => plimsoll_logs::prefix::detect(sample).map(Format::Stderr),
        (None, None) => Format::detect(sample),
    };
    let unknown = || {
        let why = "none of its first lines is one of PostgreSQL's stderr log, csvlog or jsonlog";
        Failure::input(format!(
            "read {name}: {why}; give the server's log_line_prefix with --prefix if it is a log"
        ))
    };
    found.ok_or_else(unknown)
}

fn first_moment(format: &Format, sample: &str) -> Option<i64> {
    let mut first = None;
    format.scan(sample, &mut Scratch::default(), &mut Counts::default(), &mut |record| {
        first = first.or(record.time_us);
    });
    first
}
