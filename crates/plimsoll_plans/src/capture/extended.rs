//! Extended statistics, which `pg_dump` doesn't carry before 19. They name columns by number; here they do by name.

use std::collections::HashMap;

use plimsoll_pg::catalogue::{Session, Unanswered};

use super::error::CaptureError;
use super::row::Row;
use super::statistics::{row_columns, statistics};
use crate::extended_bytes::{read_dependencies, read_distinct};
use crate::source::{Attribute, ExtendedStatistics};

const WHAT: &str = "extended statistics";

pub(super) async fn read(
    session: &Session<'_>,
    left_out: &mut Vec<String>,
) -> Result<Vec<ExtendedStatistics>, CaptureError> {
    let inherited = if session.major() >= 15 { "d.stxdinherit" } else { "false" };
    let expressions = if session.major() >= 14 { "d.stxdexpr is not null" } else { "false" };
    let sql = format!(
        "select n.nspname, s.stxname, {inherited}, encode(d.stxdndistinct::bytea, 'hex'), encode(d.stxddependencies::bytea, 'hex'), \
         encode(d.stxdmcv::bytea, 'hex'), (select json_object_agg(attnum, attname) from pg_attribute \
         where attrelid = s.stxrelid and attnum = any(s.stxkeys::int2[])), {expressions}, s.oid \
         from pg_statistic_ext s join pg_statistic_ext_data d on d.stxoid = s.oid join pg_namespace n on n.oid = s.stxnamespace \
         order by s.oid, 3"
    );
    let rows = match session.attempt(WHAT, &sql).await {
        Ok(rows) => rows,
        Err(Unanswered::Forbidden) => {
            left_out
                .push("extended statistics, which this role may not read; GRANT pg_read_all_data".to_owned());
            return Ok(Vec::new());
        }
        Err(Unanswered::Otherwise(error)) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for row in &rows {
        let row = Row { what: WHAT, row };
        let names: HashMap<i16, String> =
            row.optional(6).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let named = |items: Vec<(Vec<i16>, f64)>| {
            let attribute = |number: &i16| match number {
                ..=0 => Some(Attribute::Expression(-number)),
                _ => names.get(number).cloned().map(Attribute::Column),
            };
            let item = |(numbers, value): (Vec<i16>, f64)| {
                Some((numbers.iter().map(attribute).collect::<Option<_>>()?, value))
            };
            items.into_iter().map(item).collect::<Option<Vec<_>>>()
        };
        let unexpected = || CaptureError::Unexpected {
            what: WHAT,
            server_part: format!("{:?}", row.optional(1)),
            why: "their form isn't known".to_owned(),
        };
        let distinct = row.optional(3).map_or(Some(Vec::new()), |hex| named(read_distinct(hex)?));
        let dependencies = row.optional(4).map_or(Some(Vec::new()), |hex| named(read_dependencies(hex)?));
        let inherited = row.is_true(2);
        let mut expressions = Vec::new();
        if row.is_true(7) {
            let sql = format!(
                "select {} from pg_statistic_ext_data d, unnest(d.stxdexpr) with ordinality as e where d.stxoid = {} {} order by e.ordinality",
                row_columns("e"),
                row.text(8)?,
                if session.major() >= 15 {
                    format!("and d.stxdinherit = {inherited}")
                } else {
                    String::new()
                }
            );
            for row in session.run(WHAT, &sql).await? {
                expressions.push(statistics(&Row { what: WHAT, row: &row }, 0)?);
            }
        }
        all.push(ExtendedStatistics {
            schema: row.text(0)?,
            name: row.text(1)?,
            inherited,
            distinct: distinct.ok_or_else(unexpected)?,
            dependencies: dependencies.ok_or_else(unexpected)?,
            most_common: row.optional(5).map(ToOwned::to_owned),
            expressions,
        });
    }
    Ok(all)
}
