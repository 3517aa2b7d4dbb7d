//! One session of the program's, statement by statement: each is run as the program sent it, and while its answer is held,
//! what it did is photographed.
//!
//! A lone statement gets a transaction block of ours, so that its locks are still there when we look; the program sees
//! neither BEGIN nor COMMIT. A statement that PostgreSQL refuses in a block runs bare and is sampled.

mod answer;
mod asking;
mod extended;
mod looking;
mod simple;
mod text;
mod wrap;

use std::io;
use std::time::{Duration, Instant};

use answer::Until;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::aside::Aside;
use super::conversation::{Conversation, Message};
use super::stage::Program;
use crate::rehearse::RehearseError;
use crate::rehearse::change::Session;
use crate::rehearse::notices::Notices;
use crate::rehearse::photograph::Photograph;
use crate::tap::Wire;

/// Why a session ended before the program ended it.
pub(super) enum Broken {
    /// The program's connection, or the server's. The program will say what that means to it.
    Connection(io::Error),
    /// Our own looking.
    Rehearsal(RehearseError),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}

impl From<RehearseError> for Broken {
    fn from(error: RehearseError) -> Self {
        Self::Rehearsal(error)
    }
}

/// A session behind its login.
pub(super) struct StepSession<'a, 'b, C> {
    pub(super) client: Wire<C>,
    pub(super) server: Wire<UnixStream>,
    aside: Aside,
    session: Session,
    notices: UnboundedSender<(String, String)>,
    program: &'a Program<'b>,
    number: usize,
    /// `ReadyForQuery`'s indicator.
    status: u8,
    /// Whether the transaction block is ours.
    wrapped: bool,
    /// The open transaction, as far as it was photographed, and its number.
    open: Option<(Photograph, usize)>,
    conversation: Conversation,
    /// Messages of the extended protocol that the server doesn't have yet.
    batch: Vec<Message>,
    /// What the program has `client_min_messages` at, while we have it at its most talkative.
    hearing: Option<String>,
    encoding: Encoding,
    overhead: Overhead,
}

/// How long the program waits for us rather than for the server.
struct Overhead {
    since: Instant,
    /// So far, since it was last told of.
    waited: Duration,
    /// Statements that were looked at meanwhile.
    statements: u32,
}

/// How the letters of the query at hand are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// In an encoding that we don't know: each byte is taken for a letter. All encodings of clients have ASCII's letters in
    /// their places, and no semicolon or quote within another letter.
    Bytes,
}

impl<'a, 'b, C: AsyncRead + AsyncWrite> StepSession<'a, 'b, C> {
    /// Takes over a session that the server has just let in.
    pub(super) async fn new(
        client: Wire<C>,
        server: Wire<UnixStream>,
        pid: i32,
        number: usize,
        program: &'a Program<'b>,
    ) -> Result<Self, Broken> {
        let (asking, aside) = Aside::new().await?;
        let (notices, receiver) = unbounded_channel();
        let session = Session { client: asking, pid, notices: Notices::OfProgram(receiver) };
        Ok(Self {
            client,
            server,
            aside,
            session,
            notices,
            program,
            number,
            status: b'I',
            wrapped: false,
            open: None,
            conversation: Conversation::default(),
            batch: Vec::new(),
            hearing: None,
            encoding: Encoding::Utf8,
            overhead: Overhead { since: Instant::now(), waited: Duration::ZERO, statements: 0 },
        })
    }

    /// Serves the program until it goes.
    pub(super) async fn serve(&mut self) -> Result<(), Broken> {
        loop {
            self.client.flush().await?;
            self.server.flush().await?;
            tokio::select! {
                more = self.client.has_more() => if !more? { return Ok(()) },
                more = self.server.has_more() => {
                    if !more? {
                        self.client.flush().await?;
                        return Ok(());
                    }
                    let (tag, body) = self.server.message().await?;
                    self.pass_to_client(tag, &body).await?;
                    continue;
                }
            }
            let (tag, body) = self.client.message().await?;
            self.waits_for_us();
            match tag {
                b'Q' => self.simple_query(&body).await?,
                b'P' | b'B' | b'D' | b'C' => {
                    self.conversation.note(tag, &body);
                    self.batch.push((tag, body));
                }
                b'E' => self.execute(body).await?,
                b'H' => self.flush_batch().await?,
                b'S' => self.sync().await?,
                b'X' => {
                    self.server.write(tag, &body).await?;
                    self.server.flush().await?;
                    return Ok(());
                }
                _ => {
                    self.server.write(tag, &body).await?;
                    self.run(Until::Ready).await?;
                    self.say_ready().await?;
                }
            }
            self.waits_no_longer(Instant::now());
            if matches!(tag, b'Q' | b'S') {
                self.tell_overhead();
            }
        }
    }

    fn waits_for_us(&mut self) {
        self.overhead.since = Instant::now();
    }

    fn waits_no_longer(&mut self, now: Instant) {
        let waited = now.saturating_duration_since(self.overhead.since);
        self.program.note_held(waited);
        self.overhead.waited += waited;
        self.overhead.since = now;
    }

    /// What was looked at together took the same for each.
    fn tell_overhead(&mut self) {
        let Overhead { waited, statements, .. } = &mut self.overhead;
        let (waited, statements) = (std::mem::take(waited), std::mem::take(statements));
        if let Some(each) = waited.checked_div(statements) {
            self.program.note_overheads(each, statements);
        }
    }
}
