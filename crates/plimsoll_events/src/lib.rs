//! Events of a server's log as a Parquet file: a row an event, for whoever queries with a warehouse. No row holds a literal.
//!
//! Deliberately absent: reading logs, and files.

mod columns;
mod row;

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use plimsoll_logs::Record;
use plimsoll_sql::NormalForm;

use columns::{Columns, SCHEMA};

/// Rows of a group: what is kept in memory before it is written.
const GROUP: usize = 100_000;

/// Writes events.
pub struct EventWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Columns,
    form: NormalForm,
    rows: u64,
}

impl<W: Write + Send> EventWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn new(file: W) -> Result<Self> {
        let compression = Compression::ZSTD(ZstdLevel::try_new(3)?);
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_created_by(concat!("plimsoll ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let file = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
        Ok(Self { file, columns: Columns::default(), form: NormalForm::default(), rows: 0 })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn add(&mut self, record: &Record<'_>) -> Result<()> {
        self.columns.add(&row::Row::of(record, &mut self.form));
        self.rows += 1;
        if self.columns.rows() >= GROUP {
            self.columns.write(&mut self.file)?;
        }
        Ok(())
    }

    /// Ends the file; returns how many rows it has.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn end(mut self) -> Result<u64> {
        if self.columns.rows() > 0 {
            self.columns.write(&mut self.file)?;
        }
        self.file.close()?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests;
