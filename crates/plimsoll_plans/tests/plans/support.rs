//! Servers, databases, and plans of queries.

use std::path::PathBuf;

use plimsoll_pg::catalogue::{Limits, Target, Variables};
use plimsoll_pg::server::{
    Binaries, Cache, DirectoryServer, DirectoryStart, Environment, HBA, PrivateServer, SearchPlaces,
    ServerUser, StartOptions, Wanted, configuration, find,
};
use plimsoll_plans::{Built, CaptureOptions, Dump, PlanSource, ValuePolicy, build, capture};
use serde_json::Value;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

pub(crate) fn installation(major: u32) -> (Binaries, StartOptions) {
    let environment = Environment::read();
    let cache = Cache::locate(&environment).expect("a cache folder");
    let user = ServerUser::choose(&environment).expect("a user for the server");
    let places = SearchPlaces::new(&environment, &cache, None);
    let binaries = find(Wanted::Major(major), &places, &user)
        .unwrap_or_else(|error| panic!("failed to {error}; run `make test`, which installs it"));
    let options = StartOptions::new(&environment, cache, user);
    // `make test` names a folder in memory.
    let temp_root = std::env::var_os("PLIMSOLL_TEST_FOLDER").map(Into::into).or(options.temp_root);
    (binaries, StartOptions { temp_root, ..options })
}

/// A server with a database, made by these statements.
pub(crate) async fn full(major: u32, database: &str, scripts: &[&str]) -> PrivateServer {
    let (binaries, options) = installation(major);
    let server = PrivateServer::start(&binaries, &options).expect("a server");
    server.create_database(database).await.expect("a database");
    let client = server.connect(database).await.expect("a connection");
    for statement in scripts.iter().flat_map(|script| script.split(";\n")) {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
    }
    make_visible(&client).await;
    server
}

/// A pass of VACUUM was seen to leave pages that aren't all-visible; servers that are compared need the same ones.
async fn make_visible(client: &Client) {
    const PASSES: usize = 50;
    let hidden = "select oid::regclass from pg_class where relkind in ('r', 'm') and relnamespace = 'public'::regnamespace \
        and relallvisible between 0 and relpages - 1";
    for _ in 0..PASSES {
        let tables = rows(client, hidden).await.concat();
        if tables.is_empty() {
            return;
        }
        client.batch_execute(&format!("vacuum (analyze) {}", tables.join(", "))).await.expect("a vacuum");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{:?} have pages that aren't all-visible", rows(client, hidden).await);
}

pub(crate) async fn captured(
    server: &PrivateServer,
    database: &str,
    major: u32,
    values: ValuePolicy,
) -> PlanSource {
    captured_from(&server.url(database), major, values).await
}

pub(crate) async fn captured_from(url: &str, major: u32, values: ValuePolicy) -> PlanSource {
    let target = Target::resolve(Some(url), &Variables::default()).expect("a target");
    let options = CaptureOptions { limits: Limits::default(), values };
    capture(&target, &installation(major).0, &options)
        .await
        .unwrap_or_else(|error| panic!("failed to {error}"))
}

/// By a dump with statistics, in `pg_dump`'s custom format.
pub(crate) async fn dumped(server: &PrivateServer, database: &str, values: ValuePolicy) -> PlanSource {
    let (binaries, options) = installation(18);
    let folder = folder(&options);
    let path = folder.path().join("dump");
    let mut command = std::process::Command::new(binaries.program("pg_dump"));
    command.args(["--no-data", "--statistics", "--format=custom", "--file"]).arg(&path);
    server.environment(database).apply(&mut command);
    assert!(command.status().expect("pg_dump is installed").success());
    let dump = Dump::read(&path, None, &binaries).await.unwrap_or_else(|error| panic!("failed to {error}"));
    dump.capture(&binaries, &options, &values).await.unwrap_or_else(|error| panic!("failed to {error}"))
}

/// A plan branch, running.
pub(crate) struct Branch {
    pub(crate) built: Built,
    pub(crate) data: PathBuf,
    folder: tempfile::TempDir,
    _server: DirectoryServer,
}

impl Branch {
    pub(crate) async fn make(source: &PlanSource, major: u32) -> Self {
        let (binaries, options) = installation(major);
        let folder = folder(&options);
        let data = folder.path().join("data");
        let built = build(&binaries, &options, source, &data)
            .await
            .unwrap_or_else(|error| panic!("failed to {error}"));
        let text = configuration(folder.path(), &options.settings).expect("settings");
        std::fs::write(data.join("postgresql.conf"), text).expect("it is written");
        std::fs::write(data.join("pg_hba.conf"), HBA).expect("it is written");
        let log = folder.path().join("log");
        let start = DirectoryStart {
            binaries: &binaries,
            data: &data,
            log: &log,
            user: &options.user,
            recovery: std::time::Duration::ZERO,
            network: plimsoll_pg::server::Network::Host,
        };
        let server = DirectoryServer::start(start).unwrap_or_else(|error| panic!("failed to {error}"));
        Self { built, data, folder, _server: server }
    }

    pub(crate) async fn connect(&self) -> Client {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.folder.path()).user("postgres").dbname(&self.built.database);
        let (client, connection) = config.connect(NoTls).await.expect("a connection");
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        client
    }
}

