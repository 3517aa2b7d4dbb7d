//! Captures of a server's schema and planner statistics, and the branches that are made of them.

use std::hash::RandomState;
use std::path::Path;

use plimsoll_branch::{Branch, Lifetime, NewPlanBranch};
use plimsoll_pg::catalogue::{Limits, Session, Target, Variables};
use plimsoll_pg::server::Wanted;
use plimsoll_plans::{CaptureOptions, PlanSource, ValuePolicy};

use super::branch::{Workshop, failure};
use super::snapshot::limits;
use super::trunk::{now, without_password};
use crate::branch_args::{BranchCreate, CaptureArguments, CapturedValues};
use crate::exit::{CLEAN, Failure};
use crate::output::tell;

/// `plimsoll branch capture`.
pub(super) async fn capture(shop: &Workshop, arguments: &CaptureArguments) -> Result<u8, Failure> {
    let source = read(shop, arguments.url.as_deref(), limits(&arguments.server), &arguments.values).await?;
    source.write(&arguments.output).map_err(Failure::environment)?;
    for left in &source.left_out {
        tell(&format!("note: {left}"));
    }
    tell(&format!("wrote {}", arguments.output.display()));
    Ok(CLEAN)
}

/// Makes the branch that `--plans-of` asks for.
pub(super) async fn create(
    shop: &Workshop,
    arguments: &BranchCreate,
    of: &str,
    lifetime: Lifetime,
) -> Result<Branch, Failure> {
    let path = Path::new(of);
    let source = if path.is_file() {
        if arguments.values.keep_values || !arguments.values.keep_column.is_empty() {
            let why = "which values are kept is decided when a server is captured; leave --keep-values and --keep-column out";
            return Err(Failure::input(format!("make a plan branch of {of}: {why}")));
        }
        PlanSource::read(path).map_err(Failure::input)?
    } else {
        read(shop, Some(of), limits(&arguments.server), &arguments.values).await?
    };
    let new = NewPlanBranch {
        name: arguments.name.clone(),
        source,
        of: without_password(of),
        major: arguments.postgres,
        lifetime,
        port: arguments.port,
        settings: arguments.settings.clone(),
        now: now(),
    };
    plimsoll_branch::create_of_plans(&shop.state, &shop.host, &new).await.map_err(failure)
}

/// Reads a server, and says on stderr beforehand what will be run there.
async fn read(
    shop: &Workshop,
    url: Option<&str>,
    limits: Limits,
    values: &CapturedValues,
) -> Result<PlanSource, Failure> {
    let target = Target::resolve(url, &Variables::read()).map_err(Failure::input)?;
    tell(&format!(
        "reading the schema and the planner's statistics of {}: one read-only transaction and `pg_dump --schema-only`; no table's rows but \
         the ends of indexes, no lock above ACCESS SHARE",
        target.shown()
    ));
    let session = Session::begin(&target, limits).await.map_err(Failure::environment)?;
    let major = session.major();
    session.end().await.map_err(Failure::environment)?;
    // A newer pg_dump reads an older server.
    let binaries =
        shop.host.installation(major).or_else(|_| shop.host.newest(Wanted::Newest)).map_err(failure)?;
    let values = if values.keep_values {
        ValuePolicy::Keep
    } else {
        ValuePolicy::Pseudonymise { key: RandomState::new(), except: values.keep_column.clone() }
    };
    let options = CaptureOptions { limits, values };
    plimsoll_plans::capture(&target, &binaries, &options).await.map_err(Failure::environment)
}
