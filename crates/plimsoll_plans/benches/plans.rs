//! A plan branch of a schema of 500 tables: capture, and making of the data directory.
//!
//! Run `cargo bench -p plimsoll_plans`. Needs PostgreSQL 15 and 18.

use std::hash::RandomState;
use std::sync::OnceLock;

use plimsoll_pg::catalogue::{Limits, Target, Variables};
use plimsoll_pg::server::{
    Binaries, Cache, Environment, PrivateServer, SearchPlaces, ServerUser, StartOptions, Wanted, find,
};
use plimsoll_plans::{CaptureOptions, PlanSource, ValuePolicy, build, capture};

const MAJORS: [u32; 2] = [15, 18];
const SCHEMA: &str = include_str!("../tests/plans/many.sql");

fn main() {
    divan::main();
}

/// A server with the schema, and what runs the asynchronous parts.
struct Production {
    binaries: Binaries,
    options: StartOptions,
    server: PrivateServer,
    runtime: tokio::runtime::Runtime,
}

/// Started once a version, and stopped with the program.
fn production(major: u32) -> &'static Production {
    static PRODUCTIONS: [OnceLock<Production>; 2] = [OnceLock::new(), OnceLock::new()];
    PRODUCTIONS[usize::from(major != MAJORS[0])].get_or_init(|| {
        let environment = Environment::read();
        let cache = Cache::locate(&environment).expect("a cache folder");
        let user = ServerUser::choose(&environment).expect("a user for the server");
        let places = SearchPlaces::new(&environment, &cache, None);
        let binaries = find(Wanted::Major(major), &places, &user).expect("the server is installed");
        let options = StartOptions::new(&environment, cache, user);
        let server = PrivateServer::start(&binaries, &options).expect("a server");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            server.create_database("many").await.expect("a database");
            let client = server.connect("many").await.expect("a connection");
            for statement in SCHEMA.split(";\nanalyze") {
                client.batch_execute(statement).await.expect("the schema");
            }
            client.batch_execute("analyze").await.expect("statistics");
        });
        Production { binaries, options, server, runtime }
    })
}

fn captured(production: &Production) -> PlanSource {
    let target =
        Target::resolve(Some(&production.server.url("many")), &Variables::default()).expect("a target");
    let values = ValuePolicy::Pseudonymise { key: RandomState::new(), except: Vec::new() };
    let options = CaptureOptions { limits: Limits::default(), values };
    production.runtime.block_on(capture(&target, &production.binaries, &options)).expect("a capture")
}

/// Reading production.
#[divan::bench(args = MAJORS, sample_count = 5, sample_size = 1)]
fn capture_500_tables(bencher: divan::Bencher<'_, '_>, major: u32) {
    let production = production(major);
    bencher.bench(|| captured(production));
}

/// Making the data directory.
#[divan::bench(args = MAJORS, sample_count = 5, sample_size = 1)]
fn build_500_tables(bencher: divan::Bencher<'_, '_>, major: u32) {
    let production = production(major);
    let source = captured(production);
    let folder = || {
        let Production { options, .. } = production;
        let root = options.temp_root.clone().unwrap_or_else(|| "/tmp".into());
        let folder = tempfile::tempdir_in(root).expect("a folder");
        if let ServerUser::Other { uid, gid, .. } = &options.user {
            std::os::unix::fs::chown(folder.path(), Some(*uid), Some(*gid)).expect("it is ours");
        }
        folder
    };
    bencher.with_inputs(folder).bench_refs(|folder| {
        let data = folder.path().join("data");
        let made = build(&production.binaries, &production.options, &source, &data);
        production.runtime.block_on(made).expect("a branch")
    });
}
