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
mod doors;
mod frame;
mod observed;
mod password;
mod reader;
mod relay;
mod startup;
mod statement;
mod tracker;
mod value;
mod wire;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::task::{JoinHandle, JoinSet};

use crate::server::PrivateServer;
pub(crate) use backend::{
    error as read_error, parameter_types as read_parameter_types, process_id as read_process_id,
};
use connection::serve;
pub(crate) use connection::{BoxedClient, Client, opened, pass_on};
pub use doors::Doors;
pub use password::Password;
use relay::{Relay, RelayHandle};
pub(crate) use startup::Opening;
pub use statement::{Outcome, Parameters, RowValues, ServerError, Session, Statement, TransactionStatus};
pub use tracker::{Sink, Tracker};
pub use value::{Format, Value, hash_of_text};
pub(crate) use wire::{Wire, message};

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
    /// The thread that passes bytes on doesn't start.
    #[error("start the tap's thread: {0}")]
    Relay(io::Error),
}

/// What all connections share.
struct Shared {
    upstream: Upstream,
    sink: Arc<dyn Sink>,
    sessions: AtomicUsize,
    relay: RelayHandle,
}

impl Shared {
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
    doors: Arc<Doors>,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
    /// Ends with this.
    _relay: Relay,
}

impl Tap {
    /// Opens a tap in front of a server. Connections are served by tasks of the current runtime.
    ///
    /// # Errors
    /// When there is no place for the socket, or no free port.
    pub async fn open(options: TapOptions, sink: Arc<dyn Sink>) -> Result<Self, TapError> {
        let doors = Arc::new(Doors::open(options.folder, options.guard, options.port).await?);
        let sessions = AtomicUsize::new(0);
        let relay = Relay::start(Instant::now(), Arc::clone(&sink)).map_err(TapError::Relay)?;
        let shared = Arc::new(Shared { upstream: options.upstream, sink, sessions, relay: relay.handle() });
        let listening = tokio::spawn(accept(Arc::clone(&doors), Arc::clone(&shared)));
        Ok(Self { doors, shared, listening, _relay: relay })
    }

    /// Where clients come in.
    #[must_use]
    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    /// Connections so far.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.sessions.load(Ordering::Relaxed)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn accept(doors: Arc<Doors>, shared: Arc<Shared>) {
    // Aborted together with this task.
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = doors.accept() => accepted,
            Some(_) = sessions.join_next(), if !sessions.is_empty() => continue,
        };
        match accepted {
            Ok(client) => {
                let (doors, shared) = (Arc::clone(&doors), Arc::clone(&shared));
                sessions.spawn(async move { serve(client, doors.password(), &shared).await });
            }
            // Those waiting are accepted when others end.
            Err(why) => {
                shared.sink.trouble(&Session::default(), format!("a connection couldn't be accepted: {why}"));
            }
        }
    }
}
