//! The table of cases, from a file or standard input.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use plimsoll_table::{Format, Table, TableError, Wanted, read_parquet, read_parquet_bytes, read_text};

use crate::evaluate_args::{ColumnArguments, OutputArguments, TableFormatName};
use crate::exit::Failure;

/// How a table is called in reports.
pub(super) fn name(file: &Path) -> String {
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

/// Refuses to write over the table itself.
pub(super) fn check_outputs(file: &Path, outputs: &OutputArguments) -> Result<(), Failure> {
    let Ok(table) = std::fs::canonicalize(file) else { return Ok(()) };
    let written = [&outputs.output, &outputs.svg, &outputs.png].into_iter().flatten();
    let is_table =
        |path: &&PathBuf| path.is_file() && std::fs::canonicalize(path).is_ok_and(|path| path == table);
    match written.into_iter().find(is_table) {
        Some(path) => Err(Failure::input(format!(
            "write {}: it is the table that is read; name another file",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// How a compressed file begins, and what it is compressed by.
const COMPRESSED: [(&[u8], &str, &str); 4] = [
    (b"\x1f\x8b", "gzip", "zcat"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstdcat"),
    (b"\xfd7zXZ", "xz", "xzcat"),
    (b"BZh", "bzip2", "bzcat"),
];

/// The columns that were asked for.
pub(super) fn table(file: &Path, columns: &ColumnArguments) -> Result<Table, Failure> {
    let wanted = wanted(columns)?;
    let failed = |why: &dyn std::fmt::Display| Failure::input(format!("read {}: {why}", name(file)));
    let known = columns.input_format.map(format).or_else(|| Format::of_name(file));
    if known == Some(Format::Parquet) && !is_standard_input(file) {
        let opened = File::open(file).map_err(|why| failed(&why))?;
        return read_parquet(opened, &wanted).map_err(|why| failed(&why));
    }
    let bytes = bytes(file).map_err(|why| failed(&why))?;
    if let Some((_, by, tool)) = COMPRESSED.iter().find(|(mark, ..)| bytes.starts_with(mark)) {
        let name = name(file);
        return Err(Failure::input(format!(
            "read {name}: it is compressed by {by}; read it by `{tool} FILE | plimsoll evaluate - …`"
        )));
    }
    let read: Result<Table, TableError> = match known.unwrap_or_else(|| Format::sniff(&bytes)) {
        Format::Parquet => read_parquet_bytes(bytes, &wanted),
        format => read_text(&bytes, format, &wanted),
    };
    read.map_err(|why| failed(&why))
}

fn bytes(file: &Path) -> std::io::Result<Vec<u8>> {
    if !is_standard_input(file) {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn format(name: TableFormatName) -> Format {
    match name {
        TableFormatName::Csv => Format::Csv,
        TableFormatName::Tsv => Format::Tsv,
        TableFormatName::Jsonl => Format::JsonLines,
        TableFormatName::Parquet => Format::Parquet,
    }
}

fn wanted(columns: &ColumnArguments) -> Result<Wanted, Failure> {
    for (place, name) in columns.score.iter().enumerate() {
        if columns.score[..place].contains(name) {
            return Err(Failure::input(format!("compare detectors: --score names column {name:?} twice")));
        }
    }
    Ok(Wanted {
        label: columns.label.clone().unwrap_or_default(),
        positive: columns.positive.clone(),
        scores: columns.score.clone(),
        weight: columns.weight.clone(),
        group: columns.group.clone(),
        time: columns.time.clone(),
    })
}
