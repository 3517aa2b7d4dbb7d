//! Reading a server that isn't ours: its schema by `pg_dump`, and what its planner knows by queries on the catalogue. Or
//! reading a dump, whose statistics go into a catalogue of our own for that.
//!
//! Of a server, all of it happens in read-only transactions on one snapshot, within time limits, and takes no lock above ACCESS SHARE. Values
//! are replaced by pseudonyms in memory, before anything is written. Of rows, the two ends of B-trees are all that is looked at.

mod boundaries;
mod dump;
mod error;
mod extended;
mod facts;
mod file;
mod relations;
mod row;
mod script;
mod statistics;

use std::hash::RandomState;

use plimsoll_pg::catalogue::{Limits, Session, Target};
use plimsoll_pg::server::Binaries;

pub use error::CaptureError;
pub use file::Dump;

use relations::Pages;

use crate::pseudonyms;
use crate::source::{FORMAT_VERSION, PlanSource, ValuesAre};

/// How to capture.
#[derive(Clone, Debug)]
pub struct CaptureOptions {
    /// How long the server may take.
    pub limits: Limits,
    /// What becomes of values.
    pub values: ValuePolicy,
}

/// What becomes of production's values.
#[derive(Clone, Debug)]
pub enum ValuePolicy {
    /// They are kept.
    Keep,
    /// Pseudonyms take their places.
    Pseudonymise {
        /// Decides which; it is forgotten with the capture, so that nothing leads back.
        key: RandomState,
        /// Columns whose values are kept, as `schema.table.column`.
        except: Vec<String>,
    },
}

/// Reads a server. `binaries` bring `pg_dump`, which has to be as new as the server or newer; best are those that will run the
/// plan branch.
///
/// # Errors
/// When the server can't be reached, refuses, takes too long, or when `pg_dump` fails.
pub async fn capture(
    target: &Target,
    binaries: &Binaries,
    options: &CaptureOptions,
) -> Result<PlanSource, CaptureError> {
    let session = Session::begin(target, options.limits).await?;
    dump::check_version(binaries, session.major(), target)?;
    session.run("settings", "set local timezone = 'UTC'; set local bytea_output = 'hex'").await?;
    let snapshot = session.run("snapshot", "select pg_export_snapshot()").await?;
    let snapshot = snapshot.first().and_then(|row| row.get(0)).unwrap_or_default().to_owned();
    let (schema, rest) = tokio::join!(
        dump::schema(target, binaries, &snapshot, options.limits),
        read(&session, Pages::OfFile)
    );
    let (mut source, links) = rest?;
    source.schema = schema?;
    session.end().await?;
    options.values.apply(&mut source, &links);
    Ok(source)
}

impl ValuePolicy {
    fn apply(&self, source: &mut PlanSource, links: &pseudonyms::Links) {
        if let Self::Pseudonymise { key, except } = self {
            pseudonyms::replace(source, links, key, except);
        }
    }
}

/// All but the schema, and which columns hold each other's values. A catalogue of our own has neither the rows nor the settings
/// of the server that its statistics are of.
async fn read(session: &Session<'_>, pages: Pages) -> Result<(PlanSource, pseudonyms::Links), CaptureError> {
    let is_source = pages == Pages::OfFile;
    let mut left_out = Vec::new();
    let columns = statistics::read(session, &mut left_out).await?;
    let relations = relations::read(session, &columns, pages).await?;
    let boundaries =
        if is_source { boundaries::read(session, &relations, &mut left_out).await? } else { Vec::new() };
    let server = facts::server(session).await?;
    let source = PlanSource {
        format: FORMAT_VERSION,
        server_version: server.version,
        page_bytes: server.page_bytes,
        values: ValuesAre::Kept,
        database: facts::database(session).await?,
        extensions: facts::extensions(session).await?,
        tablespaces: facts::tablespaces(session).await?,
        roles: facts::roles(session).await?,
        settings: if is_source { facts::settings(session).await? } else { Vec::new() },
        session_settings: facts::session_settings(session, &mut left_out).await?,
        schema: Vec::new(),
        extended: extended::read(session, &mut left_out).await?,
        relations,
        columns,
        boundaries,
        left_out,
    };
    let links = facts::links(session).await?;
    Ok((source, links))
}
