//! `plimsoll trunk`: takes the copies that branches are cut from.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use plimsoll_branch::masking::Required;
use plimsoll_branch::trunk::{self, Checkpoint, Supply};
use plimsoll_branch::{Moment, Name, Source, Trunk};
use plimsoll_core::units::{bytes, count};
use plimsoll_pg::catalogue::{Target, Variables};
use plimsoll_pg::server::Wanted;

use super::branch::{Talk, Workshop, ago, failure, only_for_us, table};
use super::snapshot::limits;
use crate::args::ReportArguments;
use crate::branch_args::{ListFormat, TrunkAction, TrunkArguments, TrunkCreate, TrunkHow, TrunkRefresh};
use crate::exit::{CLEAN, Failure, unless_stopped};
use crate::output::{print, tell};
use crate::private_database::{self, Rows, bring_to_state_before};
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;

pub(crate) async fn run(arguments: &TrunkArguments, config: Option<&Path>) -> Result<u8, Failure> {
    only_for_us();
    let shop = Workshop::open(config)?;
    match &arguments.action {
        TrunkAction::Create(arguments) => unless_stopped(create(&shop, arguments, config)).await,
        TrunkAction::Refresh(arguments) => unless_stopped(refresh(&shop, arguments, config)).await,
        TrunkAction::List(arguments) => list(&shop, arguments.format),
        TrunkAction::Drop { names } => {
            for name in names {
                trunk::drop_trunk(&shop.state, name).map_err(failure)?;
                tell(&format!("dropped trunk {name}"));
            }
            Ok(CLEAN)
        }
    }
}

async fn create(shop: &Workshop, arguments: &TrunkCreate, config: Option<&Path>) -> Result<u8, Failure> {
    if shop.state.trunk(&arguments.name).map_err(failure)?.is_some() {
        let taken = plimsoll_branch::BranchError::Taken { kind: "trunk", name: arguments.name.clone() };
        return Err(failure(taken));
    }
    let masking = shop.masking.masking(required(arguments.how.require_masking))?;
    let supply = match &arguments.from {
        Some(from) => supply(shop, from, &arguments.how, arguments.postgres)?,
        None => from_project(config, arguments.postgres, arguments.before.as_deref()).await?,
    };
    let trunk = trunk::create(&shop.state, &shop.host, &arguments.name, supply, &masking, now(), &Talk).await;
    report(shop, &trunk.map_err(failure)?)
}

async fn refresh(shop: &Workshop, arguments: &TrunkRefresh, config: Option<&Path>) -> Result<u8, Failure> {
    let old = shop.state.known_trunk(&arguments.name).map_err(failure)?;
    let masking = shop.masking.masking(required(arguments.how.require_masking))?;
    let major = Some(old.server.major);
    let supply = match (&arguments.from, &old.source) {
        (Some(from), _) => supply(shop, from, &arguments.how, major)?,
        (None, Source::Server { url }) => supply(shop, url, &arguments.how, major)?,
        (None, Source::DataDirectory { path }) => Supply::DataDirectory(path.clone()),
        (None, Source::Dump { path }) => {
            Supply::Dump { path: path.clone(), wanted: Wanted::Major(old.server.major) }
        }
        (None, Source::Scripts { before, .. }) => from_project(config, major, before.as_deref()).await?,
        (None, Source::Trunk { name }) => Supply::Trunk(name.clone()),
    };
    let trunk =
        trunk::refresh(&shop.state, &shop.host, &arguments.name, supply, &masking, now(), &Talk).await;
    report(shop, &trunk.map_err(failure)?)
}

/// What `--require-masking` means.
pub(super) fn required(is_typed: bool) -> Required {
    if is_typed { Required::Yes } else { Required::No }
}

/// What a source's text means.
fn supply(shop: &Workshop, from: &str, how: &TrunkHow, major: Option<u32>) -> Result<Supply, Failure> {
    let path = Path::new(from);
    if from.contains("://") || (from.contains('=') && !path.exists()) {
        let target = Target::resolve(Some(from), &Variables::read()).map_err(Failure::input)?;
        let checkpoint = if how.fast_checkpoint { Checkpoint::Fast } else { Checkpoint::Spread };
        return Ok(Supply::Server {
            address: without_password(from),
            target: Box::new(target),
            limits: limits(&how.server),
            max_rate: how.max_rate.clone(),
            checkpoint,
        });
    }
    if path.join("PG_VERSION").is_file() {
        return Ok(Supply::DataDirectory(absolute(path)?));
    }
    if path.exists() {
        let wanted = major.map_or(Wanted::Newest, Wanted::Major);
        return Ok(Supply::Dump { path: absolute(path)?, wanted });
    }
    match from.parse::<Name>() {
        Ok(name) => {
            shop.state
                .known_trunk(&name)
                .map_err(|error| Failure::input(format!("{error}; nor is there a file or folder {from}")))?;
            Ok(Supply::Trunk(name))
        }
        Err(_) => Err(Failure::input(format!(
            "find the trunk's source {from}: there is no such file or folder; a server is named by a URL such as postgres://role@host/database"
        ))),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|why| Failure::input(format!("find {}: {why}", path.display())))
}

