//! The ends of B-trees. For a value beyond a histogram's end, the planner looks into the index for the least and greatest value
//! there is; a plan branch has a row of each, so that it finds what it would find in production.

use std::time::{Duration, Instant};

use plimsoll_pg::catalogue::{Session, Unanswered};
use tokio_postgres::SimpleQueryRow;

use super::error::CaptureError;
use crate::quoted::{identifier, qualified};
use crate::source::{Boundaries, Boundary, LeadingColumn, Relation};

const WHAT: &str = "ends of indexes";
/// For one statement. The end of an index costs microseconds, but for a heap of dead rows there.
const STATEMENT_PATIENCE_MS: u32 = 1_000;
/// For all of them.
const PATIENCE: Duration = Duration::from_secs(15);
/// Tables that are asked about in one statement.
const TABLES_AT_ONCE: usize = 25;

pub(super) async fn read(
    session: &Session<'_>,
    relations: &[Relation],
    left_out: &mut Vec<String>,
) -> Result<Vec<Boundaries>, CaptureError> {
    let asked = tables(relations);
    let old = session.run(WHAT, "show statement_timeout").await?;
    let old = old.first().and_then(|row| row.get(0)).unwrap_or("0").to_owned();
    let settings = format!(
        "set local statement_timeout = {STATEMENT_PATIENCE_MS}; set local enable_seqscan = off; set local enable_bitmapscan = off; \
         set local enable_sort = off; set local max_parallel_workers_per_gather = 0"
    );
    session.run(WHAT, &settings).await?;
    let started = Instant::now();
    let mut found = Vec::new();
    let mut unknown = 0_usize;
    for together in asked.chunks(TABLES_AT_ONCE) {
        if started.elapsed() > PATIENCE {
            unknown += together.len();
            continue;
        }
        if let Some(rows) = ask(session, together).await? {
            found.extend(boundaries(together, &rows));
            continue;
        }
        for table in together {
            let rows = if started.elapsed() > PATIENCE {
                None
            } else {
                ask(session, std::slice::from_ref(table)).await?
            };
            match rows {
                Some(rows) => found.extend(boundaries(std::slice::from_ref(table), &rows)),
                None => unknown += 1,
            }
        }
    }
    session.run(WHAT, &format!("set local statement_timeout = '{old}'")).await?;
    if unknown > 0 {
        left_out.push(format!(
            "the ends of the indexes of {unknown} tables, which this role may not read or which took longer than \
             {STATEMENT_PATIENCE_MS} ms: the ends of their histograms count"
        ));
    }
    Ok(found)
}

/// A table whose columns are asked about.
struct Asked<'a> {
    schema: &'a str,
    table: &'a str,
    columns: Vec<&'a LeadingColumn>,
}

fn tables(relations: &[Relation]) -> Vec<Asked<'_>> {
    let mut asked: Vec<Asked<'_>> = relations
        .iter()
        .filter(|relation| relation.kind == 'r' && relation.pages > 0)
        .map(|relation| Asked { schema: &relation.schema, table: &relation.name, columns: Vec::new() })
        .collect();
    let by_name: std::collections::HashMap<_, _> =
        asked.iter().enumerate().map(|(at, asked)| ((asked.schema, asked.table), at)).collect();
    for relation in relations {
        let Some(index) = &relation.index else { continue };
        let Some(column) = &index.leading_column else { continue };
        if let Some(at) = by_name.get(&(relation.schema.as_str(), index.table.as_str()))
            && !asked[*at].columns.contains(&column)
        {
            asked[*at].columns.push(column);
        }
    }
    asked.retain(|asked| !asked.columns.is_empty());
    asked
}

/// `None` if the server refuses.
async fn ask(
    session: &Session<'_>,
    tables: &[Asked<'_>],
) -> Result<Option<Vec<SimpleQueryRow>>, CaptureError> {
    let mut queries = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        let name = qualified(table.schema, table.table);
        for (column_at, column) in table.columns.iter().enumerate() {
            let column = identifier(&column.name);
            let end = |direction: &str| {
                format!(
                    "(select t.{column}::text from only {name} t where t.{column} is not null order by t.{column} {direction} limit 1)"
                )
            };
            queries.push(format!("select {at}, {column_at}, {}, {}", end("asc"), end("desc")));
        }
    }
    match session.attempt(WHAT, &queries.join(" union all ")).await {
        Ok(rows) => Ok(Some(rows)),
        Err(
            Unanswered::Forbidden
            | Unanswered::Otherwise(plimsoll_pg::catalogue::CatalogueError::Query { .. }),
        ) => Ok(None),
        Err(Unanswered::Otherwise(error)) => Err(error.into()),
    }
}

fn boundaries(tables: &[Asked<'_>], rows: &[SimpleQueryRow]) -> Vec<Boundaries> {
    let mut found: Vec<Boundaries> = tables
        .iter()
        .map(|asked| Boundaries {
            schema: asked.schema.to_owned(),
            table: asked.table.to_owned(),
            columns: Vec::new(),
        })
        .collect();
    for row in rows {
        let number = |column: usize| row.get(column).and_then(|text| text.parse::<usize>().ok());
        let (Some(table), Some(column)) = (number(0), number(1)) else { continue };
        if let (Some(least), Some(greatest)) = (row.get(2), row.get(3)) {
            let LeadingColumn { name, element_type } = tables[table].columns[column].clone();
            found[table].columns.push(Boundary {
                column: name,
                element_type,
                least: least.to_owned(),
                greatest: greatest.to_owned(),
            });
        }
    }
    found.retain(|boundaries| !boundaries.columns.is_empty());
    found
}
