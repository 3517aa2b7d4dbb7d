//! One session of the program's, statement by statement: each is run as the program sent it, and while its answer is held,
//! what it did is photographed.
//!
//! A lone statement gets a transaction block of ours, so that its locks are still there when we look; the program sees
//! neither BEGIN nor COMMIT. A statement that PostgreSQL refuses in a block runs bare and is sampled.

use std::io;
use std::time::{Duration, Instant};

use plimsoll_sql::parse::parse_script;
use plimsoll_sql::split::{Piece, split};
use plimsoll_sql::{Command, Statement};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::aside::Aside;
use super::conversation::{Conversation, Message};
use super::stage::{Program, Run};
use crate::rehearse::RehearseError;
use crate::rehearse::change::{Session, refuses_transactions};
use crate::rehearse::notices::Notices;
use crate::rehearse::photograph::Photograph;
use crate::tap::{ServerError, Wire, read_error};

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
}

/// How the letters of the query at hand are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// In an encoding that we don't know: each byte is taken for a letter. All encodings of clients have ASCII's letters in
    /// their places, and no semicolon or quote within another letter.
    Bytes,
}

/// A statement as the program sent it.
#[derive(Clone, Copy)]
enum Sends<'a> {
    /// A simple query's text.
    Simple(&'a str),
    /// An Execute, and what the server needs before it.
    Extended { batch: &'a [Message], execute: &'a [u8] },
}

/// How a statement was answered.
struct Answer {
    error: Option<ServerError>,
    /// What ends the answer and was held back: CommandComplete or the like, or ErrorResponse.
    end: Vec<u8>,
    started: Instant,
    lasted: Duration,
}

impl Answer {
    /// Whether a portal has more rows. Looking would be its end.
    fn is_suspended(&self) -> bool {
        self.end.ends_with(&crate::tap::message(b's', &[]))
    }
}

/// What the server warns of at a BEGIN within a transaction.
const ALREADY_IN_TRANSACTION: &str = "25001";

/// What came of a command of ours.
#[derive(Default)]
struct Ran {
    /// With the message that told of it.
    refusal: Option<(ServerError, Vec<u8>)>,
    /// The first value of the last row.
    value: Option<String>,
}

/// What ends the answer that is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Ready,
    Executed,
    /// As the two above, for a BEGIN within a transaction that is implicit to the program, of which the server warns.
    ReadyUnwarned,
    ExecutedUnwarned,
}

impl Until {
    fn is_execution(self) -> bool {
        matches!(self, Self::Executed | Self::ExecutedUnwarned)
    }

    fn is_unwarned(self) -> bool {
        matches!(self, Self::ReadyUnwarned | Self::ExecutedUnwarned)
    }
}

/// How long the server is to be talkative.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Span {
    /// To the end of the transaction, at most.
    Transaction,
    /// Until it is told otherwise.
    Session,
}

