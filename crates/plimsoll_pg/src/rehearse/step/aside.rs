//! A second client of a session that a program drives: while the program's connection is held, it asks in that session
//! what only the session sees.
//!
//! It is an ordinary client of ours whose connection is a pipe. What it asks is passed on to the server, and the answer
//! back to it; nothing of that reaches the program.

use std::io;

use tokio::io::DuplexStream;
use tokio::net::UnixStream;
use tokio_postgres::{Client, Config, NoTls};

use crate::tap::{Wire, message};

/// Room of the pipe, in bytes.
const ROOM: usize = 64 * 1024;

/// The other end of that client's pipe.
pub(super) struct Aside {
    pipe: Wire<DuplexStream>,
}

impl Aside {
    /// Makes the client. The session that it speaks in has begun already.
    pub(super) async fn new() -> io::Result<(Client, Self)> {
        let (near, far) = tokio::io::duplex(ROOM);
        let mut config = Config::new();
        config.user("plimsoll");
        let connecting = config.connect_raw(near, NoTls);
        let greeting = greet(far);
        let (connected, pipe) = tokio::join!(connecting, greeting);
        let (client, connection) = connected.map_err(io::Error::other)?;
        // An error reaches the client's next call.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok((client, Self { pipe: pipe? }))
    }

    /// Answers what the client asks for as long as `asking` goes on. `status` is where the session stands.
    pub(super) async fn while_asking<Asking: Future>(
        &mut self,
        server: &mut Wire<UnixStream>,
        status: &mut u8,
        asking: Asking,
    ) -> io::Result<Asking::Output> {
        tokio::select! {
            biased;
            answer = asking => Ok(answer),
            broken = self.serve(server, status) => Err(broken.err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())),
        }
    }

    async fn serve(&mut self, server: &mut Wire<UnixStream>, status: &mut u8) -> io::Result<()> {
        loop {
            let (tag, body) = self.pipe.message().await?;
            server.write(tag, &body).await?;
            server.flush().await?;
            loop {
                let (tag, body) = server.message().await?;
                self.pipe.write(tag, &body).await?;
                if tag == b'Z' {
                    *status = body.first().copied().unwrap_or(b'I');
                    break;
                }
            }
            self.pipe.flush().await?;
        }
    }
}

/// Lets the client in, as a server that trusts it.
async fn greet(pipe: DuplexStream) -> io::Result<Wire<DuplexStream>> {
    let mut pipe = Wire::new(pipe);
    pipe.startup().await?;
    let welcome = [message(b'R', &[0; 4]), message(b'K', &[0; 8]), message(b'Z', b"I")].concat();
    pipe.write_bytes(&welcome).await?;
    pipe.flush().await?;
    Ok(pipe)
}
