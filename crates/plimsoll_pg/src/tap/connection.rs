//! One connection of a client's: its first packets, the connection to the server, and the bytes between them.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::backend::error_message;
use super::doors::Doors;
use super::password::Password;
use super::relay::Connection;
use super::startup::{LONGEST, Opening, opening};
use super::statement::{ServerError, Session};
use super::tracker::Tracker;
use super::{Shared, Upstream};

/// A client that says nothing for so long is let go, as the server does (`authentication_timeout`'s default).
const PATIENCE: Duration = Duration::from_secs(60);

/// How the client came.
#[derive(Debug)]
pub(crate) enum Client {
    /// Through the socket file, which only we and our children can reach.
    Unix(UnixStream),
    /// Through a port of this machine, which anybody on it can reach.
    Tcp(TcpStream),
}

/// A stream that the relay can take over.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// Its socket, which is non-blocking.
    fn into_socket(self) -> io::Result<OwnedFd>;
}

impl Stream for UnixStream {
    fn into_socket(self) -> io::Result<OwnedFd> {
        Ok(self.into_std()?.into())
    }
}

impl Stream for TcpStream {
    fn into_socket(self) -> io::Result<OwnedFd> {
        Ok(self.into_std()?.into())
    }
}

/// A client, whichever way it came.
pub(crate) type BoxedClient = Box<dyn Connected>;

/// A stream that is read and written.
pub(crate) trait Connected: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connected for S {}

impl Client {
    /// The client's stream, and whether it came through the port.
    pub(crate) fn boxed(self) -> (BoxedClient, CameBy) {
        match self {
            Self::Unix(stream) => (Box::new(stream), CameBy::Socket),
            Self::Tcp(stream) => {
                stream.set_nodelay(true).unwrap_or_default();
                (Box::new(stream), CameBy::Port)
            }
        }
    }
}

/// Which way a client came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CameBy {
    /// The socket.
    Socket,
    /// The port.
    Port,
}

/// The client's first packet that a server is to have; nothing if it went away, or may not come in.
pub(crate) async fn opened(
    client: &mut BoxedClient,
    came_by: CameBy,
    doors: &Doors,
) -> io::Result<Option<(Vec<u8>, Opening)>> {
    let password = doors.password().filter(|_| came_by == CameBy::Port);
    let opened = tokio::time::timeout(PATIENCE, open(client, password)).await;
    opened.unwrap_or(Ok(None))
}

/// Passes a connection on as it is.
pub(crate) async fn pass_on(
    client: &mut BoxedClient,
    server: &mut UnixStream,
    packet: &[u8],
) -> io::Result<()> {
    server.write_all(packet).await?;
    tokio::io::copy_bidirectional(client, server).await.map(|_| ())
}

/// Serves a client to the end of its session. What goes wrong on the way ends the session and is told to the sink.
pub(super) async fn serve(client: Client, password: Option<&Password>, shared: &Shared) {
    match client {
        Client::Unix(stream) => serve_stream(stream, None, shared).await,
        Client::Tcp(stream) => {
            stream.set_nodelay(true).unwrap_or_default();
            serve_stream(stream, password, shared).await;
        }
    }
}

async fn serve_stream<S>(mut client: S, password: Option<&Password>, shared: &Shared)
where
    S: Stream,
{
    let opened = tokio::time::timeout(PATIENCE, open(&mut client, password)).await;
    // A client that goes away before it says anything, or is let go, leaves nothing to tell.
    let Ok(Ok(Some((packet, opening)))) = opened else { return };
    let mut session = match opening {
        Opening::Session(session) => session,
        _ => Session::default(),
    };
    let is_session = packet.len() > 8 && !session.user.is_empty();
    if is_session {
        session.number = shared.next_number();
    }
    let ended = match &shared.upstream {
        Upstream::Unix(path) => match UnixStream::connect(path).await {
            Ok(server) => pass(client, server, &packet, session, is_session, shared).await,
            Err(why) => refuse(&mut client, &session, &why, shared).await,
        },
        Upstream::Tcp { host, port } => match TcpStream::connect((host.as_str(), *port)).await {
            Ok(server) => {
                server.set_nodelay(true).unwrap_or_default();
                pass(client, server, &packet, session, is_session, shared).await
            }
            Err(why) => refuse(&mut client, &session, &why, shared).await,
        },
    };
    // Broken connections are how sessions of killed clients end; what was under way has been told as lost.
    ended.unwrap_or_default();
}

/// Reads the client's first packets up to the one that the server is to have.
async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut S,
    password: Option<&Password>,
) -> io::Result<Option<(Vec<u8>, Opening)>> {
    loop {
        let mut packet = vec![0; 4];
        client.read_exact(&mut packet).await?;
        let length = u32::from_be_bytes([packet[0], packet[1], packet[2], packet[3]]) as usize;
        if !(8..=LONGEST).contains(&length) {
            // TLS without asking begins with the bytes 22 and 3.
            let message = if packet.starts_with(&[22, 3]) {
                "this connection goes through Plimsoll's tap, which speaks no TLS; set sslmode=disable"
            } else {
                "invalid length of startup packet"
            };
            client.write_all(&error_message("08P01", message)).await?;
            return Ok(None);
        }
        packet.resize(length, 0);
        client.read_exact(&mut packet[4..]).await?;
        match opening(&packet[4..]) {
            Opening::Encryption => client.write_all(b"N").await?,
            opening => {
                if let (Opening::Session(_), Some(password)) = (&opening, password)
                    && !password.ask(client).await?
                {
                    return Ok(None);
                }
                return Ok(Some((packet, opening)));
            }
        }
    }
}

async fn refuse<S: AsyncWrite + Unpin>(
    client: &mut S,
    session: &Session,
    why: &io::Error,
    shared: &Shared,
) -> io::Result<()> {
    let message = format!("Plimsoll's tap can't connect to the server at {}: {why}", shared.upstream);
    let error =
        ServerError { severity: "FATAL".into(), sqlstate: "08006".into(), message, ..ServerError::default() };
    shared.sink.refused(session, &error);
    client.write_all(&error_message(&error.sqlstate, &error.message)).await
}

/// Hands the connection over to the relay, behind the packet that the server is to have first.
async fn pass<C, S>(
    client: C,
    mut server: S,
    packet: &[u8],
    session: Session,
    is_session: bool,
    shared: &Shared,
) -> io::Result<()>
where
    C: Stream,
    S: Stream,
{
    server.write_all(packet).await?;
    let tracker = is_session.then(|| Tracker::new(session));
    shared.relay.take(Connection { client: client.into_socket()?, server: server.into_socket()?, tracker });
    Ok(())
}
