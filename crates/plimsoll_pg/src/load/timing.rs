//! How long each statement of the change takes when nothing else runs, and how large its relations are: what is scaled to
//! production's sizes.

use plimsoll_core::load::ChangeFailure;
use plimsoll_core::scale::{Size, Sizes};
use plimsoll_sql::Migration;

use super::change::run_change;
use super::error::LoadError;
use super::locks::ours;
use crate::rehearse::relation_sizes;
use crate::server::PrivateServer;

/// Runs the change, unwatched, and says how long each statement took, in milliseconds; and which failed. Those behind it
/// aren't run.
///
/// # Errors
/// When the server is gone.
pub async fn time_change(
    server: &PrivateServer,
    database: &str,
    migrations: &[&Migration],
) -> Result<(Vec<f64>, Option<ChangeFailure>), LoadError> {
    let mut run = run_change(server, database, migrations, None).await?;
    if run.failure.is_some() {
        run.durations.pop();
    }
    let times = run.durations.iter().map(|duration| duration.as_secs_f64() * 1000.0).collect();
    Ok((times, run.failure))
}

/// Pages and rows of every relation with rows. Rows are those that ANALYZE has counted.
///
/// # Errors
/// When the server is gone.
pub async fn sizes(server: &PrivateServer, database: &str) -> Result<Sizes, LoadError> {
    let client = server.connect(database).await?;
    match relation_sizes(&client).await {
        Ok(sizes) => Ok(sizes.into_iter().map(|(name, pages, rows)| (name, Size { pages, rows })).collect()),
        Err(error) => Err(ours(server, error).await),
    }
}
