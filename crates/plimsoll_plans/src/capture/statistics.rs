//! What the server knows of columns: `pg_statistic` where the role may read it, else the view `pg_stats`, which shows the
//! columns that the role may read.

use std::fmt::Write as _;

use plimsoll_pg::catalogue::{Session, Unanswered};

use super::error::CaptureError;
use super::row::Row;
use crate::source::{ColumnStatistics, Slot, Statistics, Values};

const WHAT: &str = "statistics of columns";

/// The slots of a row of `pg_statistic`.
const SLOTS: usize = 5;
/// The columns that [`row_columns`] gives each slot.
const SLOT_COLUMNS: usize = 6;

/// Relations that a plan branch has.
const OURS: &str = "c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

pub(super) async fn read(
    session: &Session<'_>,
    left_out: &mut Vec<String>,
) -> Result<Vec<ColumnStatistics>, CaptureError> {
    let sql = format!(
        "select n.nspname, c.relname, a.attname, s.staattnum, s.stainherit, {}
         from pg_statistic s join pg_class c on c.oid = s.starelid join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = s.starelid and a.attnum = s.staattnum
         where {OURS} and not a.attisdropped order by c.oid, s.staattnum, s.stainherit",
        row_columns("s")
    );
    match session.attempt(WHAT, &sql).await {
        Ok(rows) => rows
            .iter()
            .map(|row| {
                let row = Row { what: WHAT, row };
                column(&row, statistics(&row, 5)?)
            })
            .collect(),
        Err(Unanswered::Forbidden) => {
            left_out.push(
                "this role may not read pg_statistic: columns that it may not read have no statistics, and no index expression's \
                 and, of servers before 17, no range's values are known; GRANT pg_read_all_data"
                    .to_owned(),
            );
            read_view(session).await
        }
        Err(Unanswered::Otherwise(error)) => Err(error.into()),
    }
}

fn column(row: &Row<'_>, statistics: Statistics) -> Result<ColumnStatistics, CaptureError> {
    Ok(ColumnStatistics {
        schema: row.text(0)?,
        relation: row.text(1)?,
        column: row.text(2)?,
        position: row.number(3)?,
        inherited: row.is_true(4),
        statistics,
    })
}

/// The select list that [`statistics`] reads.
pub(super) fn row_columns(alias: &str) -> String {
    let mut columns = format!("{alias}.stanullfrac, {alias}.stawidth, {alias}.stadistinct");
    for slot in 1..=SLOTS {
        // The type of an array's elements stands in its binary form alone.
        write!(
            columns,
            ", {alias}.stakind{slot}, case when {alias}.staop{slot} <> 0 then {alias}.staop{slot}::regoperator end, \
             (select quote_ident(cn.nspname) || '.' || quote_ident(collname) from pg_collation join pg_namespace cn \
             on cn.oid = collnamespace where pg_collation.oid = {alias}.stacoll{slot}), \
             {alias}.stanumbers{slot}, {alias}.stavalues{slot}, {}",
            element_type(&format!("{alias}.stavalues{slot}"))
        )
        .unwrap_or_default();
    }
    columns
}

fn element_type(array: &str) -> String {
    // A domain would check its constraints.
    format!(
        "(select format_type(coalesce(nullif(typbasetype, 0), oid), null) from pg_type where oid = ('x' || encode(substring(array_send({array}) from 9 for 4), 'hex'))::bit(32)::bigint::oid)"
    )
}

/// Reads what [`row_columns`] selects, from a column on.
pub(super) fn statistics(row: &Row<'_>, first: usize) -> Result<Statistics, CaptureError> {
    let mut slots = Vec::new();
    for slot in 0..SLOTS {
        let at = first + 3 + slot * SLOT_COLUMNS;
        let kind: i16 = row.number(at)?;
        if kind == 0 {
            continue;
        }
        let values = match (row.elements(at + 4)?, row.optional(at + 5)) {
            (Some(elements), Some(name)) => Some(Values { element_type: name.to_owned(), elements }),
            _ => None,
        };
        slots.push(Slot {
            kind,
            operator: row.optional(at + 1).map(ToOwned::to_owned),
            collation: row.optional(at + 2).map(ToOwned::to_owned),
            numbers: row.numbers(at + 3)?,
            values,
        });
    }
    Ok(Statistics {
        null_fraction: row.number(first)?,
        width: row.number(first + 1)?,
        distinct: row.number(first + 2)?,
        slots,
    })
}

