//! A connection to a server that isn't ours.

use std::time::Duration;

use tokio_postgres::{Client, NoTls};

use super::error::CatalogueError;
use super::target::Target;
use crate::server::with_sources;

/// What a pooler says to a start-up parameter that it doesn't know.
const UNSUPPORTED_PARAMETER: &str = "unsupported startup parameter";

/// What makes every transaction of the session read-only, should one begin that doesn't say so itself.
const READ_ONLY: &str = "-c default_transaction_read_only=on";

/// Connects within a time.
pub(super) async fn connect(target: &Target, patience: Duration) -> Result<Client, CatalogueError> {
    let mut config = target.config.clone();
    config.options(read_only_options(&config));
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(patience);
    }
    let patience = config.get_connect_timeout().copied().unwrap_or(patience);
    match within(target, patience, &config).await? {
        Ok(client) => Ok(client),
        // The transaction says that it is read-only anyway.
        Err(error) if error.to_string().contains(UNSUPPORTED_PARAMETER) || is_about_options(&error) => {
            within(target, patience, &target.config).await?.map_err(|error| refused(target, &error))
        }
        Err(error) => Err(refused(target, &error)),
    }
}

/// The options given, and the one that makes the session read-only.
pub(super) fn read_only_options(config: &tokio_postgres::Config) -> String {
    config.get_options().map_or_else(|| READ_ONLY.to_owned(), |given| format!("{given} {READ_ONLY}"))
}

async fn within(
    target: &Target,
    patience: Duration,
    config: &tokio_postgres::Config,
) -> Result<Result<Client, tokio_postgres::Error>, CatalogueError> {
    let connecting = async {
        let (client, connection) = config.connect(NoTls).await?;
        // An error reaches the client's next call, which reports it.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(client)
    };
    // Every address may take that long.
    let addresses = u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1);
    tokio::time::timeout(patience * addresses, connecting).await.map_err(|_| CatalogueError::Silent {
        what: "open a connection to the server".into(),
        server: target.shown().to_owned(),
        after: patience * addresses,
    })
}

fn is_about_options(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| error.message().contains(UNSUPPORTED_PARAMETER))
}

fn refused(target: &Target, error: &tokio_postgres::Error) -> CatalogueError {
    let why = match error.as_db_error() {
        Some(error) => {
            let hint = match error.code().code() {
                "28P01" | "28000" => "; check the role, its password (PGPASSWORD, ~/.pgpass) and pg_hba.conf",
                "3D000" => "; check the database's name",
                "53300" => "; wait until other sessions end",
                _ => "",
            };
            format!("{} (SQLSTATE {}){hint}", error.message(), error.code().code())
        }
        None if error.to_string().contains("password missing")
            || with_sources(error).contains("password missing") =>
        {
            "it asks for a password: set PGPASSWORD, or write it to ~/.pgpass (mode 0600)".to_owned()
        }
        None => format!("{}; check host and port, and that the server runs", with_sources(error)),
    };
    CatalogueError::Connect { server: target.shown().to_owned(), why }
}
