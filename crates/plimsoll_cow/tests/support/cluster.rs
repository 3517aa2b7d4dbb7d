//! An installation, its user, and a stopped data directory of pgbench.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use plimsoll_pg::server::{Binaries, Cache, Environment, SearchPlaces, ServerUser, Wanted, find};
use tempfile::TempDir;

use super::server::Server;

/// Programs and folders.
pub(crate) struct Cluster {
    binaries: Binaries,
    user: ServerUser,
    folder: TempDir,
}

impl Cluster {
    /// Makes a data directory with checksums and pgbench's tables, and stops its server.
    pub(crate) fn with_pgbench(major: u32, scale: u32) -> Self {
        let environment = Environment::read();
        let cache = Cache::locate(&environment).expect("a cache folder");
        let user = ServerUser::choose(&environment).expect("a user for the server");
        let places = SearchPlaces::new(&environment, &cache, None);
        let binaries = find(Wanted::Major(major), &places, &user)
            .unwrap_or_else(|error| panic!("failed to {error}; run `make test`, which installs it"));
        let cluster = Self { binaries, user, folder: super::folder() };
        for name in ["lower", "delta", "mountpoint", "socket"] {
            std::fs::create_dir(cluster.path(name)).expect("a folder");
            cluster.own(name);
        }
        super::set_mode(&cluster.path("lower"), 0o700);
        let lower = cluster.path("lower");
        let lower_text = lower.to_str().expect("UTF-8");
        cluster.succeed(
            "initdb",
            &[
                "-D",
                lower_text,
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "--data-checksums",
                "--wal-segsize=1",
            ],
        );
        let server = Server::start(&cluster, &lower, &["fsync=off"]);
        cluster.succeed_connected("pgbench", &["-i", "-q", "-s", &scale.to_string(), "postgres"]);
        server.query("create extension amcheck");
        server.stop();
        cluster
    }

    /// A folder of this cluster.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn own(&self, name: &str) {
        if let Some((user, group)) = self.owner() {
            std::os::unix::fs::chown(self.path(name), Some(user), Some(group)).expect("it is owned");
        }
    }

    /// The server's user, where it isn't the caller.
    pub(crate) fn owner(&self) -> Option<(u32, u32)> {
        match self.user {
            ServerUser::Caller => None,
            ServerUser::Other { uid, gid, .. } => Some((uid, gid)),
        }
    }

    /// One of the installation's programs, as the server's user.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.wrapped(Command::new(self.binaries.program(name)))
    }

    /// The server under `timeout`, so that none stays where a test is killed.
    pub(crate) fn mortal_postgres(&self) -> Command {
        let mut command = self.wrapped(Command::new("timeout"));
        command.args(["--signal=QUIT", "240"]).arg(self.binaries.program("postgres"));
        command
    }

    fn wrapped(&self, mut command: Command) -> Command {
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").env("PATH", "/usr/bin:/bin").current_dir("/");
        command.stdin(Stdio::null());
        if let Some((user, group)) = self.owner() {
            command.uid(user).gid(group);
        }
        command
    }

    /// The same, with where the server listens.
    pub(crate) fn connected(&self, name: &str) -> Command {
        let mut command = self.program(name);
        command.env("PGHOST", self.path("socket")).env("PGUSER", "postgres").env("PGDATABASE", "postgres");
        command
    }

    pub(crate) fn succeed(&self, name: &str, arguments: &[&str]) -> String {
        told(name, self.program(name).args(arguments).output().expect("it runs"))
    }

    pub(crate) fn succeed_connected(&self, name: &str, arguments: &[&str]) -> String {
        told(name, self.connected(name).args(arguments).output().expect("it runs"))
    }

    /// Every file of the lower folder, with a sum of its bytes.
    pub(crate) fn lower_sums(&self) -> BTreeMap<PathBuf, u64> {
        let mut sums = BTreeMap::new();
        sum_folder(&self.path("lower"), &mut sums);
        sums
    }
}

fn told(name: &str, output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}: {said}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn sum_folder(folder: &Path, sums: &mut BTreeMap<PathBuf, u64>) {
    for entry in std::fs::read_dir(folder).expect("a list") {
        let path = entry.expect("a name").path();
        if path.is_dir() {
            sum_folder(&path, sums);
        } else {
            let mut hasher = DefaultHasher::new();
            std::fs::read(&path).expect("its bytes").hash(&mut hasher);
            sums.insert(path, hasher.finish());
        }
    }
}
