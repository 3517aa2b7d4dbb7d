//! Settings that decide about plans: the server's, and those with which sessions of roles and of the database begin.

use std::fmt::Write as _;
use std::path::Path;

use tokio_postgres::Client;

use super::Unrestored;
use super::error::BuildError;
use super::resolve::rows;
use crate::quoted::literal;
use crate::source::PlanSource;

/// Tries each setting, and keeps those that this server takes.
const TRY: &str = "do $$ declare setting record; begin for setting in select * from pg_temp.settings loop \
    begin perform pg_catalog.set_config(setting.name, setting.value, true); \
    exception when others then update pg_temp.settings set failure = sqlerrm where name = setting.name; end; end loop; end $$";

pub(super) async fn apply(
    client: &Client,
    source: &PlanSource,
    data: &Path,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    let failed = BuildError::statement("write the settings");
    if !source.settings.is_empty() {
        let values: Vec<String> = source
            .settings
            .iter()
            .map(|(name, value)| format!("({}, {}, null)", literal(name), literal(value)))
            .collect();
        let sql = format!(
            "begin; create temporary table settings (name text primary key, value text, failure text); \
             insert into pg_temp.settings values {}; {TRY}; commit",
            values.join(",")
        );
        client.batch_execute(&sql).await.map_err(&failed)?;
        write_settings(client, data, unrestored).await?;
        client.batch_execute("drop table pg_temp.settings").await.map_err(&failed)?;
    }
    for settings in &source.session_settings {
        let elements: Vec<String> = settings.settings.iter().map(|setting| literal(setting)).collect();
        let database = if settings.in_database {
            "(select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())"
        } else {
            "0::oid"
        };
        let role = match &settings.role {
            Some(role) => format!("(select oid from pg_catalog.pg_roles where rolname = {})", literal(role)),
            None => "0::oid".to_owned(),
        };
        // Not by ALTER ROLE: a list, such as a search path, would be quoted once more.
        let sql = format!(
            "insert into pg_catalog.pg_db_role_setting select {database}, role, array[{}]::text[] from (values ({role})) as v(role) \
             where role is not null",
            elements.join(",")
        );
        client.batch_execute(&sql).await.map_err(&failed)?;
    }
    Ok(())
}

async fn write_settings(
    client: &Client,
    data: &Path,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    let mut text = String::from("# Production's, as far as its planner looks at them.\n");
    for row in rows(client, "select name, value, failure from pg_temp.settings order by name").await? {
        let column = |column: usize| row.get(column).unwrap_or_default();
        if row.get(2).is_some() {
            unrestored.push(Unrestored { what: format!("setting {}", column(0)), why: column(2).to_owned() });
            continue;
        }
        let value = column(1).replace('\\', "\\\\").replace('\'', "''").replace('\n', "\\n");
        writeln!(text, "{} = '{value}'", column(0)).unwrap_or_default();
    }
    // The file is there, copied from the template, and belongs to the server's user.
    let path = data.join("postgresql.auto.conf");
    std::fs::write(&path, text).map_err(|why| BuildError::File { action: "write", path, why })
}
