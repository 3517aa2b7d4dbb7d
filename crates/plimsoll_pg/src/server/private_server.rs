//! A PostgreSQL server for one run of the program: its own data, its own socket, nobody else's.
//!
//! Starting and stopping block the calling thread (about 0.2 s with a warm cache, a second or
//! two with a cold one). A program that has to hear signals meanwhile starts the server on
//! another thread; when the program ends in the middle of it, nothing is left either.
//!
//! The server never outlives the program:
//! - dropping the value stops the server and removes its folder;
//! - on Linux the kernel tells the server to quit when the program dies;
//! - a watchdog process sees the program die, stops the server and removes the folder;
//! - what even that leaves (loss of power), the next start sweeps up.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::binaries::Binaries;
use super::death::{Death, log_tail};
use super::error::ServerError;
use super::postmaster::Postmaster;
use super::private_folder::{PrivateFolder, SOCKET_FILE, choose_temp_root};
use super::process_environment::isolate;
use super::server_user::ServerUser;
use super::settings::{HBA, configuration};
use super::start_options::StartOptions;
use super::sweep::sweep;
use super::template::Template;
use super::version::ServerVersion;

/// An idle machine needs 0.1 s, an overloaded one was seen to need 5.
const START_PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);

/// The name of the only role, a superuser.
pub const SUPERUSER: &str = "postgres";

/// A running private server. Dropping it stops the server and removes everything of it.
#[derive(Debug)]
pub struct PrivateServer {
    // Dropped in this order: a folder must not be removed under a running server.
    postmaster: Postmaster,
    folder: PrivateFolder,
    binaries: Binaries,
}

impl PrivateServer {
    /// Starts a server and waits until it takes connections.
    ///
    /// # Errors
    /// When it can't be prepared or doesn't start; no process and no folder is left then.
    pub fn start(binaries: &Binaries, options: &StartOptions) -> Result<Self, ServerError> {
        let user = &options.user;
        let temp_root = choose_temp_root(options.temp_root.as_deref(), user)?;
        user.check_can_enter(
            binaries.bin_folder(),
            "install PostgreSQL where this user can enter, for example with `plimsoll server install`",
        )?;
        sweep(&temp_root, user);
        let mut folder = PrivateFolder::create(&temp_root, user)
            .map_err(|why| folder_error("create a private folder in", &temp_root, why))?;
        Template::new(binaries, &options.cache, user).copy_to(&folder.data())?;
        write_configuration(&folder, options)?;
        let postmaster = spawn(binaries, &folder, user)?;
        folder
            .report_server(postmaster.process())
            .map_err(|why| folder_error("watch over", folder.path(), why))?;
        let server = Self { postmaster, folder, binaries: binaries.clone() };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// The installation that it runs.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The server's version.
    #[must_use]
    pub fn server_version(&self) -> &ServerVersion {
        self.binaries.version()
    }

    /// The private folder, which holds the socket, the log and the data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The socket file that it listens on.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET_FILE)
    }

    /// The data directory.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder.data()
    }

    /// The number of the server's first process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.postmaster.process()
    }

    /// Whether the server still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.postmaster.status().is_none()
    }

    /// How the server ended, if it did.
    #[must_use]
    pub fn death(&self) -> Option<Death> {
        let status = self.postmaster.status()?;
        Some(Death { status, log_tail: log_tail(&self.folder.log()) })
    }

    /// For when a connection broke: waits up to `patience` for the server's end, since
    /// connections break before their server has ended. `None` if it goes on running: then
    /// something else ended the connection.
    pub async fn death_within(&self, patience: Duration) -> Option<Death> {
        let deadline = Instant::now() + patience;
        loop {
            let death = self.death();
            if death.is_some() || Instant::now() >= deadline {
                return death;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Stops the server and removes its folder, as dropping it does, but reports a failure.
    ///
    /// # Errors
    /// When the folder can't be removed.
    pub fn stop(self) -> Result<(), ServerError> {
        let Self { postmaster, folder, .. } = self;
        drop(postmaster);
        let path = folder.path().to_owned();
        folder.remove().map_err(|why| folder_error("remove", &path, why))
    }

    /// The postmaster writes `ready` into its pid file once it takes connections; that is what
    /// `pg_ctl` waits for too, and it costs no connection.
    fn wait_until_ready(&self) -> Result<(), ServerError> {
        let pid_file = self.folder.data().join("postmaster.pid");
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if std::fs::read_to_string(&pid_file).is_ok_and(|text| is_ready(&text)) {
                return Ok(());
            }
            let version = || self.server_version().clone();
            if let Some(death) = self.death() {
                return Err(ServerError::EndedEarly { version: version(), death });
            }
            if Instant::now() >= deadline {
                let (seconds, log_tail) = (START_PATIENCE.as_secs(), log_tail(&self.folder.log()));
                return Err(ServerError::TooSlow { version: version(), seconds, log_tail });
            }
            std::thread::sleep(POLL);
        }
    }
}

fn is_ready(pid_file: &str) -> bool {
    pid_file.lines().nth(7).is_some_and(|status| status.trim() == "ready")
}

fn write_configuration(folder: &PrivateFolder, options: &StartOptions) -> Result<(), ServerError> {
    let configuration = configuration(folder.path(), &options.settings)?;
    for (name, text) in [("postgresql.conf", configuration.as_str()), ("pg_hba.conf", HBA)] {
        // The files are there, copied from the template, and belong to the server's user.
        let path = folder.data().join(name);
        std::fs::write(&path, text).map_err(|why| folder_error("write", &path, why))?;
    }
    Ok(())
}

fn spawn(binaries: &Binaries, folder: &PrivateFolder, user: &ServerUser) -> Result<Postmaster, ServerError> {
    let log_error = |why| folder_error("write the server's log to", &folder.log(), why);
    let log = File::create(folder.log()).map_err(log_error)?;
    let log_twin = log.try_clone().map_err(log_error)?;
    let program = binaries.program("postgres");
    let mut command = Command::new(&program);
    command.arg("-D").arg(folder.data()).stdin(Stdio::null()).stdout(log).stderr(log_twin);
    isolate(&mut command);
    user.run(&mut command);
    // Ctrl-C in a terminal is for the program, which then stops the server in order.
    command.process_group(0);
    Postmaster::start(command, folder.data()).map_err(|why| ServerError::Spawn { program, why })
}

fn folder_error(action: &'static str, path: &Path, why: io::Error) -> ServerError {
    ServerError::Folder { action, path: path.to_owned(), why }
}
