//! Making the data directory of a plan branch.
//!
//! A private server loads the schema, gets the statistics, and ends; then the files of its relations get the lengths that they
//! have in production, as holes, and its B-trees their height. What production's server has and this one can't is told.

pub(crate) mod database;
mod error;
mod extended;
mod files;
mod hypothetical;
mod resolve;
mod rows;
pub(crate) mod schema;
mod settings;
mod statistics;

use std::path::Path;

use plimsoll_pg::server::{Binaries, PrivateServer, StartOptions};

pub use error::BuildError;
pub(crate) use error::explained;

use crate::source::PlanSource;

/// A plan branch that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The name of its database, which is production's.
    pub database: String,
    /// What production has and the branch has not, or has otherwise.
    pub unrestored: Vec<Unrestored>,
}

/// Something that could not be made as in production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrestored {
    /// What it is, with its name.
    pub what: String,
    /// Why not, in words.
    pub why: String,
}

/// Makes the data directory `target`, which must not exist, of a plan branch; its server is stopped.
///
/// Servers that run on it need `autovacuum = off`. Its files have holes as long as production's are: copy it by what keeps holes.
///
/// # Errors
/// When the server can't be started, or the files can't be written; nothing is left then.
pub async fn build(
    binaries: &Binaries,
    options: &StartOptions,
    source: &PlanSource,
    target: &Path,
) -> Result<Built, BuildError> {
    let server = PrivateServer::start(binaries, &self::options(options))?;
    let mut unrestored = Vec::new();
    let plan = fill(&server, source, &mut unrestored).await?;
    server.keep_data(target, &options.user)?;
    if let Err(error) = files::shape(target, &plan) {
        // What can't be removed is no worse than what was made.
        std::fs::remove_dir_all(target).ok();
        return Err(error);
    }
    Ok(Built { database: source.database.name.clone(), unrestored })
}

/// Those of a server that a schema is loaded into.
pub(crate) fn options(options: &StartOptions) -> StartOptions {
    let mut options = options.clone();
    // A batch of the schema locks all that it makes.
    options.settings.push(("max_locks_per_transaction".to_owned(), "1024".to_owned()));
    options
}

async fn fill(
    server: &PrivateServer,
    source: &PlanSource,
    unrestored: &mut Vec<Unrestored>,
) -> Result<files::Plan, BuildError> {
    check_pages(source)?;
    database::create(server, source, unrestored).await?;
    let client = server.connect(&source.database.name).await?;
    let schema = schema::Order::of(source);
    schema::prepare(&client).await?;
    unrestored.extend(schema::make(&client, &schema.relations).await);
    let catalogue = resolve::Catalogue::read(&client, source).await?;
    let other = server.connect(&source.database.name).await?;
    schema::prepare(&other).await?;
    let (rest, lost) =
        tokio::join!(schema::make(&client, &schema.rest), statistics::insert(&other, source, &catalogue));
    drop(other);
    unrestored.extend(rest.into_iter().chain(lost));
    schema::end(&client).await?;
    statistics::set_sizes(&client, source, &catalogue).await?;
    rows::insert(&client, source, &catalogue, unrestored).await?;
    extended::insert(&client, source, &catalogue, unrestored).await?;
    hypothetical::install(&client, source, &catalogue).await?;
    settings::apply(&client, source, &server.data_folder(), unrestored).await?;
    database::drop_others(&client).await?;
    files::list(&client, source, &catalogue).await
}

fn check_pages(source: &PlanSource) -> Result<(), BuildError> {
    let page_bytes = u32::try_from(crate::btree::PAGE).unwrap_or_default();
    if source.page_bytes == page_bytes {
        return Ok(());
    }
    Err(BuildError::PageBytes { page_bytes: source.page_bytes })
}