/// The view's columns of values and of numbers that make a slot, by `stakind`.
const VIEW_SLOTS: [(i16, &str, &str); 5] = [
    (1, "most_common_vals", "most_common_freqs"),
    (2, "histogram_bounds", "null::real[]"),
    (3, "null::text[]", "array[correlation]"),
    (4, "most_common_elems", "most_common_elem_freqs"),
    (5, "null::text[]", "elem_count_histogram"),
];
const VIEW_SLOTS_SINCE_17: [(i16, &str, &str); 2] =
    [(6, "range_length_histogram", "array[range_empty_frac]"), (7, "range_bounds_histogram", "null::real[]")];

async fn read_view(session: &Session<'_>) -> Result<Vec<ColumnStatistics>, CaptureError> {
    let newer: &[_] = if session.major() >= 17 { &VIEW_SLOTS_SINCE_17 } else { &[] };
    let slots: Vec<_> = VIEW_SLOTS.iter().chain(newer).collect();
    let mut sql = "select s.schemaname, s.tablename, s.attname, a.attnum, s.inherited, s.null_frac, s.avg_width, s.n_distinct, \
         case when a.attcollation <> 0 then quote_ident(ln.nspname) || '.' || quote_ident(l.collname) end, \
         equal.amopopr::regoperator, less.amopopr::regoperator"
        .to_owned();
    for (_, values, numbers) in &slots {
        let of_type =
            if values.starts_with("null") { "null".to_owned() } else { element_type(&format!("s.{values}")) };
        write!(sql, ", {values}, {of_type}, {numbers}").unwrap_or_default();
    }
    write!(
        sql,
        " from pg_stats s join pg_namespace n on n.nspname = s.schemaname
         join pg_class c on c.relnamespace = n.oid and c.relname = s.tablename
         join pg_attribute a on a.attrelid = c.oid and a.attname = s.attname
         join pg_type t on t.oid = a.atttypid
         left join pg_type base on base.oid = t.typbasetype
         left join pg_collation l on l.oid = a.attcollation left join pg_namespace ln on ln.oid = l.collnamespace
         left join lateral (select case coalesce(base.typtype, t.typtype) when 'e' then 'anyenum'::regtype when 'r' then 'anyrange'::regtype
             else case when coalesce(base.typcategory, t.typcategory) = 'A' then 'anyarray'::regtype
             when coalesce(base.oid, t.oid) = 'varchar'::regtype then 'text'::regtype else coalesce(base.oid, t.oid) end end as oid) k on true
         left join pg_opclass o on o.opcmethod = 403 and o.opcdefault and o.opcintype = k.oid
         left join pg_amop equal on equal.amopfamily = o.opcfamily and equal.amoplefttype = k.oid and equal.amoprighttype = k.oid and equal.amopstrategy = 3
         left join pg_amop less on less.amopfamily = o.opcfamily and less.amoplefttype = k.oid and less.amoprighttype = k.oid and less.amopstrategy = 1
         where {OURS} order by c.oid, a.attnum, s.inherited"
    )
    .unwrap_or_default();
    let rows = session.run(WHAT, &sql).await?;
    rows.iter()
        .map(|row| {
            let row = Row { what: WHAT, row };
            let statistics = from_view(&row, slots.iter().map(|(kind, ..)| *kind))?;
            column(&row, statistics)
        })
        .collect()
}

fn from_view(row: &Row<'_>, kinds: impl Iterator<Item = i16>) -> Result<Statistics, CaptureError> {
    let mut slots = Vec::new();
    for (position, kind) in kinds.enumerate() {
        let at = 11 + 3 * position;
        let values = match (row.elements(at)?, row.optional(at + 1)) {
            (Some(elements), Some(name)) => Some(Values { element_type: name.to_owned(), elements }),
            _ => None,
        };
        // An array of one null stands for what the view doesn't have.
        let numbers = row.optional(at + 2).filter(|text| *text != "{NULL}");
        let numbers = if numbers.is_some() { row.numbers(at + 2)? } else { None };
        if values.is_none() && numbers.is_none() {
            continue;
        }
        let operator = match kind {
            1 | 4 | 5 => row.optional(9),
            2 | 3 => row.optional(10),
            _ => None,
        };
        let (operator, collation) = match kind {
            // About elements, whose operator the array's isn't.
            4 | 5 => (values.as_ref().and_then(|values| element_equality(&values.element_type)), None),
            _ => (operator.map(ToOwned::to_owned), row.optional(8).map(ToOwned::to_owned)),
        };
        slots.push(Slot { kind, operator, collation, numbers, values });
    }
    Ok(Statistics { null_fraction: row.number(5)?, width: row.number(6)?, distinct: row.number(7)?, slots })
}

/// The equality of an array's elements; the planner looks for the slot by kind alone.
fn element_equality(element_type: &str) -> Option<String> {
    match element_type {
        "character varying" => Some("=(text,text)".to_owned()),
        known if !known.contains('.') => Some(format!("=({known},{known})")),
        _ => None,
    }
}
