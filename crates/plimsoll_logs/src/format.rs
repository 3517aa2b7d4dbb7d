//! The format of a log: declared, or found from its first lines.

use crate::counts::Counts;
use crate::prefix::{Prefix, detect};
use crate::record::Record;
use crate::sessions::Sessions;
use crate::time::Clock;
use crate::{csv, json, stderr};

/// How a log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines with a prefix; of several, which a changed setting leaves in one file, the first that fits a line counts.
    Stderr(Prefix),
    /// Comma-separated values.
    Csv,
    /// An object a line.
    Json,
}

/// What readers keep from one block to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    clock: Clock,
    sessions: Sessions,
    room: String,
}

impl Format {
    /// Finds the format by the first lines of a log. None if no line can be read in any.
    #[must_use]
    pub fn detect(sample: &str) -> Option<Self> {
        let readable = |format: &Self| {
            let (mut counts, mut scratch) = (Counts::default(), Scratch::default());
            format.scan(sample, &mut scratch, &mut counts, &mut |_| ());
            counts.records > 0
        };
        [Self::Json, Self::Csv].into_iter().find(readable).or_else(|| detect(sample).map(Self::Stderr))
    }

    /// The word that options and reports use.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Stderr(_) => "stderr",
            Self::Csv => "csvlog",
            Self::Json => "jsonlog",
        }
    }

    /// Hands over the records of a text that holds whole ones.
    pub fn scan(
        &self,
        text: &str,
        scratch: &mut Scratch,
        counts: &mut Counts,
        sink: &mut dyn FnMut(&Record<'_>),
    ) {
        let Scratch { clock, sessions, room } = scratch;
        let unknown_before = clock.unknown_zones();
        counts.bytes += text.len() as u64;
        match self {
            Self::Stderr(prefix) => stderr::scan(prefix, text, (clock, sessions), counts, sink),
            Self::Csv => csv::scan(text, (clock, sessions), counts, room, sink),
            Self::Json => json::scan(text, (clock, sessions), counts, room, sink),
        }
        counts.unknown_zones += clock.unknown_zones() - unknown_before;
    }

    /// Where the last record of a text begins, which may go on behind it. The text begins with a record. None if only one
    /// record can be told in it.
    #[must_use]
    pub fn last_start(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Stderr(prefix) => stderr::last_start(prefix, text, &mut Clock::default()),
            Self::Csv => csv::last_start(text),
            Self::Json => json::last_start(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found() {
        let format = |sample| Format::detect(sample).map(|format| format.word());
        assert_eq!(format("2026-11-23 12:00:00 UTC [5] LOG:  x\n"), Some("stderr"));
        assert_eq!(
            format(
                "2026-11-23 12:00:00 UTC,,,5,,6a1b.4d,1,,2026-11-23 12:00:00 UTC,,0,LOG,00000,\"x\",,,,,,,,,\"\",\"postmaster\",,0\n"
            ),
            Some("csvlog")
        );
        assert_eq!(
            format(
                "{\"timestamp\":\"2026-11-23 12:00:00 UTC\",\"error_severity\":\"LOG\",\"message\":\"x\"}\n"
            ),
            Some("jsonlog")
        );
        assert_eq!(format("GET / HTTP/1.1\n"), None);
    }
}
