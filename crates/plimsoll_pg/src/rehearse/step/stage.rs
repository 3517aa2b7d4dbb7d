//! A program that is rehearsed: its sessions, and the script that its statements make.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::ops::RangeBounds;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use plimsoll_core::Rehearsal;
use plimsoll_core::rehearsal::{Outcome, StatementError};
use plimsoll_sql::Statement;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use super::script::ProgramScript;
use super::session::{Broken, StepSession};
use crate::rehearse::change::Stage;
use crate::rehearse::deed::Deed;
use crate::rehearse::error::{RehearseError, catalog_error};
use crate::rehearse::inside::DATABASE_SETTINGS;
use crate::rehearse::ledger::{Failures, Subject, works_concurrently};
use crate::rehearse::sampling::Sampler;
use crate::server::PrivateServer;
use crate::tap::{
    BoxedClient, Client, Doors, Opening, PortGuard, ServerError, Session, Wire, opened, pass_on,
};

/// After the program's end its connections have so long to be seen to end.
const PATIENCE: Duration = Duration::from_millis(500);

/// Letters of a statement that a note shows.
const LONGEST_SHOWN: usize = 100;

/// What a program did.
#[derive(Debug)]
pub struct ProgramRehearsal {
    /// The record of its statements, in the order in which they ended. Their file is the script.
    pub rehearsal: Rehearsal,
    /// The statements as one script, in that order.
    pub script: String,
    /// The connection of each statement, from 0.
    pub sessions: Vec<usize>,
    /// Connections to the database that were let in.
    pub connections: usize,
    /// Whether anybody came at all: connections that were refused count too, and those to other databases.
    pub was_reached: bool,
    /// How long each statement was held up by us: before it ran, behind it, and at the end of a block of ours around it.
    pub overheads: Vec<Duration>,
}

/// A statement that has run.
pub(super) struct Run<'a> {
    pub(super) text: &'a str,
    pub(super) statement: Option<&'a Statement>,
    pub(super) in_transaction: bool,
    pub(super) transaction: usize,
    pub(super) session: usize,
    pub(super) started: Instant,
}

/// What all sessions of the program share. One thread runs them all.
pub(super) struct Program<'a> {
    pub(super) stage: Mutex<Stage<'a>>,
    /// The name of the script.
    name: String,
    observer: &'a dyn Fn(&str),
    began: Cell<Option<Instant>>,
    /// Time that the program was kept waiting by us.
    held: Cell<Duration>,
    connections: Cell<usize>,
    was_reached: Cell<bool>,
    /// Open beforehand: a program may use up the server's connections.
    sampler: RefCell<Option<Sampler<'a>>>,
    transactions: Cell<usize>,
    /// How many statements it has sent.
    sent: Cell<usize>,
    /// Statements that aren't answered yet, by their connections.
    under_way: RefCell<BTreeMap<usize, String>>,
    written: RefCell<Written>,
}

#[derive(Default)]
struct Written {
    script: ProgramScript,
    sessions: Vec<usize>,
    overheads: Vec<Duration>,
    notes: Vec<String>,
}

/// Runs a program, which `running` starts once it is told where to connect, and records each statement that it sends to
/// the database. `observer` is told of each.
///
/// # Errors
/// When the server is gone, or there is no place to listen. What the program is refused is recorded.
pub async fn rehearse_program<Running: Future>(
    server: &PrivateServer,
    database: &str,
    script_name: &str,
    observer: &dyn Fn(&str),
    running: impl FnOnce(&Doors) -> Running,
) -> Result<(Running::Output, ProgramRehearsal), RehearseError> {
    let doors = Doors::open(Some(server.folder().to_owned()), PortGuard::Password, None).await?;
    let stage = Stage::open(server, database).await?;
    set(&stage, |name, value| format!("SET {name} = {value}")).await?;
    let sampler = Sampler::open(server, database).await?;
    let program = Program {
        stage: Mutex::new(stage),
        name: script_name.to_owned(),
        observer,
        began: Cell::new(None),
        held: Cell::new(Duration::ZERO),
        connections: Cell::new(0),
        was_reached: Cell::new(false),
        sampler: RefCell::new(Some(sampler)),
        transactions: Cell::new(0),
        sent: Cell::new(0),
        under_way: RefCell::default(),
        written: RefCell::default(),
    };
    let output = {
        let mut running = pin!(running(&doors));
        let mut sessions = FuturesUnordered::new();
        let mut number = 0;
        let output = loop {
            tokio::select! {
                biased;
                Some(ended) = sessions.next(), if !sessions.is_empty() => rehearsed(ended)?,
                output = &mut running => break output,
                accepted = doors.accept() => match accepted {
                    Ok(client) => {
                        sessions.push(serve(client, &doors, &program, server, number));
                        number += 1;
                    }
                    Err(why) => program.note(format!("A connection couldn't be accepted: {why}.")),
                },
            }
        };
        let ending = async {
            while let Some(ended) = sessions.next().await {
                rehearsed(ended)?;
            }
            Ok::<(), RehearseError>(())
        };
        // What the program left running in the background may keep a connection.
        tokio::time::timeout(PATIENCE, ending).await.unwrap_or(Ok(()))?;
        output
    };
    program.note_lost(..);
    let (connections, was_reached) = (program.connections.get(), program.was_reached.get());
    let stage = program.stage.into_inner();
    set(&stage, |name, _| format!("RESET {name}")).await?;
    let written = program.written.into_inner();
    let rehearsal = Rehearsal {
        server_version: stage.server_version,
        seeded: false,
        statements: stage.ledger.records,
        notes: written.notes,
    };
    let Written { script, sessions, overheads, .. } = written;
    let script = script.into_text();
    Ok((output, ProgramRehearsal { rehearsal, script, sessions, connections, was_reached, overheads }))
}

