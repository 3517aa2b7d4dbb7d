//! `plimsoll logs`: what a server's log tells.

mod compressed;
mod doctor;
mod events;
mod files;
mod follow;
mod gather;
mod limits;
mod messenger;
mod position;
pub(crate) mod seen;
mod since;
mod source;
mod tail;
mod twice;
mod webhook;
mod workload;

use std::path::Path;

use plimsoll_core::logs::{LogChange, LogSource};
use plimsoll_logs::{Envelope, Summary, psum, report};
use plimsoll_report::{LogFormat, LogTextFormat, render_log, render_log_diff};

use crate::args::ColorChoice;
use crate::exit::{CLEAN, ENVIRONMENT, FINDINGS, Failure};
use crate::logs_args::{
    DiffArguments, LogReportFormat, LogTextFormatName, LogsArguments, LogsVerb, MergeArguments,
    ReadArguments, ShownArguments,
};
use crate::output::{print, tell, terminal, write_bytes, write_file};
use gather::{Gathered, gather};

pub(crate) async fn run(arguments: &LogsArguments, color: ColorChoice) -> Result<u8, Failure> {
    match &arguments.verb {
        Some(LogsVerb::Merge(arguments)) => merge(arguments, color),
        Some(LogsVerb::Diff(arguments)) => diff(arguments, color),
        Some(LogsVerb::Doctor(arguments)) => doctor::run(arguments, color).await,
        Some(LogsVerb::Workload(arguments)) => workload::write(arguments),
        Some(LogsVerb::Events(arguments)) => events::write(arguments),
        None => read(&arguments.read, color),
    }
}

fn read(arguments: &ReadArguments, color: ColorChoice) -> Result<u8, Failure> {
    if arguments.following.follow {
        return follow::run(arguments);
    }
    if let Some(position) = &arguments.position {
        return since::read(arguments, position, color);
    }
    let gathered = gather(&arguments.files, &arguments.input)?;
    if arguments.unparsed {
        return show_unparsed(&gathered.summary);
    }
    let Gathered { summary, sources, is_damaged } = gathered;
    let shown = show(&summary, sources, arguments.save.as_deref(), &arguments.shown, color)?;
    Ok(if is_damaged { ENVIRONMENT } else { shown })
}

fn show_unparsed(summary: &Summary) -> Result<u8, Failure> {
    for line in &summary.counts.samples {
        print(&format!("{}\n", printable(Envelope::inner(line))))?;
    }
    let more = summary.counts.unparsed.saturating_sub(summary.counts.samples.len() as u64);
    if more > 0 {
        tell(&format!("note: and {more} more"));
    }
    Ok(CLEAN)
}

/// A line of a log without what a terminal would act on.
fn printable(line: &str) -> String {
    line.chars()
        .map(|letter| if letter.is_control() && letter != '\t' { '\u{fffd}' } else { letter })
        .collect()
}

fn diff(arguments: &DiffArguments, color: ColorChoice) -> Result<u8, Failure> {
    let [before, after] = [&arguments.before, &arguments.after]
        .map(|path| gather(std::slice::from_ref(path), &arguments.input));
    let (before, after) = (before?, after?);
    let diff = plimsoll_logs::diff::diff(&before.summary, &after.summary, arguments.chance);
    let text = render_log_diff(&diff, text_format(arguments.format, color), arguments.top);
    match &arguments.output {
        Some(path) => write_file(path, &text)?,
        None => print(&text)?,
    }
    let is_meant = |change: &LogChange| arguments.fail_on.iter().any(|kind| kind.is(change.kind));
    let fails = diff.changes.iter().any(is_meant);
    Ok(match (before.is_damaged || after.is_damaged, fails) {
        (true, _) => ENVIRONMENT,
        (_, true) => FINDINGS,
        _ => CLEAN,
    })
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
    let report = report::report(summary, sources);
    let text = render_log(&report, format(shown.format, color), shown.top);
    match &shown.output {
        Some(path) => write_file(path, &text)?,
        None => print(&text)?,
    }
    let found = limits::found(&report, shown);
    found.iter().for_each(|line| tell(line));
    Ok(if found.is_empty() { CLEAN } else { FINDINGS })
}

fn format(format: LogReportFormat, color: ColorChoice) -> LogFormat {
    let (colour, width) = terminal(color);
    match format {
        LogReportFormat::Terminal => LogFormat::Terminal(colour, width),
        LogReportFormat::Json => LogFormat::Json,
        LogReportFormat::Markdown => LogFormat::Markdown,
        LogReportFormat::Html => LogFormat::Html,
    }
}

fn text_format(format: LogTextFormatName, color: ColorChoice) -> LogTextFormat {
    let (colour, width) = terminal(color);
    match format {
        LogTextFormatName::Terminal => LogTextFormat::Terminal(colour, width),
        LogTextFormatName::Json => LogTextFormat::Json,
        LogTextFormatName::Markdown => LogTextFormat::Markdown,
    }
}
