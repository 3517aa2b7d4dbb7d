//! What a caller may say about a private server.

use std::path::PathBuf;

use super::cache::Cache;
use super::environment::Environment;
use super::server_user::ServerUser;

/// How and where to start a private server.
#[derive(Clone, Debug)]
pub struct StartOptions {
    /// Where prepared data directories are kept.
    pub cache: Cache,
    /// The folder in which the server's own folder is made. `/tmp` is used where it is absent
    /// or doesn't suit: too long for a socket's path, or closed to the server's user.
    pub temp_root: Option<PathBuf>,
    /// Who runs the server.
    pub user: ServerUser,
    /// Server settings in addition to ours; they win over ours.
    pub settings: Vec<(String, String)>,
}

impl StartOptions {
    /// What the environment implies, without additional settings.
    #[must_use]
    pub fn new(environment: &Environment, cache: Cache, user: ServerUser) -> Self {
        Self { cache, temp_root: environment.temp_dir.clone(), user, settings: Vec::new() }
    }
}
