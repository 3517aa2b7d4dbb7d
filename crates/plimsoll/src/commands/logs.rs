//! `plimsoll logs`: what a server's log tells.

mod limits;
mod source;

use std::path::Path;

use plimsoll_core::logs::LogSource;
use plimsoll_logs::{Scan, Summary, psum, report};
use plimsoll_report::{LogFormat, render_log};

use crate::args::ColorChoice;
use crate::exit::{CLEAN, FINDINGS, Failure};
use crate::logs_args::{
    LogReportFormat, LogsArguments, LogsVerb, MergeArguments, ReadArguments, ShownArguments,
};
use crate::output::{print, tell, terminal, write_bytes, write_file};
use source::{Content, Source};

pub(crate) fn run(arguments: &LogsArguments, color: ColorChoice) -> Result<u8, Failure> {
    match &arguments.verb {
        Some(LogsVerb::Merge(arguments)) => merge(arguments, color),
        None => read(&arguments.read, color),
    }
}

fn read(arguments: &ReadArguments, color: ColorChoice) -> Result<u8, Failure> {
    let mut sources =
        arguments.files.iter().map(|path| Source::open(path, arguments)).collect::<Result<Vec<_>, _>>()?;
    // A server's rotated files follow each other; what has no moment stays where it was put.
    sources.sort_by_key(|source| source.first_us);
    let readers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut scan = Scan::new(readers);
    let mut summaries = Vec::new();
    let mut told = Vec::new();
    for source in sources {
        told.push(source.told());
        let name = source.name;
        match source.content {
            Content::Summary(summary) => summaries.push(*summary),
            Content::Log { format, input } => scan
                .read(&format, input)
                .map_err(|why| Failure::environment(format!("read {name}: {why}; nothing was written")))?,
            Content::Empty => tell(&format!("note: {name} is empty")),
        }
    }
    let mut summary = scan.summary();
    summaries.into_iter().for_each(|other| summary.merge(other));
    if arguments.unparsed {
        for line in &summary.counts.samples {
            print(&format!("{}\n", printable(line)))?;
        }
        let more = summary.counts.unparsed.saturating_sub(summary.counts.samples.len() as u64);
        if more > 0 {
            tell(&format!("note: and {more} more"));
        }
        return Ok(CLEAN);
    }
    show(&summary, told, arguments.save.as_deref(), &arguments.shown, color)
}

/// A line of a log without what a terminal would act on.
fn printable(line: &str) -> String {
    line.chars()
        .map(|letter| if letter.is_control() && letter != '\t' { '\u{fffd}' } else { letter })
        .collect()
}

fn merge(arguments: &MergeArguments, color: ColorChoice) -> Result<u8, Failure> {
    let mut sum = Summary::default();
    let mut told = Vec::new();
    for path in &arguments.files {
        let bytes = std::fs::read(path)
            .map_err(|why| Failure::input(format!("read the summary {}: {why}", path.display())))?;
        let summary = psum::decode(&bytes)
            .map_err(|why| Failure::input(format!("read the summary {}: {why}", path.display())))?;
        told.push(source::of_summary(&path.display().to_string()));
        sum.merge(summary);
    }
    show(&sum, told, arguments.save.as_deref(), &arguments.shown, color)
}

fn show(
    summary: &Summary,
    sources: Vec<LogSource>,
    save: Option<&Path>,
    shown: &ShownArguments,
    color: ColorChoice,
) -> Result<u8, Failure> {
    if let Some(path) = save {
        let bytes =
            psum::encode(summary).map_err(|why| Failure::environment(format!("write the summary: {why}")))?;
        write_bytes(path, &bytes)?;
    }
    let (colour, width) = terminal(color);
    let format = match shown.format {
        LogReportFormat::Terminal => LogFormat::Terminal(colour, width),
        LogReportFormat::Json => LogFormat::Json,
        LogReportFormat::Markdown => LogFormat::Markdown,
        LogReportFormat::Html => LogFormat::Html,
    };
    let report = report::report(summary, sources);
    let text = render_log(&report, format, shown.top);
    match &shown.output {
        Some(path) => write_file(path, &text)?,
        None => print(&text)?,
    }
    let found = limits::found(&report, shown);
    found.iter().for_each(|line| tell(line));
    Ok(if found.is_empty() { CLEAN } else { FINDINGS })
}
