//! Start and stop of private servers, with an empty and with a filled cache.
//!
//! Run `cargo bench -p plimsoll_pg --bench server`. Needs PostgreSQL 15 and 18.

use plimsoll_pg::server::{
    Binaries, Cache, Environment, PrivateServer, SearchPlaces, ServerUser, StartOptions, Wanted, find,
};
use tempfile::TempDir;

const MAJORS: [u32; 2] = [15, 18];

fn main() {
    divan::main();
}

fn binaries(major: u32, options: &StartOptions) -> Binaries {
    let places = SearchPlaces::new(&Environment::read(), &options.cache, None);
    find(Wanted::Major(major), &places, &options.user).expect("the server is installed")
}

fn options() -> StartOptions {
    let environment = Environment::read();
    let cache = Cache::locate(&environment).expect("there is a cache folder");
    let user = ServerUser::choose(&environment).expect("there is a user");
    StartOptions::new(&environment, cache, user)
}

/// With an empty cache: `initdb`, copy, start; stopping is not counted.
#[divan::bench(args = MAJORS, sample_count = 10, sample_size = 1)]
fn cold_start(bencher: divan::Bencher<'_, '_>, major: u32) {
    let binaries = binaries(major, &options());
    let empty_cache = || {
        let folder = tempfile::Builder::new().tempdir_in("/tmp").expect("a temporary folder");
        open_to_everybody(&folder);
        let options = StartOptions { cache: Cache::at(folder.path().join("cache")), ..options() };
        (folder, options)
    };
    bencher
        .with_inputs(empty_cache)
        .bench_refs(|(_, options)| PrivateServer::start(&binaries, options).expect("it starts"));
}

/// With a filled cache: copy, start; stopping is not counted.
#[divan::bench(args = MAJORS, sample_count = 30, sample_size = 1)]
fn warm_start(bencher: divan::Bencher<'_, '_>, major: u32) {
    let options = options();
    let binaries = binaries(major, &options);
    bencher.bench(|| PrivateServer::start(&binaries, &options).expect("it starts"));
}

/// Stop, and removal of the folder.
#[divan::bench(args = MAJORS, sample_count = 30, sample_size = 1)]
fn stop(bencher: divan::Bencher<'_, '_>, major: u32) {
    let options = options();
    let binaries = binaries(major, &options);
    bencher
        .with_inputs(|| PrivateServer::start(&binaries, &options).expect("it starts"))
        .bench_values(|server| server.stop().expect("it stops"));
}

/// The search for an installation.
#[divan::bench(args = MAJORS)]
fn search(bencher: divan::Bencher<'_, '_>, major: u32) {
    let options = options();
    bencher.bench(|| binaries(major, &options));
}

/// For root: the user that runs the server has to enter the cache.
fn open_to_everybody(folder: &TempDir) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
}
