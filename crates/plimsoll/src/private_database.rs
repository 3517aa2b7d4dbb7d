//! A private server whose database is in the state before the change.

use plimsoll_core::SourceFile;
use plimsoll_pg::rehearse::{RehearseError, analyze, replay, run_script};
use plimsoll_pg::server::{
    Binaries, Cache, Environment, PrivateServer, SUPERUSER, SearchPlaces, ServerUser, StartOptions, Wanted,
    find,
};

use crate::exit::Failure;
use crate::inputs::read_source;
use crate::progress::Progress;
use crate::project::Project;
use crate::seed_command;
use crate::settings::Settings;

/// Where servers are found and kept on this machine.
pub(crate) struct Host {
    pub(crate) environment: Environment,
    pub(crate) cache: Cache,
    pub(crate) user: ServerUser,
}

impl Host {
    pub(crate) fn look() -> Result<Self, Failure> {
        let environment = Environment::read();
        let cache = Cache::locate(&environment).map_err(Failure::environment)?;
        let user = ServerUser::choose(&environment).map_err(Failure::environment)?;
        Ok(Self { environment, cache, user })
    }

    pub(crate) fn find(
        &self,
        wanted: Wanted,
        explicit: Option<std::path::PathBuf>,
    ) -> Result<Binaries, Failure> {
        let places = SearchPlaces::new(&self.environment, &self.cache, explicit);
        find(wanted, &places, &self.user).map_err(Failure::environment)
    }

    pub(crate) async fn start(
        &self,
        binaries: Binaries,
        settings: Vec<(String, String)>,
    ) -> Result<PrivateServer, Failure> {
        let options = StartOptions {
            settings,
            ..StartOptions::new(&self.environment, self.cache.clone(), self.user.clone())
        };
        // Starting blocks; signals are to be heard meanwhile.
        let started = tokio::task::spawn_blocking(move || PrivateServer::start(&binaries, &options)).await;
        match started {
            Ok(started) => started.map_err(Failure::environment),
            Err(why) => Err(Failure::environment(format!("start a private server: {why}"))),
        }
    }
}

/// Whether rows are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    Seeded,
    None,
}

/// Connections that a run needs besides those of a load and of a program.
const OWN_CONNECTIONS: usize = 20;

/// Connections that a rehearsed program may open: more than an application's pool does. Each takes two of our file descriptors, of which
/// there are often 1,024; whoever asks for more is to hear it from the server.
pub(crate) const PROGRAM_CONNECTIONS: usize = 400;

/// Connections of a server that a run uses, with so many besides the run's own.
pub(crate) const fn connections_of_a_run(further: usize) -> usize {
    OWN_CONNECTIONS + further
}

/// Starts a server for a run with these settings, and for so many connections besides the run's own.
pub(crate) async fn start(settings: &Settings, further_connections: usize) -> Result<PrivateServer, Failure> {
    let host = Host::look()?;
    let binaries = host.find(settings.server, settings.binaries.clone())?;
    let connections = connections_of_a_run(further_connections);
    let extra = [("timezone", settings.time_zone.clone()), ("max_connections", connections.to_string())];
    host.start(binaries, extra.map(|(name, value)| (name.to_owned(), value)).into()).await
}

/// Makes a database in the state before the change. Returns whether rows were loaded.
pub(crate) async fn bring_to_state_before(
    server: &PrivateServer,
    database: &str,
    project: &Project,
    settings: &Settings,
    rows: Rows,
    progress: &Progress,
) -> Result<Rows, Failure> {
    make_state_before(server, database, project, progress).await?;
    fill(server, database, project, settings, rows, progress).await
}

/// Makes a database with the schema before the change.
pub(crate) async fn make_state_before(
    server: &PrivateServer,
    database: &str,
    project: &Project,
    progress: &Progress,
) -> Result<(), Failure> {
    server.create_database(database).await.map_err(Failure::environment)?;
    if let Some(schema) = &project.schema {
        progress.step(format!("loading {}", schema.name()));
        run_script(server, database, schema).await.map_err(|error| in_script(error, "the schema dump"))?;
    }
    for migration in &project.earlier {
        progress.step(format!("replaying {}", migration.source.name()));
        replay(server, database, migration.as_sent())
            .await
            .map_err(|error| in_script(error, "an earlier migration"))?;
    }
    Ok(())
}

/// Loads rows, if any are to be. Returns whether they were loaded.
pub(crate) async fn fill(
    server: &PrivateServer,
    database: &str,
    project: &Project,
    settings: &Settings,
    rows: Rows,
    progress: &Progress,
) -> Result<Rows, Failure> {
    let seeded = !settings.seeds.is_empty() || settings.seed_command.is_some();
    if rows == Rows::None || !seeded {
        return Ok(Rows::None);
    }
    match load_rows(server, database, settings, progress).await {
        Ok(()) => Ok(Rows::Seeded),
        // Rows don't go into tables that only the change makes; a seed that makes its own may succeed.
        Err(Failure::Input(_)) if project.begins_empty() => {
            recreate(server, database).await?;
            Ok(Rows::None)
        }
        Err(failure) => Err(failure),
    }
}

async fn recreate(server: &PrivateServer, database: &str) -> Result<(), Failure> {
    let client = server.connect(SUPERUSER).await.map_err(Failure::environment)?;
    let quoted = database.replace('"', "\"\"");
    client
        .batch_execute(&format!("DROP DATABASE \"{quoted}\" WITH (FORCE)"))
        .await
        .map_err(|why| Failure::environment(format!("drop the half-seeded database {database}: {why}")))?;
    server.create_database(database).await.map_err(Failure::environment)
}

async fn load_rows(
    server: &PrivateServer,
    database: &str,
    settings: &Settings,
    progress: &Progress,
) -> Result<(), Failure> {
    for seed in &settings.seeds {
        let source: SourceFile = read_source(seed, &settings.current)?;
        progress.step(format!("loading {}", source.name()));
        run_script(server, database, &source).await.map_err(|error| in_script(error, "the seed"))?;
    }
    if let Some(command) = &settings.seed_command {
        progress.step(format!("running {command}"));
        run_seed_command(server, database, command, settings).await?;
    }
    progress.step("vacuuming and analyzing");
    analyze(server, database, None).await.map_err(|error| in_script(error, "VACUUM (ANALYZE)"))
}

async fn run_seed_command(
    server: &PrivateServer,
    database: &str,
    command: &str,
    settings: &Settings,
) -> Result<(), Failure> {
    let environment = server.environment(database);
    let output = seed_command::run(command, &settings.root, |shell| environment.apply(shell))
        .await
        .map_err(|why| Failure::environment(format!("run seed_command `{command}`: /bin/sh: {why}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.trim().lines().collect();
    let tail = lines[lines.len().saturating_sub(12)..].join("\n  ");
    Err(Failure::input(format!("run seed_command `{command}` ({}):\n  {tail}", output.status)))
}

/// What a script's failure means: its own fault, or the server's.
pub(crate) fn in_script(error: RehearseError, what: &str) -> Failure {
    match error {
        RehearseError::Script { .. } => Failure::input(format!(
            "{error}\n  while {what} brought the private server to the state before the change; the change itself was not run"
        )),
        RehearseError::Server(_)
        | RehearseError::Tap(_)
        | RehearseError::Interrupted { .. }
        | RehearseError::Shortage { .. }
        | RehearseError::Catalog(_) => Failure::environment(error),
    }
}
