//! The database, with the roles and tablespaces that its schema names.

use plimsoll_pg::server::{PrivateServer, SUPERUSER};
use tokio_postgres::Client;

use super::Unrestored;
use super::error::{BuildError, explained};
use super::resolve::rows;
use crate::quoted::{identifier, literal};
use crate::source::{Database, PlanSource};

pub(crate) async fn create(
    server: &PrivateServer,
    source: &PlanSource,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    let client = server.connect(SUPERUSER).await?;
    roles(&client, source, unrestored).await?;
    tablespaces(&client, source, unrestored).await?;
    let database = &source.database;
    if database.name == SUPERUSER {
        // It is there; sessions have to leave it before it can be made anew.
        drop(client);
        let client = server.connect("template1").await?;
        let away = "drop database postgres with (force)";
        client.batch_execute(away).await.map_err(BuildError::statement("make the database"))?;
        return create_database(&client, database, server.server_version().major, unrestored).await;
    }
    create_database(&client, database, server.server_version().major, unrestored).await
}

/// Drops the databases that nobody needs on a plan branch: each takes 7 MB. `template1` stays, for whoever looks after the server.
pub(super) async fn drop_others(client: &Client) -> Result<(), BuildError> {
    let failed = BuildError::statement("drop the databases that nobody needs");
    let others = "select datname from pg_database where datname in ('template0', 'postgres') and datname <> current_database()";
    client
        .batch_execute("update pg_catalog.pg_database set datistemplate = false where datname = 'template0'")
        .await
        .map_err(&failed)?;
    for row in rows(client, others).await? {
        let name = identifier(row.get(0).unwrap_or_default());
        client.batch_execute(&format!("drop database {name}")).await.map_err(&failed)?;
    }
    Ok(())
}

async fn create_database(
    client: &Client,
    database: &Database,
    major: u32,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    let start = format!(
        "create database {} template template0 encoding {}",
        identifier(&database.name),
        literal(&database.encoding)
    );
    let locale = database.locale.as_deref().unwrap_or(&database.collate);
    let c_library =
        format!(" lc_collate {} lc_ctype {}", literal(&database.collate), literal(&database.ctype));
    let wanted = match database.provider.as_str() {
        "i" => format!("{start}{c_library} locale_provider icu icu_locale {}", literal(locale)),
        "b" if major >= 17 => {
            format!("{start}{c_library} locale_provider builtin builtin_locale {}", literal(locale))
        }
        _ => format!("{start}{c_library}"),
    };
    let Err(error) = client.batch_execute(&wanted).await else { return Ok(()) };
    unrestored.push(Unrestored {
        what: format!("locale {locale}"),
        why: format!(
            "{}; C.UTF-8 is in its place, which sorts by bytes, so that conditions such as LIKE 'a%' can use indexes that they can't use in production",
            explained(&error)
        ),
    });
    let Err(_) = client.batch_execute(&format!("{start} locale 'C.UTF-8'")).await else { return Ok(()) };
    client
        .batch_execute(&format!("{start} locale 'C'"))
        .await
        .map_err(BuildError::statement("make the database"))
}

async fn roles(
    client: &Client,
    source: &PlanSource,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    let mut statements = Vec::new();
    for role in source.roles.iter().filter(|role| role.name != SUPERUSER) {
        let superuser = if role.superuser { " superuser" } else { "" };
        let bypasses = if role.bypasses_row_security { " bypassrls" } else { "" };
        statements.push(format!("create role {} login{superuser}{bypasses}", identifier(&role.name)));
    }
    for role in &source.roles {
        for group in &role.member_of {
            statements.push(format!("grant {} to {}", identifier(group), identifier(&role.name)));
        }
    }
    if statements.is_empty() || client.batch_execute(&statements.join(";")).await.is_ok() {
        return Ok(());
    }
    for statement in statements {
        if let Err(error) = client.batch_execute(&statement).await {
            unrestored.push(Unrestored { what: statement, why: explained(&error) });
        }
    }
    Ok(())
}

async fn tablespaces(
    client: &Client,
    source: &PlanSource,
    unrestored: &mut Vec<Unrestored>,
) -> Result<(), BuildError> {
    if source.tablespaces.is_empty() {
        return Ok(());
    }
    // In the data directory, so that no file of the branch lies elsewhere.
    client
        .batch_execute("set allow_in_place_tablespaces = on")
        .await
        .map_err(BuildError::statement("make the tablespaces"))?;
    for tablespace in &source.tablespaces {
        let options: Vec<String> = tablespace
            .options
            .iter()
            .filter_map(|option| option.split_once('='))
            .map(|(name, value)| format!("{} = {}", identifier(name), literal(value)))
            .collect();
        let with = if options.is_empty() { String::new() } else { format!(" with ({})", options.join(", ")) };
        let sql = format!("create tablespace {} location ''{with}", identifier(&tablespace.name));
        if let Err(error) = client.batch_execute(&sql).await {
            unrestored
                .push(Unrestored { what: format!("tablespace {}", tablespace.name), why: explained(&error) });
        }
    }
    Ok(())
}
