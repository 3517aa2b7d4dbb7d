//! Servers for the tests.

use plimsoll_pg::server::{
    Cache, Environment, PrivateServer, SearchPlaces, ServerUser, StartOptions, Wanted, find,
};

/// Starts a private server of a major version, which `make test` has installed.
pub(crate) fn start(major: u32) -> PrivateServer {
    start_with(major, &[])
}

/// As [`start`], with settings besides.
pub(crate) fn start_with(major: u32, settings: &[(&str, &str)]) -> PrivateServer {
    let environment = Environment::read();
    let cache = Cache::locate(&environment).expect("a cache folder");
    let user = ServerUser::choose(&environment).expect("a user for the server");
    let places = SearchPlaces::new(&environment, &cache, None);
    let binaries = find(Wanted::Major(major), &places, &user)
        .unwrap_or_else(|error| panic!("failed to {error}; run `make test`, which installs it"));
    let options = StartOptions::new(&environment, cache, user);
    // `make test` names a folder in memory.
    let temp_root = std::env::var_os("PLIMSOLL_TEST_FOLDER").map(Into::into).or(options.temp_root);
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    PrivateServer::start(&binaries, &StartOptions { temp_root, settings, ..options }).expect("a server")
}
