//! Statistics of relations and of columns, written into the catalogue: the same on every version, and more than the functions
//! of version 18 take (range histograms, statistics that `pg_stats` hides).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tokio_postgres::Client;

use super::Unrestored;
use super::error::{BuildError, explained};
use super::resolve::Catalogue;
use crate::array;
use crate::quoted::literal;
use crate::source::{ColumnStatistics, PlanSource, Statistics};

/// Rows of one INSERT.
const BATCH: usize = 200;
const SLOTS: usize = 5;

/// Returns what can't be inserted. It writes to `pg_statistic` alone, so that others can change the schema meanwhile.
pub(super) async fn insert(client: &Client, source: &PlanSource, catalogue: &Catalogue) -> Vec<Unrestored> {
    let mut unrestored = Vec::new();
    let mut lost = Lost::default();
    // Written batch by batch: the other connections of this thread go on meanwhile.
    for columns in source.columns.chunks(BATCH) {
        let rows: Vec<(&ColumnStatistics, String)> =
            columns.iter().filter_map(|column| Some((column, row(column, catalogue, &mut lost)?))).collect();
        let together: Vec<&str> = rows.iter().map(|(_, row)| row.as_str()).collect();
        if together.is_empty() || client.batch_execute(&insertion(&together)).await.is_ok() {
            continue;
        }
        for (column, row) in &rows {
            if let Err(error) = client.batch_execute(&insertion(&[row])).await {
                let what = format!("statistics of {}.{}.{}", column.schema, column.relation, column.column);
                unrestored.push(Unrestored { what, why: explained(&error) });
            }
        }
    }
    lost.tell(&mut unrestored);
    unrestored
}

/// A row of `pg_statistic`, where the branch has its column.
fn row(column: &ColumnStatistics, catalogue: &Catalogue, lost: &mut Lost) -> Option<String> {
    let found = catalogue.relation(&column.schema, &column.relation)?;
    // Columns of an index have no names of their own; those of a table may have moved.
    let number = if found.kind == 'i' {
        column.position
    } else {
        found.columns.iter().find(|candidate| candidate.name == column.column)?.number
    };
    let values = values(&column.statistics, catalogue, lost);
    Some(format!("({}, {number}, {}, {values})", found.oid, column.inherited))
}

fn insertion(rows: &[&str]) -> String {
    format!("insert into pg_catalog.pg_statistic values {}", rows.join(","))
}

/// Types and operators that the server of the branch doesn't know, with the number of slots that are lost for them.
#[derive(Default)]
pub(super) struct Lost(BTreeMap<String, usize>);

impl Lost {
    fn add(&mut self, what: String) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(super) fn tell(self, unrestored: &mut Vec<Unrestored>) {
        for (what, count) in self.0 {
            unrestored.push(Unrestored {
                what: format!("{count} parts of statistics"),
                why: format!("{what} isn't known to this server"),
            });
        }
    }
}

/// All columns of `pg_statistic` but its key, as SQL.
pub(super) fn values(statistics: &Statistics, catalogue: &Catalogue, lost: &mut Lost) -> String {
    let mut sql = format!("{}, {}, {}", statistics.null_fraction, statistics.width, statistics.distinct);
    let mut columns: [Vec<String>; 5] = Default::default();
    for slot in &statistics.slots {
        let operator = match &slot.operator {
            Some(name) => match catalogue.operator(name) {
                Some(number) => number,
                None => {
                    lost.add(format!("operator {name}"));
                    continue;
                }
            },
            None => 0,
        };
        let values = match &slot.values {
            Some(values) => match catalogue.type_number(&values.element_type) {
                Some(number) => {
                    let text = literal(&array::format(values.elements.iter().map(String::as_str)));
                    format!("array_in({text}, {number}, -1)")
                }
                None => {
                    lost.add(format!("type {}", values.element_type));
                    continue;
                }
            },
            None => "null".to_owned(),
        };
        let numbers = slot.numbers.as_ref().map_or_else(
            || "null::real[]".to_owned(),
            |numbers| {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                format!("'{{{}}}'::real[]", numbers.join(","))
            },
        );
        let collation = slot.collation.as_ref().map_or(0, |name| catalogue.collation(name));
        let row = [slot.kind.to_string(), operator.to_string(), collation.to_string(), numbers, values];
        for (column, value) in columns.iter_mut().zip(row) {
            if column.len() < SLOTS {
                column.push(value);
            }
        }
    }
    for (mut column, empty) in columns.into_iter().zip(["0", "0", "0", "null::real[]", "null"]) {
        column.resize(SLOTS, empty.to_owned());
        write!(sql, ", {}", column.join(", ")).unwrap_or_default();
    }
    sql
}

/// Writes what the catalogue has of relations' sizes.
pub(super) async fn set_sizes(
    client: &Client,
    source: &PlanSource,
    catalogue: &Catalogue,
) -> Result<(), BuildError> {
    let mut rows = Vec::new();
    for relation in &source.relations {
        if let Some(found) = catalogue.relation(&relation.schema, &relation.name) {
            rows.push(format!(
                "({}::oid, {}, {}::real, {})",
                found.oid, relation.relpages, relation.reltuples, relation.relallvisible
            ));
        }
    }
    for batch in rows.chunks(1_000) {
        let sql = format!(
            "update pg_catalog.pg_class c set relpages = v.pages, reltuples = v.tuples, relallvisible = v.visible \
             from (values {}) as v(oid, pages, tuples, visible) where c.oid = v.oid",
            batch.join(",")
        );
        client.batch_execute(&sql).await.map_err(BuildError::statement("write the sizes of relations"))?;
    }
    Ok(())
}
