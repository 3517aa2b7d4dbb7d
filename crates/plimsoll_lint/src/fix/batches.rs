//! A statement that writes a whole table, as a loop that commits after each batch of keys.

use plimsoll_sql::ObjectName;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::Relation;

use super::Step;
use super::site::{Refusal, Site, because};

/// Rows of a batch: some milliseconds of work.
const BATCH: usize = 10_000;
/// Variables of the loop.
const VARIABLES: [&str; 2] = ["batch_first", "batch_last"];
/// The quotes around the loop.
const QUOTES: &str = "$batches$";

/// The column of a table's primary key, if it is one column.
pub(super) fn single_key(relation: &Relation) -> Option<&String> {
    relation.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => key.columns.first().filter(|_| key.columns.len() == 1),
        _ => None,
    })
}

/// The loop. `write` is the statement without its condition, such as `UPDATE t SET …`.
pub(super) fn in_batches(
    site: &Site,
    table: &ObjectName,
    write: &str,
    condition: Option<&str>,
) -> Result<Step, Refusal> {
    let Some(known) = site.relation(table) else { return because("the table isn't known here, nor its key") };
    let Some(key) = single_key(known) else {
        return because("batches go by a primary key of one column, which the table doesn't have");
    };
    let text = format!("{write} {}", condition.unwrap_or_default());
    let clashes = |word: &&str| known.column(word).is_some() || text.contains(word);
    if VARIABLES.iter().any(clashes) || text.contains(QUOTES) {
        return because("its words clash with those of the loop that would run it in batches");
    }
    let (key, table) = (quote_identifier(key), quote_name(table));
    let [first, last] = VARIABLES;
    let condition = condition.map(|condition| format!("({condition}) AND ")).unwrap_or_default();
    Ok(Step::outside(format!(
        "DO {QUOTES}\n\
         DECLARE\n  {first} {table}.{key}%TYPE;\n  {last} {table}.{key}%TYPE;\n\
         BEGIN\n  \
         COMMIT; -- within a transaction it fails here, before it writes\n  \
         SELECT {key} INTO {first} FROM {table} ORDER BY {key} LIMIT 1;\n  \
         WHILE {first} IS NOT NULL LOOP\n    \
         SELECT {key} INTO {last} FROM (\n      \
         SELECT {key} FROM {table} WHERE {key} >= {first} ORDER BY {key} LIMIT {BATCH}\n    \
         ) AS batch ORDER BY {key} DESC LIMIT 1;\n    \
         {write} WHERE {condition}{key} >= {first} AND {key} <= {last};\n    \
         COMMIT;\n    \
         SELECT {key} INTO {first} FROM {table} WHERE {key} > {last} ORDER BY {key} LIMIT 1;\n  \
         END LOOP;\n\
         END\n{QUOTES}"
    )))
}