/// The address as typed, without its password: a refresh asks PGPASSWORD and ~/.pgpass for it again.
pub(super) fn without_password(address: &str) -> String {
    if let Some((scheme, rest)) = address.split_once("://") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let kept = match authority.rsplit_once('@') {
            Some((login, host)) => format!("{}@{host}", login.split(':').next().unwrap_or_default()),
            None => authority.to_owned(),
        };
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let pairs: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("password=")).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        return format!("{scheme}://{kept}{path}{query}");
    }
    address.split_whitespace().filter(|pair| !pair.starts_with("password")).collect::<Vec<_>>().join(" ")
}

/// A private server in the state before the project's next change.
async fn from_project(
    config: Option<&Path>,
    major: Option<u32>,
    before: Option<&Path>,
) -> Result<Supply, Failure> {
    let before = before.map(absolute).transpose()?;
    let settings = Settings::load(config, major)?;
    settings.require_rehearsable()?;
    let project = match &before {
        Some(path) => Project::load(
            &settings,
            &ReportArguments { files: vec![path.clone()], ..ReportArguments::new() },
        )?,
        None => Project::load(&settings, &ReportArguments { all: true, ..ReportArguments::new() })?
            .with_all_earlier(),
    };
    project.require_runnable()?;
    let progress = Progress::new();
    let server = private_database::start(&settings, 0).await?;
    bring_to_state_before(&server, &settings.database, &project, &settings, Rows::Seeded, &progress).await?;
    drop(progress);
    let scripts = project.earlier.iter().map(|migration| PathBuf::from(migration.source.name()));
    Ok(Supply::Private {
        server: Box::new(server),
        database: settings.database.clone(),
        scripts: scripts.chain(settings.seeds.iter().cloned()).collect(),
        before,
    })
}

fn report(shop: &Workshop, trunk: &Trunk) -> Result<u8, Failure> {
    for note in &trunk.notes {
        tell(&format!("note: {note}"));
    }
    tell(&format!(
        "trunk {} (version {}): PostgreSQL {}, database {}, {} in {} files",
        trunk.name,
        trunk.version,
        trunk.server.version,
        trunk.server.database,
        bytes(trunk.bytes),
        count(trunk.files)
    ));
    let trial = shop.state.trial().map_err(failure)?;
    let best = plimsoll_branch::mechanism::best(trial.path()).kind();
    tell(&format!("branches of it are made by {best}: {}", best.cost()));
    Ok(CLEAN)
}

fn list(shop: &Workshop, format: ListFormat) -> Result<u8, Failure> {
    let trunks = shop.state.all_trunks();
    let (found, damaged): (Vec<_>, Vec<_>) = trunks.into_iter().partition(Result::is_ok);
    let found: Vec<Trunk> = found.into_iter().filter_map(Result::ok).collect();
    match format {
        ListFormat::Json => {
            let json = serde_json::json!({ "format": 1, "trunks": found });
            print(&format!("{json:#}\n"))?;
        }
        ListFormat::Terminal => {
            let rows = found.iter().map(|trunk| {
                vec![
                    trunk.name.to_string(),
                    trunk.version.to_string(),
                    trunk.server.version.clone(),
                    trunk.server.database.clone(),
                    bytes(trunk.bytes),
                    ago(trunk.taken_at, now()),
                    masked(trunk),
                    source(&trunk.source),
                ]
            });
            let head = ["TRUNK", "VERSION", "POSTGRESQL", "DATABASE", "SIZE", "TAKEN", "MASKED", "FROM"];
            print(&table(&head, rows.collect()))?;
        }
    }
    match damaged.into_iter().find_map(Result::err) {
        Some(error) => Err(failure(error)),
        None => Ok(CLEAN),
    }
}

fn masked(trunk: &Trunk) -> String {
    match (trunk.masked, trunk.masking.unmasked.len()) {
        (false, _) => "no".to_owned(),
        (true, 0) => "yes".to_owned(),
        (true, left) => format!("all but {left}"),
    }
}

fn source(source: &Source) -> String {
    match source {
        Source::Server { url } => url.clone(),
        Source::DataDirectory { path } | Source::Dump { path } => path.display().to_string(),
        Source::Scripts { paths, .. } => match &paths[..] {
            [] => "an empty database".to_owned(),
            [only] => only.display().to_string(),
            [first, .., last] => format!("{} … {}", first.display(), last.display()),
        },
        Source::Trunk { name } => format!("trunk {name}"),
    }
}

pub(crate) fn now() -> Moment {
    Moment::of(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_its_password() {
        let check = |address: &str, expected: &str| assert_eq!(without_password(address), expected);
        check(
            "postgres://me:s3:c@db:5433/shop?sslmode=disable",
            "postgres://me@db:5433/shop?sslmode=disable",
        );
        check("postgres://db/shop?password=x&user=me", "postgres://db/shop?user=me");
        check("postgres:///shop", "postgres:///shop");
        check("host=db password=x user=me", "host=db user=me");
    }
}
