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

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::binaries::Binaries;
use super::copy_tree::move_tree;
use super::death::Death;
use super::directory_server::{DirectoryServer, DirectoryStart, POLL};
use super::error::ServerError;
use super::private_folder::{PrivateFolder, SOCKET_FILE, choose_temp_root};
use super::server_user::ServerUser;
use super::settings::{HBA, configuration};
use super::start_options::StartOptions;
use super::sweep::sweep;
use super::template::Template;
use super::version::ServerVersion;

/// The name of the only role, a superuser.
pub const SUPERUSER: &str = "postgres";

/// A running private server. Dropping it stops the server and removes everything of it.
#[derive(Debug)]
pub struct PrivateServer {
    // Dropped in this order: a folder must not be removed under a running server.
    server: DirectoryServer,
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
        let (data, log) = (folder.data(), folder.log());
        let start = DirectoryStart { binaries, data: &data, log: &log, user, recovery: Duration::ZERO };
        let server = DirectoryServer::spawn(start)?;
        folder
            .report_server(server.process())
            .map_err(|why| folder_error("watch over", folder.path(), why))?;
        server.wait_until_ready(DirectoryServer::usual_patience())?;
        Ok(Self { server, folder, binaries: binaries.clone() })
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
        self.server.process()
    }

    /// Whether the server still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.server.death().is_none()
    }

    /// How the server ended, if it did.
    #[must_use]
    pub fn death(&self) -> Option<Death> {
        self.server.death()
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
        let Self { server, folder, .. } = self;
        drop(server);
        let path = folder.path().to_owned();
        folder.remove().map_err(|why| folder_error("remove", &path, why))
    }

    /// Shuts the server down in order and hands over its data directory: it is moved to `target`, which must not exist,
    /// with the configuration of a private server. The rest of the server's folder is removed.
    ///
    /// # Errors
    /// When the server doesn't shut down, or the directory can't be moved; nothing is left then.
    pub fn keep_data(self, target: &Path, user: &ServerUser) -> Result<(), ServerError> {
        let Self { server, folder, .. } = self;
        server.shut_down()?;
        move_tree(&folder.data(), target, user)
            .map_err(|why| folder_error("move a data directory to", target, why))
    }
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

fn folder_error(action: &'static str, path: &Path, why: io::Error) -> ServerError {
    ServerError::Folder { action, path: path.to_owned(), why }
}
