//! Queries of logs with the values that they ran with, for a corpus or a workload.

use std::path::PathBuf;
use std::time::Duration;

use plimsoll_logs::message::{Event, Phase, Statement, understand};
use plimsoll_logs::{Format, Record, each_record};
use plimsoll_traffic::{Answer, Collector, Ending, Observed};

use super::files;
use super::source::{Content, Source};
use crate::exit::Failure;
use crate::logs_args::InputArguments;

/// What logs told.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) collector: Collector,
    /// The first and the last moment of a statement, in microseconds since 1970.
    span_us: Option<(i64, i64)>,
    /// Messages, statements or not.
    pub(crate) records: u64,
}

/// Reads the queries of logs: files, folders and patterns.
pub(crate) fn seen(files: &[PathBuf], arguments: &InputArguments) -> Result<Seen, Failure> {
    let mut sources = files::meant(files)?
        .iter()
        .map(|path| Source::open(path, arguments))
        .collect::<Result<Vec<_>, _>>()?;
    sources.sort_by_key(|source| source.first_us);
    let mut seen = Seen::default();
    for source in sources {
        let name = source.name;
        match source.content {
            Content::Log { format, mut input } => {
                let has_tabs = matches!(format, Format::Stderr(_));
                let counts = each_record(&format, &mut input, &mut |record| seen.take(record, has_tabs))
                    .map_err(|why| Failure::environment(format!("read {name}: {why}")))?;
                seen.records += counts.records;
            }
            Content::Summary(_) => {
                return Err(Failure::input(format!(
                    "take queries from {name}: a summary holds no values that a query could be run with; give the log"
                )));
            }
            Content::Empty => {}
        }
    }
    Ok(seen)
}

impl Seen {
    /// From the first statement to the last, in seconds; none where the log has no moments, or but one.
    pub(crate) fn lasted_s(&self) -> Option<f64> {
        self.span_us.map(|(first, last)| (last - first) as f64 / 1e6).filter(|lasted| *lasted > 0.0)
    }

    /// Takes a record. A stderr log has a TAB behind each newline that the client sent.
    fn take(&mut self, record: &Record<'_>, has_tabs: bool) {
        let Event::Statement(statement) = understand(record) else { return };
        if !matches!(statement.phase, Phase::Simple | Phase::Execute) {
            return;
        }
        if !has_tabs || !record.message.contains('\n') && !record.detail.contains('\n') {
            return self.statement(record, &statement);
        }
        let as_sent = |text: &str| text.replace("\n\t", "\n");
        let (message, detail) = (as_sent(record.message), as_sent(record.detail));
        let record = Record { message: &message, detail: &detail, ..*record };
        if let Event::Statement(statement) = understand(&record) {
            self.statement(&record, &statement);
        }
    }

    fn statement(&mut self, record: &Record<'_>, statement: &Statement<'_>) {
        let ended_us = record.time_us.or(self.span_us.map(|(_, last)| last)).unwrap_or_default().max(0);
        if record.time_us.is_some() {
            let (first, last) = self.span_us.unwrap_or((ended_us, ended_us));
            self.span_us = Some((first.min(ended_us), last.max(ended_us)));
        }
        let bound = bound(statement);
        let hash = |value: &[u8]| twox_hash::XxHash3_64::oneshot(value);
        let hashes: Vec<Option<u64>> =
            bound.iter().map(|value| value.as_ref().map(|value| hash(value.as_bytes()))).collect();
        let ended = Duration::from_micros(ended_us.unsigned_abs());
        self.collector.observe(&Observed {
            session: record.process as usize,
            application: record.application,
            text: statement.text,
            bound: &hashes,
            bound_texts: &|| bound.clone(),
            hash,
            started: ended.saturating_sub(Duration::from_micros(statement.duration_us.unwrap_or_default())),
            ended,
            rows: 0,
            bytes: 0,
            ending: Ending::Complete,
            resumed: false,
            answer: &Unknown,
        });
    }
}

/// The values of a statement's parameters, by their numbers.
fn bound(statement: &Statement<'_>) -> Vec<Option<String>> {
    let mut bound = Vec::new();
    for parameter in statement.parameters.iter() {
        // A list that doesn't count from one was cut, or isn't one.
        if parameter.number as usize != bound.len() + 1 {
            return Vec::new();
        }
        bound.push(parameter.value().map(std::borrow::Cow::into_owned));
    }
    bound
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
