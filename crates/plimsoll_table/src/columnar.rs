//! Parquet: each wanted column of each row group on whichever core is free, into its place in the table.

mod column;
mod source;
mod units;

use std::fs::File;

use bytes::Bytes;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, FileReader as _, SerializedFileReader};

use crate::error::TableError;
use crate::table::Table;
use crate::wanted::{Target, Wanted};

/// Reads a Parquet file.
///
/// # Errors
/// What is wrong with the file, or the first value in it that can't be used, with its row and column.
pub fn read_parquet(file: File, wanted: &Wanted) -> Result<Table, TableError> {
    source::check_file(&file)?;
    read(source::Shared::new(file)?, wanted)
}

/// As [`read_parquet`], from memory.
///
/// # Errors
/// As [`read_parquet`].
pub fn read_parquet_bytes(bytes: Vec<u8>, wanted: &Wanted) -> Result<Table, TableError> {
    source::check_bytes(&bytes)?;
    read(Bytes::from(bytes), wanted)
}

fn read<R: ChunkReader + 'static>(source: R, wanted: &Wanted) -> Result<Table, TableError> {
    let footer = |why: String| TableError::Footer { why };
    let reader = guarded(|| SerializedFileReader::new(source))
        .map_err(|()| footer("its decoder gave up".to_owned()))?
        .map_err(|why| footer(why.to_string()))?;
    let targets = targets(reader.metadata(), wanted)?;
    units::read(&reader, &targets, wanted)
}

/// What a decoder makes of bytes; nothing where they make it panic.
fn guarded<T>(decode: impl FnOnce() -> T) -> Result<T, ()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).map_err(|_| ())
}

/// The wanted columns. One within a group is named with dots.
fn targets(metadata: &ParquetMetaData, wanted: &Wanted) -> Result<Vec<Target>, TableError> {
    let schema = metadata.file_metadata().schema_descr();
    let header: Vec<String> = schema.columns().iter().map(|column| column.path().parts().join(".")).collect();
    let targets = wanted.find(&header)?;
    for target in &targets {
        column::check(&schema.columns()[target.column], target)?;
    }
    Ok(targets)
}

#[cfg(test)]
mod tests;
