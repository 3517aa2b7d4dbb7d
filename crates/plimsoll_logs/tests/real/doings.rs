//! Known things, done to a real server that logs everything in its three formats at once: the truth that a log's reader is held to.
//!
//! Whoever does something has an `application_name` of its own, so that what is counted doesn't depend on anybody else.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_pg::server::{
    Cache, Environment, PrivateServer, SUPERUSER, SearchPlaces, ServerUser, StartOptions, Wanted, find,
};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

mod errors;
mod interruptions;
mod locks;
mod servers_work;
mod statements;

pub(crate) use errors::Wrong;
pub(crate) use interruptions::Interrupted;
pub(crate) use locks::Waits;
pub(crate) use servers_work::ServersWork;
pub(crate) use statements::Sent;

/// The stderr log's prefix.
pub(crate) const PREFIX: &str = "%m [%p] %q%u@%d app=%a host=%h session=%c state=%e ";

/// Above this, a log that is waited for is taken never to come. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The logs, complete: the server has been shut down.
pub(crate) struct Logs {
    _folder: TempDir,
    pub(crate) stderr: PathBuf,
    pub(crate) csv: PathBuf,
    pub(crate) json: PathBuf,
}

/// What was done.
pub(crate) struct Doings {
    pub(crate) major: u32,
    pub(crate) logs: Logs,
    pub(crate) sent: Sent,
    pub(crate) waits: Waits,
    pub(crate) interrupted: Vec<Interrupted>,
    pub(crate) wrong: Vec<Wrong>,
    pub(crate) work: ServersWork,
}

/// A server, and who connects to it.
pub(crate) struct Scene {
    pub(crate) major: u32,
    pub(crate) server: PrivateServer,
}

/// Does all of it on a server of this major version.
pub(crate) async fn do_all(major: u32) -> Doings {
    let scene = Scene { major, server: start(major) };
    let director = scene.session("director").await;
    director
        .batch_execute(
            "create table ships (id int primary key, name text not null, check (id < 100000)); \
             insert into ships select n, 'ship ' || n from generate_series(1, 1000) n; \
             create role secret login password 'right'; create role rejected login; create role locked nologin;",
        )
        .await
        .unwrap();
    let sent = statements::send(&scene).await;
    let waits = locks::wait(&scene).await;
    let interrupted = interruptions::interrupt(&scene).await;
    let wrong = errors::fail(&scene).await;
    errors::refused_logins(&scene, &director).await;
    let mut work = servers_work::work(&scene, &director).await;
    drop(director);
    work.killed = Some(servers_work::crash(&scene).await);
    let logs = shut_down(scene).await;
    Doings { major, logs, sent, waits, interrupted, wrong, work }
}

impl Scene {
    /// Connects as superuser under an application's name.
    pub(crate) async fn session(&self, application: &str) -> Client {
        self.login(SUPERUSER, "", SUPERUSER, application).await.expect(application)
    }

    pub(crate) async fn login(
        &self,
        user: &str,
        password: &str,
        database: &str,
        application: &str,
    ) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.server.folder()).port(port(&self.server.socket()));
        config.user(user).password(password).dbname(database).application_name(application);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(client)
    }

    /// Waits until the jsonlog holds this text so many times.
    pub(crate) async fn until_logged(&self, text: &str, times: usize) {
        let log = log_folder(&self.server).join("all.json");
        let deadline = Instant::now() + PATIENCE;
        while std::fs::read_to_string(&log).unwrap_or_default().matches(text).count() < times {
            assert!(Instant::now() < deadline, "never logged {times} times: {text}");
            pause(20).await;
        }
    }
}

/// Who a session is.
pub(crate) async fn process(client: &Client) -> u32 {
    let row = client.query_one("select pg_backend_pid()", &[]).await.unwrap();
    u32::try_from(row.get::<_, i32>(0)).unwrap()
}

pub(crate) async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Sends a signal to one process of the server.
pub(crate) fn signal(name: &str, process: u32) {
    let status = std::process::Command::new("kill").args([name, &process.to_string()]).status().unwrap();
    assert!(status.success());
}

/// The port in a socket's name, `.s.PGSQL.5432`.
fn port(socket: &Path) -> u16 {
    socket.extension().unwrap().to_str().unwrap().parse().unwrap()
}

fn log_folder(server: &PrivateServer) -> PathBuf {
    server.data_folder().join("logs")
}

fn start(major: u32) -> PrivateServer {
    let environment = Environment::read();
    let cache = Cache::locate(&environment).expect("a cache folder");
    let user = ServerUser::choose(&environment).expect("a user for the server");
    let places = SearchPlaces::new(&environment, &cache, None);
    let binaries = find(Wanted::Major(major), &places, &user)
        .unwrap_or_else(|error| panic!("failed to {error}; run `make test`, which installs it"));
    let options = StartOptions::new(&environment, cache, user);
    // `make test` names a folder in memory.
    let temp_root = std::env::var_os("PLIMSOLL_TEST_FOLDER").map(Into::into).or(options.temp_root);
    let settings =
        settings(major).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    PrivateServer::start(&binaries, &StartOptions { temp_root, settings, ..options }).expect("a server")
}

fn settings(major: u32) -> Vec<(&'static str, &'static str)> {
    let mut settings = vec![
        ("logging_collector", "on"),
        ("log_destination", "stderr,csvlog,jsonlog"),
        ("log_directory", "logs"),
        ("log_filename", "all"),
        ("log_line_prefix", PREFIX),
        ("log_min_duration_statement", "0"),
        ("log_connections", if major < 18 { "on" } else { "all" }),
        ("log_disconnections", "on"),
        ("log_lock_waits", "on"),
        ("deadlock_timeout", "100ms"),
        ("log_temp_files", "0"),
        ("log_autovacuum_min_duration", "0"),
        ("log_checkpoints", "on"),
        ("log_parameter_max_length_on_error", "-1"),
        ("autovacuum", "on"),
        ("autovacuum_naptime", "1s"),
        ("track_io_timing", "on"),
        ("restart_after_crash", "on"),
        ("archive_mode", "on"),
        ("archive_command", "exit 3"),
    ];
    if major >= 18 {
        settings.push(("log_lock_failures", "on"));
    }
    settings
}

/// Ends the server so that it says so, and takes its logs.
async fn shut_down(scene: Scene) -> Logs {
    signal("-INT", scene.server.process());
    scene.until_logged("database system is shut down", 1).await;
    let folder = TempDir::new().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let [stderr, csv, json] = ["all", "all.csv", "all.json"].map(|name| folder.path().join(name));
    for path in [&stderr, &csv, &json] {
        let log = log_folder(&scene.server).join(path.file_name().unwrap());
        while !std::fs::read_to_string(&log).unwrap().contains("database system is shut down") {
            assert!(Instant::now() < deadline, "{} has no end", log.display());
            pause(20).await;
        }
        std::fs::copy(&log, path).unwrap();
    }
    Logs { _folder: folder, stderr, csv, json }
}
