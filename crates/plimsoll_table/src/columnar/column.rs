//! One column of one row group, by its type, into its place.

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;

use crate::error::{Fault, TableError};
use crate::groups::Grouping;
use crate::labels::Labels;
use crate::moment::{moment, of_days, of_seconds};
use crate::number::{not_finite, sound_weight};
use crate::table::Span;
use crate::wanted::{Role, Target};

/// Values that are read at once.
const BATCH: usize = 1 << 15;

/// Where a column's values go.
#[derive(Debug)]
pub(super) enum Place<'a> {
    Label(&'a mut [bool], Box<Labels>),
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
    Weight(&'a mut [f64]),
    Group(Grouping),
    Time(Option<Span>),
}

/// Why a column can't be read from a row on, counted from 0 in the row group.
#[derive(Debug)]
pub(super) enum Stop {
    Value(usize, Fault),
    Pages(usize, String),
}

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Flag,
    Number,
    Unsigned,
    Half,
    Text,
    Days,
    /// So many make a second.
    Ticks(i64),
    Other,
}

fn meaning(column: &ColumnDescriptor) -> Meaning {
    use ConvertedType as Converted;
    let ticks = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    };
    match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
        (Type::BOOLEAN, ..) => Meaning::Flag,
        (_, Some(LogicalType::Decimal { .. }), _) | (_, _, Converted::DECIMAL) => Meaning::Other,
        (Type::INT32, Some(LogicalType::Date), _) | (Type::INT32, _, Converted::DATE) => Meaning::Days,
        (Type::INT64, Some(LogicalType::Timestamp(time)), _) => Meaning::Ticks(ticks(&time.unit)),
        (Type::INT64, _, Converted::TIMESTAMP_MILLIS) => Meaning::Ticks(1_000),
        (Type::INT64, _, Converted::TIMESTAMP_MICROS) => Meaning::Ticks(1_000_000),
        (Type::INT32 | Type::INT64, Some(LogicalType::Time { .. }), _) => Meaning::Other,
        (Type::INT32 | Type::INT64, Some(LogicalType::Integer(kind)), _) if !kind.is_signed => {
            Meaning::Unsigned
        }
        (Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE, ..) => Meaning::Number,
        (Type::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16), _) => Meaning::Half,
        (Type::BYTE_ARRAY, ..) => Meaning::Text,
        _ => Meaning::Other,
    }
}

/// Whether scores of this column are of half width.
pub(super) fn is_narrow(column: &ColumnDescriptor) -> bool {
    column.physical_type() == Type::FLOAT || meaning(column) == Meaning::Half
}

/// Refuses a type that can't be what it is wanted as.
pub(super) fn check(column: &ColumnDescriptor, target: &Target) -> Result<(), TableError> {
    let meaning = meaning(column);
    let advice = match target.role {
        _ if column.max_rep_level() > 0 => "write one value a row",
        _ if meaning == Meaning::Other => "cast it to double, or to text",
        Role::Score(_) | Role::Weight if !is_number(meaning) => "cast it to double",
        Role::Label if matches!(meaning, Meaning::Days | Meaning::Ticks(_)) => {
            "cast it to boolean, or to text"
        }
        Role::Group if matches!(meaning, Meaning::Days | Meaning::Ticks(_)) => "cast it to text",
        Role::Time if matches!(meaning, Meaning::Flag | Meaning::Half) => "cast it to timestamp",
        _ => return Ok(()),
    };
    let logical = column.logical_type_ref().map_or_else(String::new, |logical| format!(" ({logical:?})"));
    Err(TableError::ColumnType {
        column: target.name.clone(),
        found: format!("{}{logical}", column.physical_type()),
        role: target.role.called(),
        advice,
    })
}

fn is_number(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Number | Meaning::Unsigned | Meaning::Half | Meaning::Flag)
}