impl Span {
    fn word(self) -> &'static str {
        match self {
            Self::Transaction => "SET LOCAL",
            Self::Session => "SET",
        }
    }
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
        }
    }

    /// A query of one statement or several: each is run alone, as the server would run it within the whole.
    async fn simple_query(&mut self, body: &[u8]) -> Result<(), Broken> {
        let body = body.strip_suffix(&[0]).unwrap_or(body);
        let (text, encoding) = match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), Encoding::Utf8),
            Err(_) => (body.iter().map(|byte| char::from(*byte)).collect(), Encoding::Bytes),
        };
        self.encoding = encoding;
        let ranges = statements_of(&text);
        if ranges.len() <= 1 {
            self.simple_statement(&text, &text, true).await?;
        } else {
            for range in &ranges {
                let alone = only(&text, range);
                if !self.simple_statement(&alone, &text[range.clone()], false).await? {
                    break;
                }
            }
        }
        self.end_wrap().await?;
        self.say_ready().await
    }

    /// Runs a statement of a simple query; false if it failed. `sent` has the statement where it stands in the query,
    /// so that the server's error points to its place.
    async fn simple_statement(&mut self, sent: &str, text: &str, is_lone: bool) -> Result<bool, Broken> {
        let parsed = parsed(text);
        let command = parsed.as_ref().and_then(Statement::command);
        let is_control = command.is_some_and(Command::is_transaction_control);
        let adopts = self.wrapped && matches!(command, Some(Command::Begin));
        let wraps = self.status == b'I' && !is_control && is_wrapped(text, command, is_lone);
        if is_control {
            self.part_from_wrap(command).await?;
        } else if wraps {
            self.wrap().await?;
        }
        self.program.show(self.number, text);
        self.before(text, command).await?;
        let first_of_wrap = self.wrapped;
        let written = self.encoded(sent);
        self.send_query(&written).await?;
        let until = if adopts { Until::ReadyUnwarned } else { Until::Ready };
        let mut answer = self.run(until).await?;
        let refused = answer.error.as_ref().is_some_and(|error| refuses_transactions(&error.sqlstate));
        if refused
            && first_of_wrap
            && is_lone
            && let Some(statement) = &parsed
        {
            self.undo_wrap().await?;
            answer = self.sampled(Sends::Simple(sent), text, statement).await?;
        } else {
            self.record(text, parsed.as_ref(), &answer, !is_lone).await?;
        }
        let failed = answer.error.is_some();
        self.client.write_bytes(&answer.end).await?;
        Ok(!failed)
    }

    /// Runs a statement that commits by itself, with samples of what it does.
    async fn sampled(
        &mut self,
        sends: Sends<'_>,
        text: &str,
        statement: &Statement,
    ) -> Result<Answer, Broken> {
        let program = self.program;
        let mut stage = program.stage.lock().await;
        let asking = stage.before_sampling(&self.session.client);
        let before = self.aside.while_asking(&mut self.server, &mut self.status, asking).await??;
        let pid = self.session.pid;
        self.hear(Span::Session).await?;
        let running = self.send_whole(sends);
        let (answer, sampled) = stage.sample(&before, pid, statement, running).await?;
        let answer = answer?;
        if answer.error.is_some() && matches!(sends, Sends::Extended { .. }) {
            // The server passes over everything up to the next Sync.
            self.server.write(b'S', &[]).await?;
            self.discard_to_ready().await?;
        }
        self.hear_no_more(Span::Session).await?;
        let asking = stage.after_sampling(&self.session.client, before, sampled);
        let deed = self.aside.while_asking(&mut self.server, &mut self.status, asking).await??;
        self.conversation.lose_unnamed();
        let told = self.session.notices.told();
        let transaction = program.next_transaction();
        let run = Run {
            text,
            statement: Some(statement),
            in_transaction: false,
            transaction,
            session: self.number,
            started: answer.started,
        };
        program.record(&mut stage, run, &told, answer.error.as_ref(), deed);
        Ok(answer)
    }

    /// Sends a statement and passes its answer on up to its end.
    async fn send_whole(&mut self, sends: Sends<'_>) -> Result<Answer, Broken> {
        match sends {
            Sends::Simple(sent) => {
                let written = self.encoded(sent);
                self.send_query(&written).await?;
                self.run(Until::Ready).await
            }
            Sends::Extended { batch, execute } => self.send_and_run(batch, execute).await,
        }
    }

    /// Runs what a portal holds.
    async fn execute(&mut self, execute: Vec<u8>) -> Result<(), Broken> {
        // A batch that went to the server already can't be wrapped any more: its portal would go.
        let text = self.conversation.text_of(&execute).to_owned();
        let script = self.conversation.script_of(&execute);
        let parsed = parsed(&text);
        let command = parsed.as_ref().and_then(Statement::command);
        let is_control = command.is_some_and(Command::is_transaction_control);
        let binds = self.batch.iter().any(|(tag, _)| *tag == b'B');
        let wraps = self.status == b'I' && !self.wrapped && binds && is_wrapped(&text, command, true);
        let adopts = self.wrapped && matches!(command, Some(Command::Begin));
        if is_control {
            self.part_from_wrap(command).await?;
        } else if wraps {
            self.wrap().await?;
        }
        self.program.show(self.number, &text);
        if binds {
            self.before(&text, command).await?;
        }
        let batch = std::mem::take(&mut self.batch);
        let until = if adopts { Until::ExecutedUnwarned } else { Until::Executed };
        let mut answer = self.send_and_run_until(&batch, &execute, until).await?;
        let refused = answer.error.as_ref().is_some_and(|error| refuses_transactions(&error.sqlstate));
        if refused && wraps {
            // The server passes over everything up to the next Sync.
            self.server.write(b'S', &[]).await?;
            self.discard_to_ready().await?;
            self.undo_wrap().await?;
            answer = match &parsed {
                Some(statement) => {
                    let sends = Sends::Extended { batch: &batch, execute: &execute };
                    self.sampled(sends, &script, statement).await?
                }
                None => self.send_and_run(&batch, &execute).await?,
            };
        } else {
            self.record(&script, parsed.as_ref(), &answer, false).await?;
        }
        self.client.write_bytes(&answer.end).await?;
        if answer.error.is_some() {
            self.skip_to_sync().await?;
        }
        Ok(())
    }

    async fn send_and_run(&mut self, batch: &[Message], execute: &[u8]) -> Result<Answer, Broken> {
        self.send_and_run_until(batch, execute, Until::Executed).await
    }

    async fn send_and_run_until(
        &mut self,
        batch: &[Message],
        execute: &[u8],
        until: Until,
    ) -> Result<Answer, Broken> {
        let swallowed = self.send_batch(batch).await?;
        self.server.write(b'E', execute).await?;
        self.server.write(b'H', &[]).await?;
        self.run_swallowing(until, swallowed).await
    }

    /// Sends messages of the extended protocol; returns how many answers the program doesn't expect.
    async fn send_batch(&mut self, batch: &[Message]) -> Result<usize, Broken> {
        let mut swallowed = 0;
        for (tag, body) in batch {
            if let Some(parse) = self.conversation.needed_before(*tag, body) {
                self.server.write(b'P', &parse).await?;
                swallowed += 1;
            }
            self.server.write(*tag, body).await?;
        }
        Ok(swallowed)
    }

    /// Flush: the program wants what there is so far.
    async fn flush_batch(&mut self) -> Result<(), Broken> {
        let batch = std::mem::take(&mut self.batch);
        let mut awaited = batch.len() + self.send_batch(&batch).await?;
        let mut swallowed = awaited - batch.len();
        self.server.write(b'H', &[]).await?;
        self.server.flush().await?;
        while awaited > 0 {
            let (tag, body) = self.server.message().await?;
            match tag {
                b'1' if swallowed > 0 => swallowed -= 1,
                _ => self.pass_to_client(tag, &body).await?,
            }
            match tag {
                b't' => self.conversation.learn_types(&body),
                b'1' | b'2' | b'3' | b'n' | b'T' => awaited -= 1,
                b'E' => {
                    self.skip_to_sync().await?;
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), Broken> {
        let batch = std::mem::take(&mut self.batch);
        let swallowed = self.send_batch(&batch).await?;
        self.server.write(b'S', &[]).await?;
        let answer = self.run_swallowing(Until::Ready, swallowed).await?;
        self.conversation.synchronize();
        // A deferred constraint of an implicit transaction, or what was wrong with the batch.
        self.client.write_bytes(&answer.end).await?;
        self.end_wrap().await?;
        self.say_ready().await
    }

    /// After an error: what comes before the next Sync goes to nobody.
    async fn skip_to_sync(&mut self) -> Result<(), Broken> {
        self.batch.clear();
        self.client.flush().await?;
        loop {
            let header = self.client.header().await?;
            let body = self.client.body(header).await?;
            match header.tag {
                b'S' => break,
                b'X' => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                _ => drop(body),
            }
        }
        self.server.write(b'S', &[]).await?;
        self.discard_to_ready().await?;
        self.conversation.synchronize();
        self.end_wrap().await?;
        self.say_ready().await
    }

    async fn discard_to_ready(&mut self) -> Result<(), Broken> {
        self.server.flush().await?;
        loop {
            let (tag, body) = self.server.message().await?;
            match tag {
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    return Ok(());
                }
                b'S' | b'A' => self.pass_to_client(tag, &body).await?,
                _ => {}
            }
        }
    }

    /// The program's text as it wrote it.
    fn encoded(&self, text: &str) -> Vec<u8> {
        match self.encoding {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Bytes => text.chars().map(|letter| u32::from(letter) as u8).collect(),
        }
    }

    async fn send_query(&mut self, text: &[u8]) -> Result<(), Broken> {
        self.conversation.lose_unnamed();
        let mut body = text.to_vec();
        body.push(0);
        self.server.write(b'Q', &body).await?;
        Ok(())
    }

    async fn run(&mut self, until: Until) -> Result<Answer, Broken> {
        self.run_swallowing(until, 0).await
    }

    /// Passes the answer on up to its end, which is held back.
    async fn run_swallowing(&mut self, until: Until, mut swallowed: usize) -> Result<Answer, Broken> {
        self.server.flush().await?;
        let started = Instant::now();
        // What tells of a statement's parts is held back until it is clear that it won't be run again.
        let mut held = Vec::new();
        let mut error = None;
        let mut end = Vec::new();
        loop {
            let header = self.server.header().await?;
            match header.tag {
                b'D' | b'd' | b'c' => {
                    self.client.write_bytes(&std::mem::take(&mut held)).await?;
                    self.server.pass(header, &mut self.client).await?;
                    continue;
                }
                _ => {}
            }
            let body = self.server.body(header).await?;
            match header.tag {
                b'1' if swallowed > 0 => swallowed -= 1,
                b'1' | b'2' | b'3' | b't' | b'T' | b'n' => {
                    held.extend(crate::tap::message(header.tag, &body))
                }
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    break;
                }
                b'E' => {
                    error = Some(read_error(&body));
                    end.extend(std::mem::take(&mut held));
                    end.extend(crate::tap::message(header.tag, &body));
                    if until.is_execution() {
                        break;
                    }
                }
                b'C' | b's' | b'I' => {
                    end.extend(std::mem::take(&mut held));
                    end.extend(crate::tap::message(header.tag, &body));
                    if until.is_execution() {
                        break;
                    }
                }
                b'G' => {
                    self.client.write_bytes(&std::mem::take(&mut held)).await?;
                    self.client.write(header.tag, &body).await?;
                    self.copy_in().await?;
                }
                b'H' => {
                    self.client.write_bytes(&std::mem::take(&mut held)).await?;
                    self.client.write(header.tag, &body).await?;
                }
                b'N' if until.is_unwarned() && read_error(&body).sqlstate == ALREADY_IN_TRANSACTION => {}
                tag => self.pass_to_client(tag, &body).await?,
            }
        }
        if !until.is_execution() {
            self.client.write_bytes(&held).await?;
        } else if !held.is_empty() {
            end = [held, end].concat();
        }
        // An error of a refused statement that is run again says nothing of what it would have been answered.
        Ok(Answer { error, end, started, lasted: started.elapsed() })
    }

    /// The program's rows for COPY FROM STDIN.
    async fn copy_in(&mut self) -> Result<(), Broken> {
        self.client.flush().await?;
        loop {
            let header = self.client.header().await?;
            match header.tag {
                // The server would pass over these.
                b'H' | b'S' => drop(self.client.body(header).await?),
                tag => {
                    self.client.pass(header, &mut self.server).await?;
                    if tag != b'd' {
                        // The end of an extended query's COPY isn't sent before the server is asked for it.
                        self.server.write(b'H', &[]).await?;
                        self.server.flush().await?;
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Messages that belong to no answer, and notices as far as the program wants them.
    async fn pass_to_client(&mut self, tag: u8, body: &[u8]) -> Result<(), Broken> {
        if tag == b'N' {
            let notice = read_error(body);
            let rank = severity_rank(&notice.severity);
            // The receiver lives as long as this does.
            self.notices.send((notice.severity, notice.message)).unwrap_or_default();
            if self.hearing.as_ref().is_some_and(|wanted| rank < severity_rank(&wanted.to_ascii_uppercase()))
            {
                return Ok(());
            }
        }
        self.client.write(tag, body).await?;
        Ok(())
    }

    async fn say_ready(&mut self) -> Result<(), Broken> {
        self.client.write(b'Z', &[self.status]).await?;
        Ok(self.client.flush().await?)
    }

    /// Runs a command of ours; its answer goes to nobody.
    async fn command(&mut self, text: &str) -> Result<Ran, Broken> {
        self.send_query(text.as_bytes()).await?;
        self.server.flush().await?;
        let mut ran = Ran::default();
        loop {
            let (tag, body) = self.server.message().await?;
            match tag {
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    return Ok(ran);
                }
                b'E' => ran.refusal = Some((read_error(&body), crate::tap::message(tag, &body))),
                b'D' => ran.value = first_value(&body),
                b'S' | b'A' | b'N' => self.pass_to_client(tag, &body).await?,
                _ => {}
            }
        }
    }

    /// Begins a block of ours around what follows.
    async fn wrap(&mut self) -> Result<(), Broken> {
        if self.wrapped {
            return Ok(());
        }
        let photograph = self.program.stage.lock().await.first_photograph().await?;
        self.hearing = self.command(&format!("BEGIN; {}", talkative(Span::Transaction))).await?.value;
        self.wrapped = true;
        self.open = Some((photograph, self.program.next_transaction()));
        Ok(())
    }

    /// Ends our block. What its COMMIT refuses, the program is told as the statement's own failure.
    async fn end_wrap(&mut self) -> Result<(), Broken> {
        if !self.wrapped {
            return Ok(());
        }
        if self.status == b'E' {
            return self.undo_wrap().await;
        }
        let refusal = self.command("COMMIT").await?.refusal;
        let transaction = self.open.as_ref().map(|(_, number)| *number);
        (self.wrapped, self.open, self.hearing) = (false, None, None);
        if let Some((error, message)) = refusal {
            self.program.stage.lock().await.blame_last_of(transaction, &error);
            self.client.write_bytes(&message).await?;
        }
        self.flush_counters().await
    }

    async fn undo_wrap(&mut self) -> Result<(), Broken> {
        self.command("ROLLBACK").await?;
        (self.wrapped, self.open, self.hearing) = (false, None, None);
        self.flush_counters().await
    }

    /// Before a statement that controls transactions, within one that is implicit to the program: BEGIN makes that one the
    /// program's own, COMMIT and ROLLBACK end it, and savepoints are refused there, which undoes it.
    async fn part_from_wrap(&mut self, command: Option<&Command>) -> Result<(), Broken> {
        if !self.wrapped {
            return Ok(());
        }
        match command {
            Some(Command::Begin) => {
                self.hear_no_more(Span::Transaction).await?;
                self.wrapped = false;
                Ok(())
            }
            Some(Command::Commit { .. }) => self.end_wrap().await,
            _ => self.undo_wrap().await,
        }
    }

    async fn flush_counters(&mut self) -> Result<(), Broken> {
        self.command(crate::rehearse::inside::FLUSH_COUNTERS).await?;
        Ok(())
    }

    /// The server is to tell of its work; what of that the program hasn't asked for isn't passed on.
    async fn hear(&mut self, span: Span) -> Result<(), Broken> {
        if self.hearing.is_none() {
            self.hearing = self.command(&talkative(span)).await?.value;
        }
        Ok(())
    }

    /// The setting is again what the program has it at. A transaction that failed puts it back by itself.
    async fn hear_no_more(&mut self, span: Span) -> Result<(), Broken> {
        if let Some(level) = self.hearing.take()
            && self.status != b'E'
        {
            self.command(&format!("{} client_min_messages = {level}", span.word())).await?;
        }
        Ok(())
    }

    /// What is to be seen before a statement of the program's own transaction.
    async fn before(&mut self, text: &str, command: Option<&Command>) -> Result<(), Broken> {
        if self.open.is_none() && (self.status == b'T' || matches!(command, Some(Command::Begin))) {
            let photograph = self.program.stage.lock().await.first_photograph().await?;
            self.open = Some((photograph, self.program.next_transaction()));
        }
        let is_control = command.is_some_and(Command::is_transaction_control);
        if is_quiet(text) {
            self.hear_no_more(Span::Transaction).await?;
        } else if self.status == b'T' && !is_control {
            self.hear(Span::Transaction).await?;
        }
        Ok(())
    }

    /// Photographs the session behind a statement, and writes down what it did.
    async fn record(
        &mut self,
        text: &str,
        statement: Option<&Statement>,
        answer: &Answer,
        is_one_of_several: bool,
    ) -> Result<(), Broken> {
        let program = self.program;
        let began = Instant::now();
        let command = statement.and_then(Statement::command);
        let is_control = command.is_some_and(Command::is_transaction_control);
        let in_block = self.status == b'T';
        let mut stage = program.stage.lock().await;
        let told = self.session.notices.told();
        let (mut deed, transaction) = match &mut self.open {
            Some((photograph, transaction))
                if in_block
                    && answer.error.is_none()
                    && !is_control
                    && !is_quiet(text)
                    && !answer.is_suspended() =>
            {
                let asking = stage.photograph(&mut self.session, command, photograph);
                let deed = self.aside.while_asking(&mut self.server, &mut self.status, asking).await??;
                self.conversation.lose_unnamed();
                (deed, *transaction)
            }
            Some((_, transaction)) => (Default::default(), *transaction),
            None => (Default::default(), program.next_transaction()),
        };
        deed.duration = answer.lasted;
        let in_transaction = !self.wrapped && (in_block || is_control) || (self.wrapped && is_one_of_several);
        let run = Run {
            text,
            statement,
            in_transaction,
            transaction,
            session: self.number,
            started: answer.started,
        };
        program.record(&mut stage, run, &told, answer.error.as_ref(), deed);
        if matches!(command, Some(Command::Rollback { .. } | Command::RollbackTo(_)))
            && answer.error.is_none()
        {
            let open = self.open.as_mut().map(|(photograph, _)| photograph);
            let asking = stage.forget_undone(&self.session, open.filter(|_| in_block));
            self.aside.while_asking(&mut self.server, &mut self.status, asking).await??;
        }
        drop(stage);
        if self.status == b'I' {
            self.open = None;
            if is_control {
                self.flush_counters().await?;
            }
        }
        if !self.wrapped {
            if self.status != b'T' || answer.error.is_some() {
                // The transaction's end has put the setting back, or will.
                self.hearing = None;
            } else if !answer.is_suspended() {
                self.hear_no_more(Span::Transaction).await?;
            }
        }
        program.note_overhead(began.elapsed());
        Ok(())
    }
}

/// The statements of a query.
fn statements_of(text: &str) -> Vec<std::ops::Range<usize>> {
    let pieces = split(text).into_iter();
    pieces
        .map(|piece| match piece {
            Piece::Statement { range, .. } | Piece::MetaCommand { range } => range,
        })
        .collect()
}

/// The text with blanks in place of all other statements' letters, so that places in it stay.
fn only(text: &str, range: &std::ops::Range<usize>) -> String {
    let blank = |part: &str| part.chars().map(|_| ' ').collect::<String>();
    format!("{}{}", blank(&text[..range.start]), &text[range.clone()])
}

fn parsed(text: &str) -> Option<Statement> {
    let (mut statements, _) = parse_script(text);
    if statements.len() == 1 { statements.pop() } else { None }
}

/// Whether a statement outside a transaction gets a block. What PostgreSQL refuses outside one, ours would let pass;
/// several statements in one query are a block to PostgreSQL too.
fn is_wrapped(text: &str, command: Option<&Command>, is_lone: bool) -> bool {
    let needs_block = matches!(command, Some(Command::LockTable { .. })) || first_word(text) == "declare";
    let needs_none = ["listen", "unlisten", "notify", "deallocate", "prepare", "close", ""];
    let without = is_quiet(text) || needs_none.contains(&first_word(text).as_str());
    !(without || (is_lone && needs_block))
}

/// Whether a statement is let pass without a look: it only asks for settings or makes some. A look at it would take the
/// transaction's snapshot, and `client_min_messages` must be what the program has it at.
fn is_quiet(text: &str) -> bool {
    ["show", "set", "reset", "discard", "fetch", "move"].contains(&first_word(text).as_str())
        || (text.len() < 4096 && text.to_ascii_lowercase().contains("client_min_messages"))
}

fn first_word(text: &str) -> String {
    let text = without_comments(text);
    text.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase()
}

/// What follows the comments at a text's beginning.
fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let behind = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map(|(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, behind)| behind)
        } else {
            return rest;
        };
        rest = behind.unwrap_or_default().trim_start();
    }
}

/// The query that makes the server talkative, and answers with what it was at before.
fn talkative(span: Span) -> String {
    format!("SHOW client_min_messages; {} client_min_messages = debug1", span.word())
}

/// The first value of a row.
fn first_value(row: &[u8]) -> Option<String> {
    let length = u32::from_be_bytes(row.get(2..6)?.try_into().ok()?) as usize;
    String::from_utf8(row.get(6..6 + length)?.to_vec()).ok()
}

/// How severe a message is, in the order that `client_min_messages` has it.
fn severity_rank(severity: &str) -> u8 {
    match severity {
        "DEBUG" | "DEBUG1" | "DEBUG2" | "DEBUG3" | "DEBUG4" | "DEBUG5" => 0,
        "LOG" => 1,
        "NOTICE" => 2,
        "WARNING" => 3,
        "ERROR" => 4,
        // INFO always goes to the client.
        _ => u8::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_alone_stands_where_it_stood() {
        let text = "select 'é;'; drop table t; select 2";
        let ranges = statements_of(text);
        assert_eq!(ranges.len(), 3);
        let alone = only(text, &ranges[1]);
        assert_eq!(
            alone.chars().position(|letter| letter == 'd'),
            text.chars().position(|letter| letter == 'd')
        );
        assert!(alone.trim() == "drop table t");
    }

    #[test]
    fn what_only_sets_is_let_pass() {
        let check = |text, expected| assert_eq!(is_quiet(text), expected, "{text}");
        check("SET TRANSACTION SNAPSHOT '1'", true);
        check("-- a\n/* b */ show all", true);
        check("select set_config('client_min_messages', 'error', false)", true);
        check("select 1", false);
        check("-- set", false);
        assert!(is_wrapped("declare c cursor for select 1", None, false));
        assert!(!is_wrapped("declare c cursor for select 1", None, true));
    }

    #[test]
    fn a_rows_first_value_is_read() {
        assert_eq!(first_value(b"\0\x01\0\0\0\x06notice").as_deref(), Some("notice"));
        assert_eq!(first_value(b"\0\x01\xff\xff\xff\xff"), None);
    }
}
