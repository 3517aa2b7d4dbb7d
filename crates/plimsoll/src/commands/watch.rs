//! `plimsoll watch`: runs a program behind the tap, counts its queries, and finds bursts of one query.

use std::path::Path;
use std::sync::Arc;

use plimsoll_core::Report;
use plimsoll_core::traffic::Traffic;
use plimsoll_core::units::plural;
use plimsoll_pg::catalogue::{Target, Variables};
use plimsoll_pg::server::{PrivateServer, SUPERUSER};
use plimsoll_pg::tap::{PortGuard, Tap, TapOptions, Upstream};
use plimsoll_traffic::SeenQuery;
use plimsoll_traffic::findings::{N_PLUS_ONE, TOO_MANY_QUERIES, findings};

use crate::args::{ColorChoice, ReportArguments, WatchArguments, WatchFailure};
use crate::exit::{CLEAN, FINDINGS, Failure, unless_stopped};
use crate::output::{tell, write_reports};
use crate::private_database::{Rows, bring_to_state_before, start};
use crate::program;
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;
use crate::tapped::{Login, TapEnvironment, never_came};

mod counting;
mod save;

use counting::Counting;

pub(crate) async fn run(
    arguments: &WatchArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let settings = Settings::load(config, arguments.postgres)?;
    let place = save::check(arguments, &settings)?;
    let counting = Arc::new(Counting::default());
    let ground = unless_stopped(Ground::prepare(arguments, &settings)).await?;
    let tap = Tap::open(ground.options(arguments)?, Arc::clone(&counting) as _)
        .await
        .map_err(Failure::environment)?;
    let environment = TapEnvironment::new(tap.doors(), &ground.login, &arguments.variables);
    let command = program::shown(&arguments.command);
    let status = if arguments.command.is_empty() {
        wait_for_the_end(&environment).await?;
        None
    } else {
        Some(program::run(&arguments.command, |command| environment.apply(command)).await?)
    };
    // A killed client's last statements are told when its connection is seen to be gone.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let came = tap.sessions() > 0;
    drop(tap);
    let ended = counting.take();
    if let Some(status) = status
        && !came
    {
        if !status.success() {
            tell(&format!("`{command}` ended with {status} before it connected to the tap"));
            return Ok(program::code(status));
        }
        return Err(never_came(&command, &environment));
    }
    let mut notes = ended.notes;
    let saved = match place {
        Some(place) => save::save(&place, &ended.queries, arguments)?,
        None => Vec::new(),
    };
    notes.extend(saved);
    if let Some(path) = &arguments.workload {
        let path = settings.current.join(path);
        notes.push(save::save_workload(&path, &ended.queries, ended.traffic.lasted_ms, arguments)?);
    }
    if let Some(status) = status.filter(|status| !status.success()) {
        notes.push(format!("`{command}` ended with {status}."));
    }
    notes.extend(told_apart(&ended.traffic));
    let name = if command.is_empty() { "tap" } else { &command };
    let findings = findings(&ended.traffic, name, arguments.max_queries);
    let failed_statements = ended.traffic.queries.iter().map(|query| query.failures).sum::<u64>();
    let fails = findings.iter().any(|finding| match finding.rule.as_str() {
        N_PLUS_ONE => arguments.fail_on.contains(&WatchFailure::NPlusOne),
        rule => rule == TOO_MANY_QUERIES,
    }) || (failed_statements > 0 && arguments.fail_on.contains(&WatchFailure::FailedStatement));
    let report = Report::new(findings, None, None, notes).with_traffic(ended.traffic);
    write_reports(&report, &[], &arguments.output, color)?;
    let code = status.map_or(CLEAN, program::code);
    Ok(if code == CLEAN && fails { FINDINGS } else { code })
}

/// Connections that a program may open on a private server.
const MOST_CONNECTIONS: usize = 600;

/// What lies behind the tap.
struct Ground {
    server: Option<PrivateServer>,
    upstream: Option<Upstream>,
    login: Login,
}

impl Ground {
    async fn prepare(arguments: &WatchArguments, settings: &Settings) -> Result<Self, Failure> {
        match &arguments.url {
            Some(address) => Self::foreign(address),
            None => Self::private(arguments, settings).await,
        }
    }

