//! The tap: a proxy for PostgreSQL's wire protocol (3.0 and 3.2) between any program and a server. Bytes pass through
//! unchanged; what statements they hold, and how long each took, is told to a [`Sink`].
//!
//! It listens on a Unix socket in a folder of its own, and on a port of this machine for clients that know no Unix
//! sockets. Authentication is between client and server; where the server is one that trusts whoever reaches its
//! socket, the port asks for a password of the tap's.
//!
//! Deliberately absent: TLS. A client is told so when it asks, and goes on in plain text or ends.

mod backend;
mod connection;
mod frame;
mod password;
mod reader;
mod startup;
mod statement;
mod tracker;
mod value;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, UnixListener};
use tokio::task::{JoinHandle, JoinSet};

use crate::server::PrivateServer;
use connection::{Client, serve};
pub use password::Password;
pub use statement::{Outcome, Parameters, RowValues, ServerError, Session, Statement, TransactionStatus};
pub use tracker::Sink;
pub use value::{Format, Value, hash_of_text};

/// The port that names the socket file, beside a private server's own. It isn't the one that is listened on.
const SOCKET_PORT: u16 = 6432;

/// Where the tap leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A server's socket file.
    Unix(PathBuf),
    /// A server's address.
    Tcp {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl fmt::Display for Upstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(formatter),
            Self::Tcp { host, port } => write!(formatter, "{host}:{port}"),
        }
    }
}

/// Why a tap didn't open.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// There is no place to listen.
    #[error("open a tap on {place}: {why}")]
    Listen {
        /// Where.
        place: String,
        /// Why not.
        why: io::Error,
    },
}

/// What all connections share.
struct Shared {
    upstream: Upstream,
    password: Option<Password>,
    sink: Arc<dyn Sink>,
    opened: Instant,
    sessions: AtomicUsize,
}

impl Shared {
    fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    fn next_number(&self) -> usize {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }
}

/// Who may come through the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortGuard {
    /// Whoever knows the tap's own password: for a server that trusts whoever reaches its socket.
    Password,
    /// Whomever the server lets in.
    Server,
    /// There is no port.
    NoPort,
}

/// Where a tap leads, and where it listens.
#[derive(Clone, Debug)]
pub struct TapOptions {
    /// Where it leads.
    pub upstream: Upstream,
    /// Who may come through the port.
    pub guard: PortGuard,
    /// The port of 127.0.0.1; without one, a free one.
    pub port: Option<u16>,
    /// The folder of the socket, which only its owner can enter; without one, a folder of the tap's own.
    pub folder: Option<PathBuf>,
}

impl TapOptions {
    /// A tap in front of a private server, whose folder it shares.
    #[must_use]
    pub fn before(server: &PrivateServer) -> Self {
        Self {
            upstream: Upstream::Unix(server.socket()),
            guard: PortGuard::Password,
            port: None,
            folder: Some(server.folder().to_owned()),
        }
    }
}

/// An open tap. It closes when this is dropped; sessions under way end.
pub struct Tap {
    folder: PathBuf,
    /// Removed with this, if it is the tap's own.
    _own_folder: Option<tempfile::TempDir>,
    port: Option<u16>,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl Tap {
    /// Opens a tap in front of a server, on this port or a free one. Connections are served by tasks of the current
    /// runtime.
    ///
    /// # Errors
    /// When there is no place for the socket, or no free port.
    pub async fn open(options: TapOptions, sink: Arc<dyn Sink>) -> Result<Self, TapError> {
        let TapOptions { upstream, guard, port, folder } = options;
        let listen = |place: &str, why| TapError::Listen { place: place.to_owned(), why };
        let own_folder = match folder {
            Some(_) => None,
            None => Some(private_folder().map_err(|why| listen("a folder in /tmp", why))?),
        };
        let folder = folder.or_else(|| Some(own_folder.as_ref()?.path().to_owned())).unwrap_or_default();
        let socket = folder.join(format!(".s.PGSQL.{SOCKET_PORT}"));
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
        let sessions = AtomicUsize::new(0);
        let shared = Arc::new(Shared { upstream, password, sink, opened: Instant::now(), sessions });
        let listening = tokio::spawn(accept(unix, tcp, Arc::clone(&shared)));
        Ok(Self { folder, _own_folder: own_folder, port, shared, listening })
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
        self.shared.password.as_ref()
    }

    /// Connections so far.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.sessions.load(Ordering::Relaxed)
    }

    /// Time since it was opened.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.shared.now()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Short: a socket's path has at most 107 bytes.
fn private_folder() -> io::Result<tempfile::TempDir> {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new().prefix("plimsoll-tap-").permissions(private).tempdir_in("/tmp")
}

async fn accept(unix: UnixListener, tcp: Option<TcpListener>, shared: Arc<Shared>) {
    // Aborted together with this task.
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = unix.accept() => accepted.map(|(stream, _)| Client::Unix(stream)),
            accepted = accept_tcp(tcp.as_ref()) => accepted.map(Client::Tcp),
            Some(_) = sessions.join_next(), if !sessions.is_empty() => continue,
        };
        match accepted {
            Ok(client) => {
                let shared = Arc::clone(&shared);
                sessions.spawn(async move { serve(client, &shared).await });
            }
            // Out of file descriptors, mostly: those waiting are accepted when others end.
            Err(why) => {
                shared.sink.trouble(&Session::default(), format!("a connection couldn't be accepted: {why}"));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn accept_tcp(listener: Option<&TcpListener>) -> io::Result<tokio::net::TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}
