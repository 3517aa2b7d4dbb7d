//! A server on a data directory that is there already. It knows nothing of who made the directory or what becomes of it.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::binaries::Binaries;
use super::death::{Death, log_tail};
use super::error::ServerError;
use super::network::Network;
use super::postmaster::Postmaster;
use super::process_environment::isolate;
use super::server_user::ServerUser;
use super::version::ServerVersion;

/// An idle machine needs 0.1 s, an overloaded one was seen to need 5.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// A fast shutdown writes every dirty buffer, of which there may be as many as `shared_buffers` hold.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(120);
pub(super) const POLL: Duration = Duration::from_millis(2);

/// Where the parts of a server are.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryStart<'a> {
    /// The installation that runs it.
    pub binaries: &'a Binaries,
    /// The data directory, with its configuration.
    pub data: &'a Path,
    /// What the server says goes here; a file of before is replaced.
    pub log: &'a Path,
    /// Who runs the server; the data directory belongs to this user.
    pub user: &'a ServerUser,
    /// How long it may take until connections are taken, beyond the usual: recovery reads all WAL since a checkpoint.
    pub recovery: Duration,
    /// What its sessions may reach.
    pub network: Network,
}

/// A running server. Dropping it stops the server at once, as a crash would, and leaves the data directory.
#[derive(Debug)]
pub struct DirectoryServer {
    postmaster: Postmaster,
    data: PathBuf,
    log: PathBuf,
    version: ServerVersion,
}

impl DirectoryServer {
    /// Starts a server and returns without waiting for it.
    ///
    /// # Errors
    /// When its program can't be run or its log can't be written.
    pub(super) fn spawn(start: DirectoryStart<'_>) -> Result<Self, ServerError> {
        let DirectoryStart { binaries, data, log, user, network, .. } = start;
        let log_error =
            |why| ServerError::Folder { action: "write the server's log to", path: log.to_owned(), why };
        let file = File::create(log).map_err(log_error)?;
        let twin = file.try_clone().map_err(log_error)?;
        let program = binaries.program("postgres");
        let mut command = Command::new(&program);
        command.arg("-D").arg(data).stdin(Stdio::null()).stdout(file).stderr(twin);
        isolate(&mut command);
        // A connection from inside that names no host, such as dblink's, would go to the machine's own server. There is no
        // socket in this folder.
        command.env("PGHOST", data);
        user.run(&mut command);
        // Ctrl-C in a terminal is for the program, which then stops the server in order.
        command.process_group(0);
        let postmaster = Postmaster::start(command, data.to_owned(), network)
            .map_err(|why: io::Error| ServerError::Spawn { program, why })?;
        let version = binaries.version().clone();
        Ok(Self { postmaster, data: data.to_owned(), log: log.to_owned(), version })
    }

    /// Starts a server and waits until it takes connections.
    ///
    /// # Errors
    /// When it doesn't start, or not in time; it doesn't run then.
    pub fn start(start: DirectoryStart<'_>) -> Result<Self, ServerError> {
        let server = Self::spawn(start)?;
        server.wait_until_ready(START_PATIENCE + start.recovery)?;
        Ok(server)
    }

    /// The number of the server's first process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.postmaster.process()
    }

    /// How the server ended, if it did.
    #[must_use]
    pub fn death(&self) -> Option<Death> {
        let status = self.postmaster.status()?;
        Some(self.death_by(status))
    }

    fn death_by(&self, status: ExitStatus) -> Death {
        Death { status: Some(status), log_tail: log_tail(&self.log) }
    }

    /// Ends all sessions, writes everything to the data directory, and stops (a fast shutdown). Afterwards the directory
    /// can be copied and needs no recovery.
    ///
    /// # Errors
    /// When the server doesn't end in time, or ended otherwise.
    pub fn shut_down(mut self) -> Result<(), ServerError> {
        match self.postmaster.shut_down(SHUTDOWN_PATIENCE) {
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let death = self.death_by(status);
                Err(ServerError::EndedBadly { version: self.version, death })
            }
            None => {
                let (seconds, log_tail) = (SHUTDOWN_PATIENCE.as_secs(), log_tail(&self.log));
                Err(ServerError::WontStop { version: self.version, seconds, log_tail })
            }
        }
    }

    /// The postmaster writes `ready` into its pid file once it takes connections; that is what
    /// `pg_ctl` waits for too, and it costs no connection.
    pub(super) fn wait_until_ready(&self, patience: Duration) -> Result<(), ServerError> {
        let pid_file = self.data.join("postmaster.pid");
        let deadline = Instant::now() + patience;
        loop {
            if std::fs::read_to_string(&pid_file).is_ok_and(|text| is_ready(&text)) {
                return Ok(());
            }
            let version = || self.version.clone();
            if let Some(death) = self.death() {
                return Err(ServerError::EndedEarly { version: version(), death });
            }
            if Instant::now() >= deadline {
                let (seconds, log_tail) = (patience.as_secs(), log_tail(&self.log));
                return Err(ServerError::TooSlow { version: version(), seconds, log_tail });
            }
            std::thread::sleep(POLL);
        }
    }

    pub(super) const fn usual_patience() -> Duration {
        START_PATIENCE
    }
}

fn is_ready(pid_file: &str) -> bool {
    pid_file.lines().nth(7).is_some_and(|status| status.trim() == "ready")
}
