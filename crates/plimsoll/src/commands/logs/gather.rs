//! Logs and summaries read into one summary.

use std::path::PathBuf;

use plimsoll_core::logs::LogSource;
use plimsoll_logs::{Scan, Summary};

use super::source::{self, Content, Source};
use super::{files, twice};
use crate::exit::Failure;
use crate::logs_args::InputArguments;
use crate::output::tell;

/// What was read.
pub(super) struct Gathered {
    pub(super) summary: Summary,
    pub(super) sources: Vec<LogSource>,
    /// Whether a compressed file was damaged or cut short.
    pub(super) is_damaged: bool,
}

/// Reads logs and summaries: files, folders and patterns.
pub(super) fn gather(files: &[PathBuf], arguments: &InputArguments) -> Result<Gathered, Failure> {
    let mut sources = files::meant(files)?
        .iter()
        .map(|path| Source::open(path, arguments))
        .collect::<Result<Vec<_>, _>>()?;
    // A server's rotated files follow each other; what has no moment stays where it was put.
    sources.sort_by_key(|source| source.first_us);
    twice::warn(&sources);
    let readers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut scan = Scan::new(readers);
    let mut summaries = Vec::new();
    let mut told = Vec::new();
    let mut is_damaged = false;
    for source in sources {
        let mut of_source = source.told();
        let Source { name, content, torn, .. } = source;
        match content {
            Content::Summary(summary) => summaries.push(*summary),
            Content::Log { format, mut input } => {
                let format = scan.read(&format, &mut input).map_err(|why| {
                    Failure::environment(format!("read {name}: {why}; nothing was written"))
                })?;
                of_source.prefixes = source::prefixes(&format);
                of_source.others = input.others();
            }
            Content::Empty => tell(&format!("note: {name} is empty")),
        }
        if let Some(why) = torn.why() {
            is_damaged = true;
            tell(&format!(
                "warning: {name} is damaged or cut short ({why}): what could be decompressed counts"
            ));
        }
        told.push(of_source);
    }
    let mut summary = scan.summary();
    summaries.into_iter().for_each(|other| summary.merge(other));
    Ok(Gathered { summary, sources: told, is_damaged })
}
