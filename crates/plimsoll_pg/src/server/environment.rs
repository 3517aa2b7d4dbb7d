//! What private servers have to know of the caller's environment, read in one place.
//!
//! Nothing else in this module looks at an environment variable, so that a test can say what
//! the environment is. (Deliberate exception: what a child process inherits, see `process_environment`.)

use std::ffi::OsString;
use std::path::PathBuf;

/// Whether this process may become another user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Privilege {
    /// An ordinary user: the server runs as that user.
    #[default]
    Ordinary,
    /// Root: PostgreSQL refuses to run as root, so the server needs another user.
    Root,
}

/// The environment variables that decide where private servers keep and find things.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `PLIMSOLL_CACHE`: the cache folder, before any default.
    pub plimsoll_cache: Option<PathBuf>,
    /// `PLIMSOLL_STATE`: the folder of trunks and branches, before any default.
    pub plimsoll_state: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub xdg_state_home: Option<PathBuf>,
    /// `XDG_CACHE_HOME`.
    pub xdg_cache_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `TMPDIR`.
    pub temp_dir: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<OsString>,
    /// `PG_CONFIG`: the `pg_config` program to ask for PostgreSQL's folder.
    pub pg_config: Option<PathBuf>,
    /// Whether the process runs as root.
    pub privilege: Privilege,
}

impl Environment {
    /// Reads the environment of this process. An empty variable counts as absent.
    #[must_use]
    pub fn read() -> Self {
        let path_of = |name| variable(name).map(PathBuf::from);
        Self {
            plimsoll_cache: path_of("PLIMSOLL_CACHE"),
            plimsoll_state: path_of("PLIMSOLL_STATE"),
            xdg_state_home: path_of("XDG_STATE_HOME"),
            xdg_cache_home: path_of("XDG_CACHE_HOME"),
            home: path_of("HOME"),
            temp_dir: path_of("TMPDIR"),
            path: variable("PATH"),
            pg_config: path_of("PG_CONFIG"),
            privilege: current_privilege(),
        }
    }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn current_privilege() -> Privilege {
    if rustix::process::geteuid().is_root() { Privilege::Root } else { Privilege::Ordinary }
}
