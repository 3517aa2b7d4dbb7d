//! Where clients come in: a socket file that only its owner can reach, and a port of this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, UnixListener};

use super::connection::Client;
use super::password::Password;
use super::{PortGuard, TapError};
use crate::server::WatchedFolder;

/// The port that names the socket file, beside a private server's own. It isn't the one that is listened on.
const SOCKET_PORT: u16 = 6432;

/// Descriptors that a tap wants, with room for whatever else is open.
const DESCRIPTORS: u64 = 4096;

/// After a connection couldn't be accepted, so long nothing is tried: mostly it is file descriptors that lack.
const PAUSE: Duration = Duration::from_millis(50);

/// A tap's socket and port. They close when this is dropped.
#[derive(Debug)]
pub struct Doors {
    folder: PathBuf,
    /// Removed with this, if it is the tap's own.
    _own_folder: Option<WatchedFolder>,
    port: Option<u16>,
    password: Option<Password>,
    unix: UnixListener,
    tcp: Option<TcpListener>,
}

impl Doors {
    /// Opens them: in a folder, or one of their own; on a port, or a free one.
    pub(crate) async fn open(
        folder: Option<PathBuf>,
        guard: PortGuard,
        port: Option<u16>,
    ) -> Result<Self, TapError> {
        allow_descriptors();
        let listen = |place: &str, why| TapError::Listen { place: place.to_owned(), why };
        let own_folder = match folder {
            Some(_) => None,
            None => Some(WatchedFolder::create().map_err(|why| listen("a temporary folder", why))?),
        };
        let folder = folder.or_else(|| Some(own_folder.as_ref()?.path().to_owned())).unwrap_or_default();
        let socket = socket_in(&folder);
        let unix = UnixListener::bind(&socket).map_err(|why| listen(&socket.to_string_lossy(), why))?;
        let (tcp, port) = match guard {
            PortGuard::NoPort => (None, None),
            _ => {
                let wanted = port.unwrap_or(0);
                let place = port.map_or("a port of 127.0.0.1".to_owned(), |port| format!("127.0.0.1:{port}"));
                let on = |why| listen(&place, why);
                let listener = TcpListener::bind(("127.0.0.1", wanted)).await.map_err(on)?;
                let port = listener.local_addr().map_err(on)?.port();
                (Some(listener), Some(port))
            }
        };
        let password = match guard {
            PortGuard::Password => Some(Password::random().map_err(|why| listen("/dev/urandom", why))?),
            _ => None,
        };
        Ok(Self { folder, _own_folder: own_folder, port, password, unix, tcp })
    }

    /// The folder of the socket: `PGHOST`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `PGPORT` is with that folder.
    #[must_use]
    pub fn socket_port(&self) -> u16 {
        SOCKET_PORT
    }

    /// The port of 127.0.0.1, if there is one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// What the port asks for.
    #[must_use]
    pub fn password(&self) -> Option<&Password> {
        self.password.as_ref()
    }

    /// The next client. After an error it pauses, so that whoever asks again at once doesn't spin.
    pub(crate) async fn accept(&self) -> io::Result<Client> {
        let accepted = tokio::select! {
            accepted = self.unix.accept() => accepted.map(|(stream, _)| Client::Unix(stream)),
            accepted = accept_tcp(self.tcp.as_ref()) => accepted.map(Client::Tcp),
        };
        if accepted.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
        accepted
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        // The next tap in this folder needs the name. Where it can't be removed, that one says so.
        std::fs::remove_file(socket_in(&self.folder)).unwrap_or_default();
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join(format!(".s.PGSQL.{SOCKET_PORT}"))
}

/// Each connection takes two descriptors, and where none is left a client waits for ever. The limit is a soft one, of 256 on
/// some systems; what we start inherits it.
fn allow_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < DESCRIPTORS) {
        limit.current = Some(limit.maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS)));
        // Then it stays as it was.
        setrlimit(Resource::Nofile, limit).unwrap_or_default();
    }
}

async fn accept_tcp(listener: Option<&TcpListener>) -> io::Result<tokio::net::TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}