/// A folder in which the server's user may write.
fn folder(options: &StartOptions) -> tempfile::TempDir {
    let root = options.temp_root.clone().unwrap_or_else(|| "/tmp".into());
    let folder = tempfile::Builder::new().prefix("plans-").tempdir_in(root).expect("a folder");
    if let ServerUser::Other { uid, gid, .. } = &options.user {
        std::os::unix::fs::chown(folder.path(), Some(*uid), Some(*gid)).expect("it is ours");
    }
    folder
}

/// Queries with their names.
pub(crate) fn queries(script: &str) -> Vec<(&str, &str)> {
    script
        .split("-- ")
        .skip(1)
        .map(|query| {
            let (name, sql) = query.split_once('\n').expect("a name and a query");
            (name, sql.trim())
        })
        .collect()
}

/// Plans of queries, with costs.
pub(crate) async fn plans(client: &Client, queries: &[(&str, &str)]) -> Vec<Value> {
    let mut plans = Vec::new();
    for (name, sql) in queries {
        let rows = client
            .simple_query(&format!("explain (format json) {sql}"))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let text = rows
            .iter()
            .find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .expect("a plan");
        plans.push(serde_json::from_str(text).expect("JSON"));
    }
    plans
}

/// The rows of a query, as text.
pub(crate) async fn rows(client: &Client, sql: &str) -> Vec<Vec<String>> {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

/// A plan without its numbers.
pub(crate) fn shape(plan: &Value) -> Value {
    const NUMBERS: [&str; 4] = ["Startup Cost", "Total Cost", "Plan Rows", "Plan Width"];
    match plan {
        Value::Object(node) => Value::Object(
            node.iter()
                .filter(|(key, _)| !NUMBERS.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), shape(value)))
                .collect(),
        ),
        Value::Array(nodes) => Value::Array(nodes.iter().map(shape).collect()),
        other => other.clone(),
    }
}

/// How many plans are alike.
#[derive(Debug, Default)]
pub(crate) struct Alike {
    pub(crate) all: usize,
    pub(crate) shapes: usize,
    /// To the last digit, in every node.
    pub(crate) numbers: usize,
    pub(crate) total_within_1_percent: usize,
    pub(crate) others: Vec<String>,
}

pub(crate) fn compare(queries: &[(&str, &str)], expected: &[Value], seen: &[Value]) -> Alike {
    let mut alike = Alike { all: queries.len(), ..Alike::default() };
    for ((name, _), (expected, seen)) in queries.iter().zip(expected.iter().zip(seen)) {
        let total = |plan: &Value| plan[0]["Plan"]["Total Cost"].as_f64().unwrap_or_default();
        alike.numbers += usize::from(expected == seen);
        alike.total_within_1_percent +=
            usize::from((total(expected) - total(seen)).abs() <= 0.01 * total(expected));
        if shape(expected) == shape(seen) {
            alike.shapes += 1;
        } else {
            alike.others.push(format!("{name}:\n{expected:#}\n{seen:#}"));
        }
    }
    alike
}
