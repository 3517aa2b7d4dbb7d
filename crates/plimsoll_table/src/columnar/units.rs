//! Columns of row groups, handed out to cores, and joined in the file's order.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use parquet::file::reader::{ChunkReader, FileReader as _, SerializedFileReader};

use super::column::{self, Place, Stop};
use super::guarded;
use crate::error::{self, TableError};
use crate::groups::Grouping;
use crate::kinds::{Kinds, Rule};
use crate::labels::Labels;
use crate::table::{ScoreColumn, Span, Table};
use crate::wanted::{Role, Target, Wanted};

/// A column of a row group.
struct Unit<'a> {
    group: usize,
    /// In the targets.
    target: usize,
    place: Place<'a>,
    outcome: Result<(), Stop>,
}

/// The table's columns while they are filled.
struct Columns {
    positive: Vec<bool>,
    scores: Vec<ScoreColumn>,
    weights: Vec<f64>,
}

/// Reads all rows.
pub(super) fn read<R: ChunkReader + 'static>(
    reader: &SerializedFileReader<R>,
    targets: &[Target],
    wanted: &Wanted,
) -> Result<Table, TableError> {
    let rows = rows_of_groups(reader)?;
    let all: usize = rows.iter().sum();
    if all == 0 {
        return Err(TableError::NoRows);
    }
    let mut columns = Columns::of(reader, targets, wanted, all)?;
    let mut units = columns.units(&rows, targets, wanted);
    read_all(reader, targets, &rows, &mut units);
    let (groups, span) = joined(units, &rows, targets, wanted)?;
    let Columns { positive, scores, weights } = columns;
    groups.kinds.check_named(wanted, &positive)?;
    Ok(Table {
        positive,
        scores,
        weights: wanted.weight.as_ref().map(|_| weights),
        groups: wanted.group.as_ref().map(|_| groups.grouping.finish()),
        days: span.map(Span::days),
    })
}

fn rows_of_groups<R: ChunkReader + 'static>(
    reader: &SerializedFileReader<R>,
) -> Result<Vec<usize>, TableError> {
    let groups = reader.metadata().row_groups().iter();
    let rows = groups.map(|group| usize::try_from(group.num_rows()).ok()).collect::<Option<Vec<_>>>();
    rows.ok_or_else(|| TableError::Footer { why: "a row group has a negative number of rows".to_owned() })
}

/// A column of so many zeros, if they fit into memory.
fn zeros<T: Default + Clone>(rows: usize) -> Result<Vec<T>, TableError> {
    let mut column = Vec::new();
    column.try_reserve_exact(rows).map_err(|_| TableError::TooManyRows { rows: rows as u64 })?;
    column.resize(rows, T::default());
    Ok(column)
}

impl Columns {
    fn of<R: ChunkReader + 'static>(
        reader: &SerializedFileReader<R>,
        targets: &[Target],
        wanted: &Wanted,
        rows: usize,
    ) -> Result<Self, TableError> {
        let schema = reader.metadata().file_metadata().schema_descr();
        let is_narrow = |at: usize| {
            let target = targets.iter().find(|target| target.role == Role::Score(at));
            target.is_some_and(|target| column::is_narrow(&schema.columns()[target.column]))
        };
        let score = |at: usize| match is_narrow(at) {
            true => zeros(rows).map(ScoreColumn::F32),
            false => zeros(rows).map(ScoreColumn::F64),
        };
        Ok(Self {
            positive: zeros(rows)?,
            scores: (0..wanted.scores.len()).map(score).collect::<Result<_, _>>()?,
            weights: zeros(if wanted.weight.is_some() { rows } else { 0 })?,
        })
    }

    /// In the order of the file, each with its part of the columns.
    fn units(&mut self, rows: &[usize], targets: &[Target], wanted: &Wanted) -> Vec<Unit<'_>> {
        let mut positive = self.positive.as_mut_slice();
        let mut weights = self.weights.as_mut_slice();
        let mut scores: Vec<Rest<'_>> = self.scores.iter_mut().map(Rest::of).collect();
        let mut units = Vec::with_capacity(rows.len() * targets.len());
        for (group, rows) in rows.iter().enumerate() {
            for (number, target) in targets.iter().enumerate() {
                let place = match target.role {
                    Role::Label => {
                        let labels = Box::new(Labels::new(Rule::new(wanted.positive.as_deref())));
                        Place::Label(take(&mut positive, *rows), labels)
                    }
                    Role::Score(at) => scores[at].take(*rows),
                    Role::Weight => Place::Weight(take(&mut weights, *rows)),
                    Role::Group => Place::Group(Grouping::default()),
                    Role::Time => Place::Time(None),
                };
                units.push(Unit { group, target: number, place, outcome: Ok(()) });
            }
        }
        units
    }
}