/// Reads all rows of a row group.
pub(super) fn read(
    reader: ColumnReader,
    column: &ColumnDescriptor,
    rows: usize,
    place: &mut Place<'_>,
) -> Result<(), Stop> {
    let of = Column { is_optional: column.max_def_level() > 0, levels: column.max_def_level(), rows };
    let meaning = meaning(column);
    match reader {
        ColumnReader::BoolColumnReader(reader) => of.each(reader, place, |place, row, flag| match place {
            Place::Label(positive, labels) => {
                positive[row] = labels.flag(*flag, row);
                Ok(())
            }
            Place::Group(groups) => groups.push(flag.to_string().as_bytes()),
            place => number(place, row, f64::from(u8::from(*flag))),
        }),
        ColumnReader::Int32ColumnReader(reader) => {
            of.each(reader, place, |place, row, value| match meaning {
                Meaning::Days => time(place, of_days(i64::from(*value)), value),
                Meaning::Unsigned => whole(place, row, i64::from(*value as u32)),
                _ => whole(place, row, i64::from(*value)),
            })
        }
        ColumnReader::Int64ColumnReader(reader) => {
            of.each(reader, place, |place, row, value| match meaning {
                Meaning::Ticks(1_000) => time(place, value.checked_mul(1_000), value),
                Meaning::Ticks(1_000_000_000) => time(place, Some(value.div_euclid(1_000)), value),
                Meaning::Ticks(_) => time(place, Some(*value), value),
                Meaning::Unsigned if *value < 0 => number(place, row, *value as u64 as f64),
                _ => whole(place, row, *value),
            })
        }
        ColumnReader::FloatColumnReader(reader) => of.floats(reader, place),
        ColumnReader::DoubleColumnReader(reader) => of.doubles(reader, place),
        ColumnReader::ByteArrayColumnReader(reader) => of.each(reader, place, text),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => of.each(reader, place, |place, row, value| {
            let bytes = value.data().first_chunk::<2>().copied().unwrap_or_default();
            number(place, row, f64::from(f16::from_le_bytes(bytes)))
        }),
        ColumnReader::Int96ColumnReader(_) => Err(Stop::Pages(0, "INT96 isn't read".to_owned())),
    }
}

/// A whole number is the name of its group without a dot.
fn whole(place: &mut Place<'_>, row: usize, value: i64) -> Result<(), Fault> {
    match place {
        Place::Group(groups) => groups.push(value.to_string().as_bytes()),
        place => number(place, row, value as f64),
    }
}

fn number(place: &mut Place<'_>, row: usize, value: f64) -> Result<(), Fault> {
    match place {
        Place::Label(positive, labels) => positive[row] = labels.number(value, row)?,
        Place::F32(scores) => scores[row] = finite(value)? as f32,
        Place::F64(scores) => scores[row] = finite(value)?,
        Place::Weight(weights) => weights[row] = sound_weight(value)?,
        Place::Group(groups) => groups.push(value.to_string().as_bytes())?,
        Place::Time(span) => *span = Some(Span::at(of_seconds(value)?).joined_with(*span)),
    }
    Ok(())
}

fn finite(score: f64) -> Result<f64, Fault> {
    if score.is_finite() { Ok(score) } else { Err(not_finite("score", score)) }
}

fn text(place: &mut Place<'_>, row: usize, value: &ByteArray) -> Result<(), Fault> {
    let value = value.data();
    match place {
        Place::Label(positive, labels) => positive[row] = labels.text(value, row)?,
        Place::Group(groups) => groups.push(value)?,
        Place::Time(span) => *span = Some(Span::at(moment(value)?).joined_with(*span)),
        Place::F32(_) | Place::F64(_) | Place::Weight(_) => {
            return Err(Fault::NoNumber { role: "score", value: crate::error::shown(value) });
        }
    }
    Ok(())
}

/// Microseconds since 1970, where they can be told.
fn time(place: &mut Place<'_>, microseconds: Option<i64>, value: &impl ToString) -> Result<(), Fault> {
    if let Place::Time(span) = place {
        let at = microseconds.ok_or_else(|| Fault::FarTime(value.to_string()))?;
        *span = Some(Span::at(at).joined_with(*span));
    }
    Ok(())
}

