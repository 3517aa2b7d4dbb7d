//! Copies of the state before the change, for what has to begin from it again.

use plimsoll_pg::server::PrivateServer;

use crate::exit::Failure;

/// The database as it was before the change.
pub(super) const PRISTINE: &str = "plimsoll_pristine";

/// The database as it was before the change and before its rows were loaded.
pub(super) const EMPTY: &str = "plimsoll_empty";

/// A copy that is run on and then thrown away.
const RUN_ON: &str = "plimsoll_copy";

/// Keeps a database as it is now, under a name.
pub(super) async fn keep(server: &PrivateServer, database: &str, name: &str) -> Result<(), Failure> {
    server.copy_database(database, name).await.map_err(Failure::environment)
}

/// Runs something on a fresh copy of a database.
pub(super) async fn on_copy<Answer>(
    server: &PrivateServer,
    of: &str,
    run: impl AsyncFnOnce(&str) -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    server.copy_database(of, RUN_ON).await.map_err(Failure::environment)?;
    let answer = run(RUN_ON).await?;
    server.drop_database(RUN_ON).await.map_err(Failure::environment)?;
    Ok(answer)
}

/// Gives a database back the state before the change.
pub(super) async fn restore(server: &PrivateServer, database: &str) -> Result<(), Failure> {
    server.drop_database(database).await.map_err(Failure::environment)?;
    keep(server, PRISTINE, database).await
}
