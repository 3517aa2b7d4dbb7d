//! `plimsoll logs events`: what logs tell, as a Parquet file.

use std::io::{BufWriter, Write};

use plimsoll_core::units::plural;
use plimsoll_events::EventWriter;
use plimsoll_logs::each_record;

use super::files;
use super::source::{Content, Source};
use crate::exit::{CLEAN, ENVIRONMENT, Failure};
use crate::logs_args::EventsArguments;
use crate::output::tell;

pub(super) fn write(arguments: &EventsArguments) -> Result<u8, Failure> {
    let mut sources = files::meant(&arguments.files)?
        .iter()
        .map(|path| Source::open(path, &arguments.input))
        .collect::<Result<Vec<_>, _>>()?;
    sources.sort_by_key(|source| source.first_us);
    let shown = arguments.output.display();
    let failed = |why: &dyn std::fmt::Display| Failure::environment(format!("write {shown}: {why}"));
    let folder = arguments.output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = tempfile::NamedTempFile::new_in(folder.unwrap_or_else(|| std::path::Path::new(".")))
        .map_err(|why| failed(&why))?;
    let mut writer = EventWriter::new(BufWriter::new(file.as_file())).map_err(|why| failed(&why))?;
    let mut is_damaged = false;
    for source in sources {
        is_damaged |= add(source, &mut writer, &failed)?;
    }
    let rows = writer.end().map_err(|why| failed(&why))?;
    file.persist(&arguments.output).map_err(|why| failed(&why.error))?;
    tell(&format!("{} written to {shown}.", plural(rows as usize, "event")));
    Ok(if is_damaged { ENVIRONMENT } else { CLEAN })
}

/// Adds a log's events; returns whether it was damaged.
fn add<W: Write + Send>(
    source: Source,
    writer: &mut EventWriter<W>,
    failed: &dyn Fn(&dyn std::fmt::Display) -> Failure,
) -> Result<bool, Failure> {
    let Source { name, content, torn, .. } = source;
    match content {
        Content::Log { format, mut input } => {
            let mut why_not = None;
            each_record(&format, &mut input, &mut |record| {
                if why_not.is_none() {
                    why_not = writer.add(record).err();
                }
            })
            .map_err(|why| Failure::environment(format!("read {name}: {why}; nothing was written")))?;
            if let Some(why) = why_not {
                return Err(failed(&why));
            }
        }
        Content::Summary(_) => {
            return Err(Failure::input(format!(
                "take events from {name}: a summary holds none; give the log"
            )));
        }
        Content::Empty => tell(&format!("note: {name} is empty")),
    }
    let why = torn.why();
    if let Some(why) = &why {
        tell(&format!("warning: {name} is damaged or cut short ({why}): what could be decompressed counts"));
    }
    Ok(why.is_some())
}