fn role(place: &Place<'_>) -> &'static str {
    match place {
        Place::Label(..) => "label",
        Place::F32(_) | Place::F64(_) => "score",
        Place::Weight(_) => "weight",
        Place::Group(_) => "group",
        Place::Time(_) => "time",
    }
}

/// How a column of a row group is laid out.
#[derive(Clone, Copy)]
struct Column {
    is_optional: bool,
    /// Its definition level where there is a value.
    levels: i16,
    rows: usize,
}

impl Column {
    /// Takes value by value. A group may be null.
    fn each<D: DataType>(
        self,
        reader: ColumnReaderImpl<D>,
        place: &mut Place<'_>,
        mut take: impl FnMut(&mut Place<'_>, usize, &D::T) -> Result<(), Fault>,
    ) -> Result<(), Stop> {
        self.batches(reader, |start, values, levels| {
            if levels.is_empty() {
                return first_fault(start, values, |row, value| take(place, row, value));
            }
            let mut values = values.iter();
            for (at, level) in levels.iter().enumerate() {
                let row = start + at;
                let taken = match values.next_if_defined(*level, self.levels) {
                    Some(value) => take(place, row, value),
                    None => null(place),
                };
                taken.map_err(|fault| Stop::Value(row, fault))?;
            }
            Ok(())
        })
    }

    /// Scores of half width are copied as they are.
    fn floats(
        self,
        reader: ColumnReaderImpl<parquet::data_type::FloatType>,
        place: &mut Place<'_>,
    ) -> Result<(), Stop> {
        let Place::F32(scores) = place else {
            return self.each(reader, place, |place, row, value| number(place, row, f64::from(*value)));
        };
        self.batches(reader, |start, values, levels| {
            self.no_null(start, levels)?;
            copied(scores, start, values, |value| value.is_finite(), |value| f64::from(*value))
        })
    }

    fn doubles(
        self,
        reader: ColumnReaderImpl<parquet::data_type::DoubleType>,
        place: &mut Place<'_>,
    ) -> Result<(), Stop> {
        let Place::F64(scores) = place else {
            return self.each(reader, place, |place, row, value| number(place, row, *value));
        };
        self.batches(reader, |start, values, levels| {
            self.no_null(start, levels)?;
            copied(scores, start, values, |value| value.is_finite(), |value| *value)
        })
    }

    fn no_null(self, start: usize, levels: &[i16]) -> Result<(), Stop> {
        let null = levels.iter().position(|level| *level < self.levels);
        null.map_or(Ok(()), |at| Err(Stop::Value(start + at, Fault::Null("score"))))
    }

    fn batches<D: DataType>(
        self,
        mut reader: ColumnReaderImpl<D>,
        mut take: impl FnMut(usize, &[D::T], &[i16]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let (mut values, mut levels) = (Vec::with_capacity(BATCH), Vec::new());
        let mut start = 0;
        while start < self.rows {
            values.clear();
            levels.clear();
            let wanted = BATCH.min(self.rows - start);
            let with_levels = self.is_optional.then_some(&mut levels);
            let read = reader.read_records(wanted, with_levels, None, &mut values);
            let (records, _, _) = read.map_err(|why: ParquetError| Stop::Pages(start, why.to_string()))?;
            let told = if self.is_optional { levels.len() } else { values.len() };
            if records == 0 || told != records {
                return Err(Stop::Pages(start, "there are fewer than its footer says".to_owned()));
            }
            take(start, &values, &levels)?;
            start += records;
        }
        Ok(())
    }
}

trait NextIfDefined<'a, T> {
    fn next_if_defined(&mut self, level: i16, levels: i16) -> Option<&'a T>;
}

impl<'a, T> NextIfDefined<'a, T> for std::slice::Iter<'a, T> {
    fn next_if_defined(&mut self, level: i16, levels: i16) -> Option<&'a T> {
        if level < levels { None } else { self.next() }
    }
}

fn null(place: &mut Place<'_>) -> Result<(), Fault> {
    match place {
        Place::Group(groups) => groups.push(b""),
        place => Err(Fault::Null(role(place))),
    }
}

fn first_fault<T>(
    start: usize,
    values: &[T],
    mut take: impl FnMut(usize, &T) -> Result<(), Fault>,
) -> Result<(), Stop> {
    for (at, value) in values.iter().enumerate() {
        take(start + at, value).map_err(|fault| Stop::Value(start + at, fault))?;
    }
    Ok(())
}

fn copied<T: Copy>(
    place: &mut [T],
    start: usize,
    values: &[T],
    is_fine: impl Fn(&T) -> bool,
    wide: impl Fn(&T) -> f64,
) -> Result<(), Stop> {
    if let Some(at) = values.iter().position(|value| !is_fine(value)) {
        return Err(Stop::Value(start + at, not_finite("score", wide(&values[at]))));
    }
    place[start..start + values.len()].copy_from_slice(values);
    Ok(())
}
