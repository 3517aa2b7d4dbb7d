//! Captures of a server's schema and planner statistics, and the branches that are made of them.

use std::hash::RandomState;
use std::io::Read as _;
use std::path::Path;

use plimsoll_branch::{Branch, Host, Lifetime, NewPlanBranch};
use plimsoll_pg::catalogue::{Limits, Session, Target, Variables};
use plimsoll_pg::dump_file::Form;
use plimsoll_pg::server::{StartOptions, Wanted};
use plimsoll_plans::{CaptureError, CaptureOptions, Dump, PlanSource, ValuePolicy};

use super::branch::{Workshop, failure};
use super::snapshot::limits;
use super::trunk::{now, without_password};
use crate::branch_args::{BranchCreate, CaptureArguments, CapturedValues};
use crate::exit::{CLEAN, Failure};
use crate::output::tell;

/// `plimsoll branch capture`.
pub(super) async fn capture(shop: &Workshop, arguments: &CaptureArguments) -> Result<u8, Failure> {
    let server = (arguments.url.as_deref(), limits(&arguments.server));
    let source = read(shop, server, &arguments.values, Extensions::Anything).await?;
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
    let new = NewPlanBranch {
        name: arguments.name.clone(),
        source: source(shop, arguments, of).await?,
        of: without_password(of),
        major: arguments.postgres,
        lifetime,
        port: arguments.port,
        settings: arguments.settings.clone(),
        now: now(),
    };
    plimsoll_branch::create_of_plans(&shop.state, &shop.host, &new).await.map_err(failure)
}

/// What a plan branch is made of: a capture, a dump, or a server that is captured now.
pub(super) async fn source(
    shop: &Workshop,
    arguments: &BranchCreate,
    of: &str,
) -> Result<PlanSource, Failure> {
    let path = Path::new(of);
    let values = &arguments.values;
    Ok(if is_capture(path) {
        let unfit = [
            (
                values.keep_values || !values.keep_column.is_empty(),
                "which values are kept is decided when a server is captured; leave --keep-values and --keep-column out",
            ),
            (arguments.statistics.is_some(), "a capture has its statistics; leave --statistics out"),
        ];
        if let Some((_, why)) = unfit.iter().find(|(is_so, _)| *is_so) {
            return Err(Failure::input(format!("make a plan branch of {of}: {why}")));
        }
        PlanSource::read(path).map_err(Failure::input)?
    } else if is_dump(path) {
        read_dump(shop, path, arguments).await?
    } else if arguments.statistics.is_some() {
        let why = "--statistics goes with a dump, and there is no file of this name";
        return Err(Failure::input(format!("make a plan branch of {of}: {why}")));
    } else if is_path(path) && !of.contains("://") && !of.contains('=') {
        let why = "there is no file of this name; name a capture, a dump, or a server by its URL";
        return Err(Failure::input(format!("make a plan branch of {of}: {why}")));
    } else {
        let server = (Some(of), limits(&arguments.server));
        read(shop, server, values, Extensions::Installed { major: arguments.postgres }).await?
    })
}

/// Whether a file is what `branch capture` wrote: one JSON document.
fn is_capture(path: &Path) -> bool {
    let mut first = [0; 1];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first == *b"{"
}

/// Whether a dump is meant: a folder of another kind may have the name of a database.
fn is_dump(path: &Path) -> bool {
    path.is_file() || path.is_dir() && (is_path(path) || Form::of(path).is_ok())
}

/// Whether it looks like a path rather than like the name of a database.
fn is_path(path: &Path) -> bool {
    let ends_as_dump =
        ["dump", "sql", "tar", "plans"].iter().any(|ending| path.extension() == Some(ending.as_ref()));
    path.components().nth(1).is_some() || ends_as_dump
}

/// Reads a dump's schema and statistics.
async fn read_dump(shop: &Workshop, path: &Path, arguments: &BranchCreate) -> Result<PlanSource, Failure> {
    let failed =
        |why: CaptureError| if why.is_input() { Failure::input(why) } else { Failure::environment(why) };
    let newest = shop.host.newest(Wanted::Newest).map_err(failure)?;
    let dump = Dump::read(path, arguments.statistics.as_deref(), &newest).await.map_err(failed)?;
    if let Some(major) = arguments.postgres.or(dump.major()) {
        let own = shop.host.installation(major).map_err(failure)?;
        shop.host.require_extensions(&own, dump.extensions()).map_err(failure)?;
    }
    shop.host.require_extensions(&newest, dump.extensions()).map_err(failure)?;
    let Host { environment, cache, user, .. } = &shop.host;
    let options = StartOptions::new(environment, cache.clone(), user.clone());
    dump.capture(&newest, &options, &policy(&arguments.values)).await.map_err(failed)
}

fn policy(values: &CapturedValues) -> ValuePolicy {
    if values.keep_values {
        ValuePolicy::Keep
    } else {
        ValuePolicy::Pseudonymise { key: RandomState::new(), except: values.keep_column.clone() }
    }
}

/// What is asked of extensions before a server is captured.
enum Extensions {
    /// They are installed for the plan branch's version, else the source's.
    Installed { major: Option<u32> },
    /// Nothing: the branch is made elsewhere.
    Anything,
}

/// Reads a server, and says on stderr beforehand what will be run there.
async fn read(
    shop: &Workshop,
    (url, limits): (Option<&str>, Limits),
    values: &CapturedValues,
    extensions: Extensions,
) -> Result<PlanSource, Failure> {
    let target = Target::resolve(url, &Variables::read()).map_err(Failure::input)?;
    tell(&format!(
        "reading the schema and the planner's statistics of {}: one read-only transaction and `pg_dump --schema-only`; no table's rows but \
         the ends of indexes, no lock above ACCESS SHARE",
        target.shown()
    ));
    let session = Session::begin(&target, limits).await.map_err(Failure::environment)?;
    let major = session.major();
    let names = "select extname from pg_extension order by 1";
    let names = session.run("extensions", names).await.map_err(Failure::environment)?;
    session.end().await.map_err(Failure::environment)?;
    if let Extensions::Installed { major: wanted } = extensions {
        let own = shop.host.installation(wanted.unwrap_or(major)).map_err(failure)?;
        shop.host.require_extensions(&own, names.iter().filter_map(|row| row.get(0))).map_err(failure)?;
    }
    // A newer pg_dump reads an older server.
    let binaries =
        shop.host.installation(major).or_else(|_| shop.host.newest(Wanted::Newest)).map_err(failure)?;
    let options = CaptureOptions { limits, values: policy(values) };
    plimsoll_plans::capture(&target, &binaries, &options).await.map_err(Failure::environment)
}
