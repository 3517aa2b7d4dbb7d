//! Extended statistics. The server takes their parts from nobody but ANALYZE; casts without a function let bytes in, for as long
//! as it takes.

use tokio_postgres::Client;

use super::Unrestored;
use super::error::{BuildError, explained};
use super::resolve::{Catalogue, rows};
use super::statistics::{Lost, values};
use crate::extended_bytes::{write_dependencies, write_distinct};
use crate::quoted::{literal, qualified};
use crate::source::{Attribute, ExtendedStatistics, PlanSource};

const TYPES: [&str; 3] = ["pg_ndistinct", "pg_dependencies", "pg_mcv_list"];

pub(super) async fn insert(
    client: &Client,
    source: &PlanSource,
    catalogue: &Catalogue,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    if source.extended.is_empty() {
        return Ok(());
    }
    let casts = |sql: fn(&str) -> String| TYPES.map(sql).join(";");
    client
        .batch_execute(&casts(|name| format!("create cast (bytea as pg_catalog.{name}) without function")))
        .await
        .map_err(BuildError::statement("prepare the extended statistics"))?;
    let mut lost = Lost::default();
    for extended in &source.extended {
        if let Err(why) = insert_one(client, extended, catalogue, &mut lost).await? {
            unrestored.push(Unrestored {
                what: format!("extended statistics {}.{}", extended.schema, extended.name),
                why,
            });
        }
    }
    lost.tell(unrestored);
    client
        .batch_execute(&casts(|name| format!("drop cast (bytea as pg_catalog.{name})")))
        .await
        .map_err(BuildError::statement("end the extended statistics"))
}

async fn insert_one(
    client: &Client,
    extended: &ExtendedStatistics,
    catalogue: &Catalogue,
    lost: &mut Lost,
) -> Result<Result<(), String>, BuildError> {
    let sql = format!(
        "select s.oid, n.nspname, c.relname from pg_statistic_ext s join pg_class c on c.oid = s.stxrelid \
         join pg_namespace n on n.oid = c.relnamespace join pg_namespace sn on sn.oid = s.stxnamespace \
         where sn.nspname = {} and s.stxname = {}",
        literal(&extended.schema),
        literal(&extended.name)
    );
    let found = rows(client, &sql).await?;
    let Some(row) = found.first() else { return Ok(Err("it isn't there".to_owned())) };
    let text = |column: usize| row.get(column).unwrap_or_default();
    let Some(table) = catalogue.relation(text(1), text(2)) else {
        return Ok(Err(format!("table {} isn't there", qualified(text(1), text(2)))));
    };
    let number = |attribute: &Attribute| match attribute {
        Attribute::Expression(position) => Some(-position),
        Attribute::Column(name) => {
            table.columns.iter().find(|column| column.name == *name).map(|column| column.number)
        }
    };
    let numbered = |items: &[(Vec<Attribute>, f64)]| {
        let item = |(attributes, value): &(Vec<Attribute>, f64)| {
            Some((attributes.iter().map(number).collect::<Option<Vec<_>>>()?, *value))
        };
        items.iter().map(item).collect::<Option<Vec<_>>>()
    };
    let (Some(distinct), Some(dependencies)) =
        (numbered(&extended.distinct), numbered(&extended.dependencies))
    else {
        return Ok(Err("one of its columns isn't there".to_owned()));
    };
    let bytes = |hex: Option<String>, name: &str| {
        hex.map_or_else(|| "null".to_owned(), |hex| format!("decode('{hex}', 'hex')::pg_catalog.{name}"))
    };
    let expressions: Vec<String> = extended
        .expressions
        .iter()
        .map(|statistics| {
            format!("row(0, 0, false, {})::pg_catalog.pg_statistic", values(statistics, catalogue, lost))
        })
        .collect();
    let expressions =
        if expressions.is_empty() { "null".to_owned() } else { format!("array[{}]", expressions.join(",")) };
    let is_hex = |hex: &&String| hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    let sql = format!(
        "insert into pg_catalog.pg_statistic_ext_data (stxoid, stxdinherit, stxdndistinct, stxddependencies, stxdmcv, stxdexpr) \
         values ({}, {}, {}, {}, {}, {expressions})",
        text(0),
        extended.inherited,
        bytes((!distinct.is_empty()).then(|| write_distinct(&distinct)), TYPES[0]),
        bytes((!dependencies.is_empty()).then(|| write_dependencies(&dependencies)), TYPES[1]),
        bytes(extended.most_common.as_ref().filter(is_hex).cloned(), TYPES[2]),
    );
    Ok(client.batch_execute(&sql).await.map_err(|error| explained(&error)))
}
