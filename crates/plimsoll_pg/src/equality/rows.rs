//! The rows of a database's tables, as sums that don't depend on their order.

use std::collections::{BTreeMap, BTreeSet};

use super::copies::{ask, quoted};
use crate::rehearse::RehearseError;
use crate::server::PrivateServer;

/// The tables, partitions and materialized views with their columns, and the sequences.
const TABLES: &str = "SELECT n.nspname, c.relname, a.attname \
    FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) \
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'";

const SEQUENCES: &str = "SELECT pg_catalog.format('%I.%I', schemaname, sequencename), last_value::text \
    FROM pg_catalog.pg_sequences";

/// The rows of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// What was left out of the comparison of a table, by its name.
    left_out: BTreeMap<String, BTreeSet<String>>,
    tables: BTreeMap<String, TableRows>,
    sequences: Vec<Vec<String>>,
}

/// The rows of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TableRows {
    count: String,
    /// Sum over the rows of each row's hash.
    whole: String,
    /// The same for each column alone.
    columns: BTreeMap<String, String>,
}

/// Rows that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsDifference {
    /// The table as SQL writes it; for a sequence the sequence.
    pub relation: String,
    /// Columns whose values differ; none where the rows differ in number, or only in how values go together.
    pub columns: Vec<String>,
    /// In words.
    pub what: String,
}

/// Reads the rows of all tables. Of the columns in `left_out`, by table, only which are NULL is read.
///
/// # Errors
/// When the server is gone.
pub async fn read_rows(
    server: &PrivateServer,
    database: &str,
    left_out: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Rows, RehearseError> {
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in ask(server, database, TABLES).await? {
        let [schema, table, column] = row.as_slice() else { continue };
        columns.entry(format!("{}.{}", quoted(schema), quoted(table))).or_default().push(column.clone());
    }
    let mut rows = Rows { left_out: left_out.clone(), ..Rows::default() };
    for (table, columns) in columns {
        let own = left_out.get(&table);
        let value = |column: &String| match own.is_some_and(|own| own.contains(column)) {
            true => format!("(t.{} IS NULL)", quoted(column)),
            false => format!("t.{}", quoted(column)),
        };
        let sum = |text: &str| {
            format!("pg_catalog.sum(pg_catalog.hashtextextended(COALESCE({text}, 'NULL'), 0)::numeric)::text")
        };
        let columns: Vec<String> = columns.into_iter().filter(|column| !column.is_empty()).collect();
        let values: Vec<String> = columns.iter().map(value).collect();
        let mut sums =
            vec!["pg_catalog.count(*)::text".to_owned(), sum(&format!("ROW({})::text", values.join(", ")))];
        sums.extend(values.iter().map(|value| sum(&format!("{value}::text"))));
        let answer = ask(server, database, &format!("SELECT {} FROM {table} AS t", sums.join(", "))).await?;
        let Some([count, whole, each @ ..]) = answer.first().map(Vec::as_slice) else { continue };
        let columns = columns.into_iter().zip(each.iter().cloned()).collect();
        rows.tables.insert(table, TableRows { count: count.clone(), whole: whole.clone(), columns });
    }
    rows.sequences = ask(server, database, SEQUENCES).await?;
    Ok(rows)
}

impl Rows {
    /// What differs, in the order of the tables' names.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<RowsDifference> {
        let mut found = Vec::new();
        for (table, first) in &self.tables {
            let Some(second) = other.tables.get(table) else { continue };
            if first == second {
                continue;
            }
            let columns: Vec<String> = first
                .columns
                .iter()
                .filter(|(column, sum)| {
                    other.tables[table].columns.get(*column).is_some_and(|two| two != *sum)
                })
                .map(|(column, _)| column.clone())
                .collect();
            let what = match (first.count == second.count, columns.is_empty()) {
                (false, _) => format!("{table} holds {} rows instead of {}", second.count, first.count),
                (true, true) => format!("the rows of {table} hold other values together"),
                (true, false) => format!("the rows of {table} differ in {}", columns.join(", ")),
            };
            let columns = if first.count == second.count { columns } else { Vec::new() };
            found.push(RowsDifference { relation: table.clone(), columns, what });
        }
        for sequence in self.sequences.iter().filter(|sequence| !other.sequences.contains(sequence)) {
            let [relation, value] = sequence.as_slice() else { continue };
            found.push(RowsDifference {
                relation: relation.clone(),
                columns: Vec::new(),
                what: format!("sequence {relation} isn't at {value}"),
            });
        }
        found
    }

    /// How many tables were compared.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// How many rows all tables hold together.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.tables.values().filter_map(|table| table.count.parse::<u64>().ok()).sum()
    }
}