    fn foreign(address: &str) -> Result<Self, Failure> {
        let target = Target::resolve(Some(address), &Variables::read()).map_err(Failure::input)?;
        tell(&format!(
            "passes on to {} whatever the program sends: its statements are counted, not held back",
            target.shown()
        ));
        let login = Login {
            user: target.user().to_owned(),
            database: target.database().to_owned(),
            password: target.password(),
        };
        Ok(Self { server: None, upstream: Some(target.upstream()), login })
    }

    async fn private(arguments: &WatchArguments, settings: &Settings) -> Result<Self, Failure> {
        settings.require_rehearsable()?;
        let progress = Progress::new();
        progress.step("starting a private server");
        let server = start(settings, MOST_CONNECTIONS).await?;
        let database = &settings.database;
        if arguments.migrate {
            let project = Project::load(settings, &ReportArguments { all: true, ..ReportArguments::new() })?
                .with_all_earlier();
            bring_to_state_before(&server, database, &project, settings, Rows::Seeded, &progress).await?;
        } else {
            server.create_database(database).await.map_err(Failure::environment)?;
        }
        let login = Login { user: SUPERUSER.to_owned(), database: database.clone(), password: None };
        Ok(Self { server: Some(server), upstream: None, login })
    }

    fn options(&self, arguments: &WatchArguments) -> Result<TapOptions, Failure> {
        let options = match (&self.server, &self.upstream) {
            (Some(server), _) => TapOptions { port: arguments.port, ..TapOptions::before(server) },
            (None, Some(upstream)) => {
                // Whoever came through a port would be taken for us by a server that asks the system who we are.
                let is_socket = matches!(upstream, Upstream::Unix(_));
                if is_socket && arguments.port.is_some() {
                    return Err(Failure::input(
                        "listen on --port: the server is reached by its socket, where it may trust whoever this program runs as; \
                         name it by host=localhost, or leave --port out",
                    ));
                }
                let guard = if is_socket { PortGuard::NoPort } else { PortGuard::Server };
                TapOptions { upstream: upstream.clone(), guard, port: arguments.port, folder: None }
            }
            (None, None) => return Err(Failure::environment("open a tap in front of no server")),
        };
        Ok(options)
    }
}

/// Until Ctrl-C.
async fn wait_for_the_end(environment: &TapEnvironment) -> Result<(), Failure> {
    let variables: Vec<String> =
        environment.variables().iter().map(|(name, value)| format!("  {name}={value}")).collect();
    tell(&format!("the tap is open until Ctrl-C; run the program with\n{}", variables.join("\n")));
    tokio::signal::ctrl_c().await.map_err(|why| Failure::environment(format!("wait for Ctrl-C: {why}")))
}

/// Bursts that are no N+1, so that nobody takes them for some.
fn told_apart(traffic: &Traffic) -> Option<String> {
    use plimsoll_core::traffic::BurstKind::{Batch, Paging, Repetition, Retry, WriteLoop};
    let kinds = [
        (WriteLoop, "loop of writes", "loops of writes"),
        (Batch, "batch sent at once", "batches sent at once"),
        (Retry, "series of retries", "series of retries"),
        (Repetition, "repetition of one statement", "repetitions of one statement"),
        (Paging, "run through pages", "runs through pages"),
    ];
    let parts: Vec<String> = kinds
        .into_iter()
        .filter_map(|(kind, one, several)| {
            let number = traffic.bursts.iter().filter(|burst| burst.kind == kind).count();
            match number {
                0 => None,
                1 => Some(format!("1 {one}")),
                _ => Some(format!("{number} {several}")),
            }
        })
        .collect();
    (!parts.is_empty()).then(|| format!("Not counted as N+1: {}.", parts.join(", ")))
}

/// What the tap saw, when it is closed.
struct Watched {
    traffic: Traffic,
    queries: Vec<SeenQuery>,
    notes: Vec<String>,
}

impl Watched {
    fn new(traffic: Traffic, queries: Vec<SeenQuery>, mut notes: Vec<String>) -> Self {
        if traffic.unlisted > 0 {
            notes.push(format!(
                "{} of queries beyond the first 10,000 different ones aren't listed.",
                plural(traffic.unlisted as usize, "statement")
            ));
        }
        Self { traffic, queries, notes }
    }
}
