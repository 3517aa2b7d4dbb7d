//! Two rows a table: the least and the greatest value of each column that leads a B-tree. The planner looks there for the ends.
//!
//! They needn't be possible rows: constraints, rules and triggers are out of their way meanwhile, and what isn't null gets what
//! statistics or its type suggest.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::Unrestored;
use super::error::BuildError;
use super::resolve::{Catalogue, Found, FoundColumn, rows};
use crate::quoted::{identifier, literal, qualified};
use crate::source::{Boundary, PlanSource, Statistics};

/// Runs the statements of a table each for itself: one that fails is told and leaves nothing.
const INSERT: &str = "do $$ declare task record; begin for task in select * from pg_temp.tasks order by n loop \
    begin execute task.statement; exception when others then update pg_temp.tasks set failure = sqlerrm where n = task.n; end; \
    end loop; end $$";

pub(super) async fn insert(
    client: &Client,
    source: &PlanSource,
    catalogue: &Catalogue,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    let mut statistics = HashMap::new();
    for column in source.columns.iter().filter(|column| !column.inherited) {
        let key = (column.schema.as_str(), column.relation.as_str(), column.column.as_str());
        statistics.insert(key, &column.statistics);
    }
    let (mut tasks, mut tables) = (Vec::new(), Vec::new());
    for boundaries in &source.boundaries {
        let name = (boundaries.schema.as_str(), boundaries.table.as_str());
        let Some(found) = catalogue.relation(name.0, name.1) else { continue };
        let of = |column: &str| statistics.get(&(name.0, name.1, column)).copied();
        let first = row(found, &boundaries.columns, End::Least, of);
        let last = row(found, &boundaries.columns, End::Greatest, of);
        tables.push(found.oid.to_string());
        let mut values = vec![first];
        if values[0] != last {
            values.push(last);
        }
        for (columns, values) in values {
            tasks.push(format!(
                "({}, {}, {}, null)",
                tasks.len(),
                literal(&qualified(name.0, name.1)),
                literal(&format!(
                    "insert into {} ({columns}) overriding system value values ({values})",
                    qualified(name.0, name.1)
                ))
            ));
        }
    }
    if tasks.is_empty() {
        return Ok(());
    }
    let tables = tables.join(",");
    let sql = format!(
        "begin; set local session_replication_role = replica;
         create temporary table tasks (n int primary key, name text, statement text, failure text);
         insert into pg_temp.tasks values {};
         create temporary table unguarded as select oid, relchecks, relhasrules, relispartition from pg_catalog.pg_class
           where oid in ({tables}) and (relchecks > 0 or relhasrules or relispartition);
         update pg_catalog.pg_class set relchecks = 0, relhasrules = false, relispartition = false
           where oid in (select oid from pg_temp.unguarded);
         create temporary table unchecked as select oid, contype from pg_catalog.pg_constraint where contypid <> 0;
         update pg_catalog.pg_constraint set contype = '-' where contypid <> 0;
         {INSERT};
         update pg_catalog.pg_constraint c set contype = u.contype from pg_temp.unchecked u where u.oid = c.oid;
         update pg_catalog.pg_class c set relchecks = u.relchecks, relhasrules = u.relhasrules, relispartition = u.relispartition
           from pg_temp.unguarded u where u.oid = c.oid;
         commit",
        tasks.join(",")
    );
    client.batch_execute(&sql).await.map_err(BuildError::statement("write the ends of indexes"))?;
    let failed = "select name, failure from pg_temp.tasks where failure is not null order by n";
    for row in rows(client, failed).await? {
        unrestored.push(Unrestored {
            what: format!("the ends of the indexes of {}", row.get(0).unwrap_or_default()),
            why: row.get(1).unwrap_or_default().to_owned(),
        });
    }
    client
        .batch_execute("drop table pg_temp.tasks, pg_temp.unguarded, pg_temp.unchecked")
        .await
        .map_err(BuildError::statement("write the ends of indexes"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Least,
    Greatest,
}

/// The columns of a row and their values, as SQL.
fn row<'a>(
    table: &Found,
    boundaries: &[Boundary],
    end: End,
    statistics: impl Fn(&str) -> Option<&'a Statistics>,
) -> (String, String) {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in table.columns.iter().filter(|column| !column.is_generated) {
        let boundary = boundaries.iter().find(|boundary| boundary.column == column.name);
        let value = match (boundary, end) {
            (Some(boundary), End::Least) => literal(&boundary.least),
            (Some(boundary), End::Greatest) => literal(&boundary.greatest),
            (None, _) if column.is_not_null => {
                let known = statistics(&column.name).and_then(|statistics| known(statistics, end));
                known.map_or_else(|| invented(column), literal)
            }
            (None, _) => continue,
        };
        names.push(identifier(&column.name));
        values.push(format!("cast({value} as {})", column.type_name));
    }
    (names.join(", "), values.join(", "))
}

/// A value that statistics have.
fn known(statistics: &Statistics, end: End) -> Option<&str> {
    const MOST_COMMON: i16 = 1;
    const HISTOGRAM: i16 = 2;
    let slots = statistics.slots.iter().filter(|slot| matches!(slot.kind, MOST_COMMON | HISTOGRAM));
    let elements = &slots.max_by_key(|slot| slot.kind)?.values.as_ref()?.elements;
    match end {
        End::Least => elements.first(),
        End::Greatest => elements.last(),
    }
    .map(String::as_str)
}

/// A value that the type has.
fn invented(column: &FoundColumn) -> String {
    let value = match column.category {
        'N' | 'V' => "'0'",
        'A' => "'{}'",
        'B' => "'false'",
        'D' if column.type_name.starts_with("time ") => "'00:00'",
        'D' => "'2000-01-01'",
        'T' => "'0'",
        'I' => "'0.0.0.0'",
        'R' => "'empty'",
        'E' => return format!("pg_catalog.enum_first(null::{})::text", column.type_name),
        _ if column.type_name == "uuid" => "'00000000-0000-0000-0000-000000000000'",
        _ if column.type_name.starts_with("json") => "'null'",
        _ => "''",
    };
    value.to_owned()
}
