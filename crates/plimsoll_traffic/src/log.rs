//! Statements from PostgreSQL's log, in its stderr, csvlog or jsonlog form: what `log_statement`, `log_min_duration_statement` or
//! `log_min_duration_sample` wrote, with the parameters of the extended protocol.
//!
//! Deliberately absent: localized messages, syslog, and statements that failed.

mod formats;
mod message;

use std::time::Duration;

use formats::{Entry, csv_entries, json_entries, stderr_entries};
use message::{Logged, logged};

use crate::collector::Collector;
use crate::observed::{Answer, Ending, Observed};

/// What a log told.
pub struct LogRead {
    /// The statements.
    pub collector: Collector,
    /// From the first statement to the last; none where the log has no times that are understood.
    pub lasted: Option<Duration>,
    /// Messages, statements or not: without any, the text is no log.
    pub messages: u64,
}

/// Reads a log, whichever form it has.
#[must_use]
pub fn read_log(text: &str) -> LogRead {
    let mut reader = Reader {
        read: LogRead { collector: Collector::default(), lasted: None, messages: 0 },
        first: None,
        last: None,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match Form::of(text) {
        Form::Json => json_entries(text, |entry| reader.take(&entry)),
        Form::Csv => csv_entries(text, |entry| reader.take(&entry)),
        Form::Stderr => stderr_entries(text, |entry| reader.take(&entry)),
    }
    if let (Some(first), Some(last)) = (reader.first, reader.last) {
        reader.read.lasted = last.checked_sub(first).filter(|lasted| !lasted.is_zero());
    }
    reader.read
}

enum Form {
    Json,
    Csv,
    Stderr,
}

impl Form {
    fn of(text: &str) -> Self {
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        // csvlog begins with a time, the user's name, the database's and the process' number.
        let number = line.split(',').nth(3).unwrap_or_default();
        if line.starts_with('{') {
            Self::Json
        } else if !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && line.split(',').count() > 11
        {
            Self::Csv
        } else {
            Self::Stderr
        }
    }
}

struct Reader {
    read: LogRead,
    first: Option<Duration>,
    last: Option<Duration>,
}

impl Reader {
    fn take(&mut self, entry: &Entry<'_>) {
        self.read.messages += 1;
        if entry.severity != "LOG" {
            return;
        }
        let Some(Logged { text, lasted, bound }) = logged(&entry.message, entry.detail.as_deref()) else {
            return;
        };
        let ended = entry.at.or(self.last).unwrap_or_default();
        self.first = self.first.or(entry.at);
        self.last = self.last.max(entry.at);
        let hash = |value: &[u8]| twox_hash::XxHash3_64::oneshot(value);
        let hashes: Vec<Option<u64>> =
            bound.iter().map(|value| value.as_ref().map(|value| hash(value.as_bytes()))).collect();
        self.read.collector.observe(&Observed {
            session: entry.process,
            application: &entry.application,
            text,
            bound: &hashes,
            bound_texts: &|| bound.clone(),
            hash,
            started: ended.saturating_sub(lasted.unwrap_or_default()),
            ended,
            rows: 0,
            bytes: 0,
            ending: Ending::Complete,
            resumed: false,
            answer: &Unknown,
        });
    }
}

/// A log doesn't tell what was answered.
struct Unknown;

impl Answer for Unknown {
    fn columns(&self) -> usize {
        0
    }

    fn values(&self) -> &[u64] {
        &[]
    }

    fn name(&self, _column: usize) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests;