/// What is left of a column.
enum Rest<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
}

impl<'a> Rest<'a> {
    fn of(column: &'a mut ScoreColumn) -> Self {
        match column {
            ScoreColumn::F32(scores) => Self::F32(scores),
            ScoreColumn::F64(scores) => Self::F64(scores),
        }
    }

    fn take(&mut self, rows: usize) -> Place<'a> {
        match self {
            Self::F32(rest) => Place::F32(take(rest, rows)),
            Self::F64(rest) => Place::F64(take(rest, rows)),
        }
    }
}

fn take<'a, T>(rest: &mut &'a mut [T], rows: usize) -> &'a mut [T] {
    let (part, later) = std::mem::take(rest).split_at_mut(rows);
    *rest = later;
    part
}

fn read_all<R: ChunkReader + 'static>(
    reader: &SerializedFileReader<R>,
    targets: &[Target],
    rows: &[usize],
    units: &mut [Unit<'_>],
) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(units.len());
    let next = Mutex::new(units.iter_mut());
    let work = || {
        while let Some(unit) = { next.lock().unwrap_or_else(PoisonError::into_inner).next() } {
            let outcome = guarded(|| {
                read_unit(reader, &targets[unit.target], rows[unit.group], unit.group, &mut unit.place)
            });
            unit.outcome = outcome.unwrap_or_else(|()| Err(Stop::Pages(0, "its decoder gave up".to_owned())));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // One thread less is no reason to fail.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}

fn read_unit<R: ChunkReader + 'static>(
    reader: &SerializedFileReader<R>,
    target: &Target,
    rows: usize,
    group: usize,
    place: &mut Place<'_>,
) -> Result<(), Stop> {
    let schema = reader.metadata().file_metadata().schema_descr();
    let pages = |why: parquet::errors::ParquetError| Stop::Pages(0, why.to_string());
    let group = reader.get_row_group(group).map_err(pages)?;
    let values = group.get_column_reader(target.column).map_err(pages)?;
    column::read(values, &schema.columns()[target.column], rows, place)
}

/// What isn't in the columns.
#[derive(Default)]
struct Others {
    grouping: Grouping,
    kinds: Kinds,
}

/// Joins row group by row group, and tells what comes first in the file of all that is wrong.
fn joined(
    units: Vec<Unit<'_>>,
    rows: &[usize],
    targets: &[Target],
    wanted: &Wanted,
) -> Result<(Others, Option<Span>), TableError> {
    let rule = Rule::new(wanted.positive.as_deref());
    let (mut others, mut span) = (Others::default(), None::<Span>);
    let mut units = units.into_iter().peekable();
    let mut before = 0_u64;
    for (group, rows) in rows.iter().enumerate() {
        let mut first: Option<(u64, TableError)> = None;
        while let Some(unit) = units.next_if(|unit| unit.group == group) {
            if let Err(stop) = unit.outcome {
                let (row, error) = told(stop, before, &targets[unit.target]);
                if first.as_ref().is_none_or(|(earlier, _)| row < *earlier) {
                    first = Some((row, error));
                }
            }
            match unit.place {
                Place::Label(_, labels) => others.kinds.join(&labels.kinds, before),
                Place::Group(later) => others.grouping.join(&later).map_err(|_| TableError::ManyGroups)?,
                Place::Time(later) => span = later.map(|later| later.joined_with(span)).or(span),
                Place::F32(_) | Place::F64(_) | Place::Weight(_) => {}
            }
        }
        let too_many = others.kinds.one_too_many(&rule);
        match first {
            Some((row, error)) if too_many.is_none_or(|third| row < third) => return Err(error),
            _ if too_many.is_some() => return Err(others.kinds.three(&wanted.label)),
            _ => {}
        }
        before += *rows as u64;
    }
    others.kinds.check(&rule, &wanted.label)?;
    Ok((others, span))
}

fn told(stop: Stop, before: u64, target: &Target) -> (u64, TableError) {
    let column = target.name.clone();
    match stop {
        Stop::Value(row, fault) => {
            let row = before + row as u64 + 1;
            (row, TableError::Value { place: error::Place { row, line: None, column }, fault })
        }
        Stop::Pages(row, why) => {
            let row = before + row as u64 + 1;
            (row, TableError::Pages { row, column, why })
        }
    }
}
