//! A folder for what else a run keeps in files: the socket of a tap, the helpers of a program.

use std::io;
use std::path::Path;

use super::environment::Environment;
use super::private_folder::{PrivateFolder, choose_temp_root};
use super::server_user::ServerUser;

/// A folder that only its owner can enter, short enough for a socket. It is removed with this value; if that can't happen,
/// as after SIGKILL, by a watchdog.
#[derive(Debug)]
pub struct WatchedFolder(PrivateFolder);

impl WatchedFolder {
    /// Makes one in `TMPDIR`, or in `/tmp`.
    ///
    /// # Errors
    /// When neither suits, or no folder or watchdog can be made.
    pub fn create() -> io::Result<Self> {
        let environment = Environment::read();
        let root = choose_temp_root(environment.temp_dir.as_deref(), &ServerUser::Caller);
        let root = root.map_err(io::Error::other)?;
        PrivateFolder::create(&root, &ServerUser::Caller).map(Self)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
