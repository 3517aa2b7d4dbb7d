//! Rows kept by column until a group of them is written.

use std::io::Write;

use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use crate::row::Row;

/// The columns. Empty texts and unknown numbers are null.
pub(crate) const SCHEMA: &str = "message event {
    optional int64 time (TIMESTAMP(MICROS, true));
    optional binary severity (UTF8);
    optional binary sqlstate (UTF8);
    optional binary kind (UTF8);
    optional int32 process;
    optional binary session (UTF8);
    optional binary user (UTF8);
    optional binary database (UTF8);
    optional binary application (UTF8);
    optional binary host (UTF8);
    optional binary backend (UTF8);
    optional binary fingerprint (UTF8);
    optional binary query (UTF8);
    optional binary route (UTF8);
    optional int64 duration_us;
    optional int64 bytes;
    optional binary lock_mode (UTF8);
    optional binary lock_object (UTF8);
    optional binary message (UTF8);
}";

/// A column: its values, and for each row whether it has one.
#[derive(Default)]
struct Column<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> Column<T> {
    fn add(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Columns {
    time_us: Column<i64>,
    process: Column<i32>,
    duration_us: Column<i64>,
    bytes: Column<i64>,
    /// The texts, in the order of the schema.
    texts: [Column<ByteArray>; 15],
}

impl Columns {
    pub(crate) fn rows(&self) -> usize {
        self.time_us.levels.len()
    }

    pub(crate) fn add(&mut self, row: &Row<'_>) {
        self.time_us.add(row.time_us);
        self.process.add((row.process != 0).then_some(row.process as i32));
        self.duration_us.add(row.duration_us.map(|time| time as i64));
        self.bytes.add(row.bytes.map(|bytes| bytes as i64));
        let texts = [
            row.severity,
            row.sqlstate,
            row.kind,
            row.session,
            row.user,
            row.database,
            row.application,
            row.host,
            row.backend,
            &row.fingerprint,
            &row.query,
            &row.route,
            row.lock_mode,
            &row.lock_object,
            &row.message,
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.add((!text.is_empty()).then(|| ByteArray::from(text)));
        }
    }

    /// Writes all rows as a group, and forgets them.
    pub(crate) fn write<W: Write + Send>(&mut self, file: &mut SerializedFileWriter<W>) -> Result<()> {
        let Self { time_us, process, duration_us, bytes, texts } = std::mem::take(self);
        let mut group = file.next_row_group()?;
        let [
            severity,
            sqlstate,
            kind,
            session,
            user,
            database,
            application,
            host,
            backend,
            fingerprint,
            query,
            route,
            mode,
            object,
            message,
        ] = texts;
        numbers(&mut group, &time_us)?;
        for column in [severity, sqlstate, kind] {
            text(&mut group, &column)?;
        }
        if let Some(mut writer) = group.next_column()? {
            writer.typed::<Int32Type>().write_batch(&process.values, Some(&process.levels), None)?;
            writer.close()?;
        }
        for column in [session, user, database, application, host, backend, fingerprint, query, route] {
            text(&mut group, &column)?;
        }
        numbers(&mut group, &duration_us)?;
        numbers(&mut group, &bytes)?;
        for column in [mode, object, message] {
            text(&mut group, &column)?;
        }
        group.close()?;
        Ok(())
    }
}

fn numbers<W: Write + Send>(group: &mut SerializedRowGroupWriter<'_, W>, column: &Column<i64>) -> Result<()> {
    if let Some(mut writer) = group.next_column()? {
        writer.typed::<Int64Type>().write_batch(&column.values, Some(&column.levels), None)?;
        writer.close()?;
    }
    Ok(())
}

fn text<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column<ByteArray>,
) -> Result<()> {
    if let Some(mut writer) = group.next_column()? {
        writer.typed::<ByteArrayType>().write_batch(&column.values, Some(&column.levels), None)?;
        writer.close()?;
    }
    Ok(())
}