/// Changes what new sessions of the database begin with.
async fn set(stage: &Stage<'_>, change: impl Fn(&str, &str) -> String) -> Result<(), RehearseError> {
    let database = stage.database.replace('"', "\"\"");
    let commands = DATABASE_SETTINGS
        .map(|(name, value)| format!("ALTER DATABASE \"{database}\" {}", change(name, value)));
    match stage.observer.batch_execute(&commands.join("; ")).await {
        Ok(()) => Ok(()),
        Err(error) => Err(catalog_error(stage.server, error).await),
    }
}

/// A broken connection is the program's affair.
fn rehearsed(ended: Result<(), Broken>) -> Result<(), RehearseError> {
    match ended {
        Err(Broken::Rehearsal(error)) => Err(error),
        Err(Broken::Connection(_)) | Ok(()) => Ok(()),
    }
}

/// Serves one connection to its end, and notes what an end out of order leaves unknown.
async fn serve(
    client: Client,
    doors: &Doors,
    program: &Program<'_>,
    server: &PrivateServer,
    number: usize,
) -> Result<(), Broken> {
    let ended = serve_connection(client, doors, program, server, number).await;
    if let Err(Broken::Connection(why)) = &ended
        && why.kind() == io::ErrorKind::InvalidData
    {
        program.note(format!("Connection {number} was ended: {why}."));
    }
    program.note_lost(number..=number);
    ended
}

async fn serve_connection(
    client: Client,
    doors: &Doors,
    program: &Program<'_>,
    server: &PrivateServer,
    number: usize,
) -> Result<(), Broken> {
    let (mut client, came_by) = client.boxed();
    let Some((packet, opening)) = opened(&mut client, came_by, doors).await? else { return Ok(()) };
    program.was_reached.set(true);
    let mut upstream = UnixStream::connect(server.socket()).await?;
    let database = program.stage.lock().await.database;
    match opening {
        Opening::Session(session) if session.database == database => {
            step(client, upstream, &packet, number, program).await
        }
        Opening::Session(Session { database: other, .. }) => {
            program.note(format!("What ran in database {other} was passed on and isn't recorded."));
            Ok(pass_on(&mut client, &mut upstream, &packet).await?)
        }
        _ => Ok(pass_on(&mut client, &mut upstream, &packet).await?),
    }
}

async fn step(
    client: BoxedClient,
    server: UnixStream,
    packet: &[u8],
    number: usize,
    program: &Program<'_>,
) -> Result<(), Broken> {
    let (mut client, mut server) = (Wire::new(client), Wire::new(server));
    server.write_bytes(packet).await?;
    server.flush().await?;
    let mut pid = 0;
    // The server trusts whoever reaches its socket: nothing is asked.
    loop {
        let (tag, body) = server.message().await?;
        match tag {
            b'Z' => break,
            b'K' => pid = crate::tap::read_process_id(&body).unwrap_or(0),
            _ => {}
        }
        client.write(tag, &body).await?;
        if tag == b'E' {
            let refusal = crate::tap::read_error(&body);
            program.note(format!(
                "A connection was refused: {} (SQLSTATE {}).",
                refusal.message, refusal.sqlstate
            ));
            return Ok(client.flush().await?);
        }
    }
    program.connections.set(program.connections.get() + 1);
    let mut session = StepSession::new(client, server, pid, number, program).await?;
    session.client.write(b'Z', b"I").await?;
    session.serve().await
}

impl<'a> Program<'a> {
    pub(super) fn next_transaction(&self) -> usize {
        let number = self.transactions.get();
        self.transactions.set(number + 1);
        number
    }

