//! A baseline to text.

use std::fmt::Write as _;

use super::{FORMAT_VERSION, HEAD, escaped};
use crate::record::{Baseline, Facts, Outcome, RecordedQuery, ResultHash, Run};
use crate::shape::Shape;

/// The text of a baseline.
#[must_use]
pub fn write(baseline: &Baseline) -> String {
    let mut text = format!(
        "{HEAD}{FORMAT_VERSION}. `plimsoll regress record` writes it: to be reviewed, not to be edited.\n"
    );
    line(&mut text, format_args!("server {}", baseline.server));
    for (name, value) in &baseline.settings {
        line(&mut text, format_args!("setting {} = {}", escaped(name), escaped(value)));
    }
    for (name, query) in &baseline.queries {
        text.push('\n');
        line(&mut text, format_args!("query {}", escaped(name)));
        write_query(&mut text, query);
    }
    text
}

/// Writing to a String can't fail.
fn line(text: &mut String, arguments: std::fmt::Arguments) {
    writeln!(text, "{arguments}").unwrap_or_default();
}

fn write_query(text: &mut String, query: &RecordedQuery) {
    line(text, format_args!("text {}", query.text));
    write_facts(text, &query.facts);
    for (name, outcome) in &query.sets {
        line(text, format_args!("set {}", escaped(name)));
        match outcome {
            Outcome::Ran(run) => write_run(text, run),
            Outcome::Failed(failed) => {
                line(text, format_args!("failed {} {}", escaped(&failed.sqlstate), escaped(&failed.message)));
            }
        }
    }
}

fn write_facts(text: &mut String, facts: &Facts) {
    for (name, relation) in &facts.relations {
        let (rows, pages) = (rounded(relation.rows), rounded(relation.pages));
        line(text, format_args!("relation {}: {rows} rows, {pages} pages", escaped(name)));
    }
    for (name, column) in &facts.columns {
        let mut told = escaped(&column.data_type);
        if let Some(collation) = &column.collation {
            let _ = write!(told, ", collation {}", escaped(collation));
        }
        if let Some(statistics) = column.statistics {
            let _ = write!(told, ", statistics {statistics}");
        }
        line(text, format_args!("column {}: {told}", escaped(name)));
    }
    for (name, definition) in &facts.indexes {
        line(text, format_args!("index {}: {}", escaped(name), escaped(definition)));
    }
}

fn write_run(text: &mut String, run: &Run) {
    let hash = match &run.result.hash {
        Some(ResultHash::Ordered { in_order, as_a_set }) => format!(", ordered, {in_order}, {as_a_set}"),
        Some(ResultHash::Unordered(hash)) => format!(", {hash}"),
        None => String::new(),
    };
    line(text, format_args!("result {} rows{hash}", run.result.rows));
    line(text, format_args!("shared {} hit, {} read", run.shared_hit, run.shared_read));
    if run.temp() > 0 {
        line(text, format_args!("temp {} read, {} written", run.temp_read, run.temp_written));
    }
    if run.wal.records > 0 {
        let wal = run.wal;
        line(
            text,
            format_args!("wal {} records, {} images, {} bytes", wal.records, wal.full_page_images, wal.bytes),
        );
    }
    line(text, format_args!("read {} rows", run.rows_read));
    line(text, format_args!("cost {:.2}", run.cost));
    write_shape(text, &run.plan, 0);
}

fn write_shape(text: &mut String, shape: &Shape, depth: usize) {
    let indent = depth * 2;
    let mut figures =
        format!("rows {}, expected {}, buffers {}", shape.rows, rounded(shape.expected), shape.buffers);
    if shape.removed > 0 {
        let _ = write!(figures, ", removed {}", shape.removed);
    }
    if shape.loops != 1 {
        let _ = write!(figures, ", loops {}", shape.loops);
    }
    line(text, format_args!("{:indent$}-> {}  ({figures})", "", escaped(&shape.label)));
    for (kind, condition) in &shape.conditions {
        line(text, format_args!("{:indent$}     {}: {}", "", escaped(kind), escaped(condition)));
    }
    for child in &shape.children {
        write_shape(text, child, depth + 1);
    }
}

/// A number to two significant digits: what an estimate is worth, and what a review should see change.
#[must_use]
pub fn rounded(number: u64) -> u64 {
    let mut unit = 1_u64;
    while number / unit >= 100 {
        unit *= 10;
    }
    (number / unit + u64::from(number % unit * 2 >= unit && unit > 1)).saturating_mul(unit)
}
