//! What the page's script works on: compact JSON, in which each text stands once.

use std::collections::HashMap;

use plimsoll_core::logs::{LogQuery, LogReport};
use serde_json::{Value, json};

use super::charts::charts;
use super::sheet::{Cell, Kind, Row, Sheet};
use super::trend::encoded;
use crate::html::{shown, within_script};

/// Texts by number.
#[derive(Default)]
struct Texts {
    numbers: HashMap<String, usize>,
    texts: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: String) -> Value {
        if let Some(number) = self.numbers.get(&text) {
            return json!(number);
        }
        let number = self.texts.len();
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        json!(number)
    }
}

/// The JSON, safe within a `script` element.
pub(super) fn data(report: &LogReport, sheets: &[Sheet<'_>]) -> String {
    let mut texts = Texts::default();
    let sheets: Vec<Value> = sheets.iter().map(|one| sheet(one, &mut texts)).collect();
    let queries: Vec<Value> = report.queries.iter().map(|one| query(one, &mut texts)).collect();
    let value = json!({
        "charts": charts(report),
        "queries": queries,
        "range": [report.first, report.last],
        "sheets": sheets,
        "texts": texts.texts,
    });
    within_script(&value.to_string())
}

fn sheet(sheet: &Sheet<'_>, texts: &mut Texts) -> Value {
    let columns: Vec<Value> =
        sheet.columns.iter().map(|(title, kind)| json!([title, kind.letter()])).collect();
    let mut rows = Vec::with_capacity(sheet.rows.len());
    let mut trends = Vec::new();
    for row in &sheet.rows {
        rows.push(cells(sheet, row, texts));
        trends.extend(row.trend.map(encoded));
    }
    json!({ "id": sheet.id, "columns": columns, "rows": rows, "trends": trends })
}

fn cells(sheet: &Sheet<'_>, row: &Row<'_>, texts: &mut Texts) -> Value {
    let cells = sheet.columns.iter().zip(&row.cells);
    cells.map(|((_, kind), cell)| of_cell(*kind, cell, texts)).collect()
}

fn of_cell(kind: Kind, cell: &Cell, texts: &mut Texts) -> Value {
    match cell {
        Cell::Number(value) => {
            number(*value, if kind == Kind::Share || kind == Kind::Chance { 1e6 } else { 1e3 })
        }
        Cell::Text(text) => texts.number(text.clone()),
        Cell::Texts(several) => several.iter().map(|text| texts.number(text.clone())).collect(),
        Cell::Untold => Value::Null,
    }
}

/// A number without digits that nobody reads, and whole if it is.
fn number(value: f64, precision: f64) -> Value {
    let rounded = (value * precision).round() / precision;
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 { json!(rounded as i64) } else { json!(rounded) }
}

/// What the tables don't have of a query, in their order: fingerprint, timed calls, who ran it, the plan.
fn query(query: &LogQuery, texts: &mut Texts) -> Value {
    let streams: Vec<Value> = query
        .streams
        .iter()
        .map(|one| {
            let names = [&one.application, &one.user, &one.database, &one.host, &one.route];
            let mut cells: Vec<Value> = vec![json!(one.calls), number(one.total_ms, 1e3)];
            cells.extend(
                names.map(|name| if name.is_empty() { Value::Null } else { texts.number(shown(name)) }),
            );
            Value::Array(cells)
        })
        .collect();
    let plan = query
        .plan
        .as_ref()
        .map(|plan| json!([number(plan.duration_ms, 1e3), texts.number(shown(&plan.text))]));
    json!([query.fingerprint, query.figures.timed, streams, plan])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([number(2.0, 1e3), number(1.0 / 3.0, 1e3)].map(|one| one.to_string()), ["2", "0.333"]);
    }
}