    /// Sessions that sample a statement: those that are at hand, else new ones.
    pub(super) async fn take_sampler(&self) -> Result<Sampler<'a>, RehearseError> {
        if let Some(sampler) = self.sampler.take() {
            return Ok(sampler);
        }
        let (server, database) = {
            let stage = self.stage.lock().await;
            (stage.server, stage.database)
        };
        Sampler::open(server, database).await
    }

    /// Gives them back.
    pub(super) fn give_back(&self, sampler: Sampler<'a>) {
        self.sampler.replace(Some(sampler));
    }

    /// How many statements the program has sent so far.
    pub(super) fn sent(&self) -> usize {
        self.sent.get()
    }

    /// While a statement that commits by itself ran, other connections were at work.
    pub(super) fn note_company(&self, text: &str) {
        self.note(format!(
            "While `{}` ran, other connections were at work: which rows, triggers and how much WAL were its own can't be told, \
             and isn't.",
            shown(text)
        ));
    }

    /// The program was kept waiting by us.
    pub(super) fn note_held(&self, time: Duration) {
        self.held.set(self.held.get() + time);
    }

    /// So many statements were looked at, each in this time.
    pub(super) fn note_overheads(&self, each: Duration, statements: u32) {
        self.written.borrow_mut().overheads.extend((0..statements).map(|_| each));
    }

    fn note(&self, note: String) {
        let notes = &mut self.written.borrow_mut().notes;
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// A statement is sent: whoever watches is told.
    pub(super) fn show(&self, session: usize, text: &str) {
        self.sent.set(self.sent.get() + 1);
        self.under_way.borrow_mut().insert(session, text.to_owned());
        (self.observer)(text);
    }

    /// These connections have ended.
    fn note_lost(&self, sessions: impl RangeBounds<usize>) {
        let mut under_way = self.under_way.borrow_mut();
        under_way.retain(|session, text| {
            let is_lost = sessions.contains(session);
            if is_lost {
                self.note(format!(
                    "Connection {session} ended while `{}` ran: what that did isn't recorded.",
                    shown(text)
                ));
            }
            !is_lost
        });
    }

    /// Writes down what a statement did.
    pub(super) fn record(
        &self,
        stage: &mut Stage<'_>,
        run: Run<'_>,
        error: Option<&ServerError>,
        deed: Deed,
    ) {
        self.under_way.borrow_mut().remove(&run.session);
        let Some(statement) = run.statement else {
            self.note("Texts that aren't exactly one statement for PostgreSQL's grammar were passed on and aren't recorded.".into());
            return;
        };
        let began = self.began.get().unwrap_or(run.started);
        self.began.set(Some(began));
        let mut written = self.written.borrow_mut();
        let text = run.text.trim().trim_end_matches(';').trim_end();
        let (index, line) = written.script.add(text);
        written.sessions.push(run.session);
        drop(written);
        stage.ledger.clock = run.started.saturating_duration_since(began).saturating_sub(self.held.get());
        stage.ledger.transaction = run.transaction;
        let subject = Subject {
            file: self.name.clone(),
            index,
            line,
            sql: text.to_owned(),
            in_transaction: run.in_transaction,
            works_concurrently: works_concurrently(statement),
        };
        let error = error.map(|error| statement_error(error, text, line));
        stage.ledger.record(subject, Deed { error, ..deed });
    }
}

/// A statement's text in a note.
fn shown(text: &str) -> String {
    text.trim().chars().take(LONGEST_SHOWN).collect()
}

impl Stage<'_> {
    /// The program has gone back to a savepoint, by the statement that was recorded last.
    pub(super) fn undo(&mut self, savepoint: &str) {
        // With ON_ERROR_ROLLBACK psql does so by itself, whatever failed.
        let failures =
            if savepoint == "pg_psql_temporary_savepoint" { Failures::Stay } else { Failures::Undone };
        let by = self.ledger.records.len().saturating_sub(1);
        self.ledger.undo(savepoint, by, failures);
    }

    /// A transaction couldn't be committed, which is told of its last statement.
    pub(super) fn blame_last_of(&mut self, transaction: Option<usize>, error: &ServerError) {
        let mut records = self.ledger.records.iter_mut().rev();
        if let Some(record) = records.find(|record| Some(record.transaction) == transaction) {
            record.outcome = Outcome::Error;
            record.error = Some(statement_error(error, "", record.line));
        }
    }
}

fn statement_error(error: &ServerError, text: &str, line: usize) -> StatementError {
    let before: String = text.chars().take(error.position.unwrap_or(1).saturating_sub(1)).collect();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    StatementError {
        sqlstate: error.sqlstate.clone(),
        message: error.message.clone(),
        detail: error.detail.clone(),
        hint: error.hint.clone(),
        line: line + before.matches('\n').count(),
        column,
    }
}
