//! One session's statements, out of the messages that pass in both directions.
//!
//! A client may send many messages before the first is answered. The server answers them in order, so what was asked
//! waits in a queue, and each answer belongs to its front. After an error the server passes over everything up to the
//! next Sync, and so does the queue. Source: PostgreSQL documentation, "Message Flow".

mod answers;
mod pending;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use pending::{Bound, Pending, Prepared, parsed_bind};

use super::backend;
use super::frame::{Frame, Framer};
use super::reader::Reader;
use super::statement::{RowValues, ServerError, Session, Statement, TransactionStatus};

/// Is told what passes through the tap.
pub trait Sink: Send + Sync {
    /// A statement has ended.
    fn statement(&self, session: &Session, statement: &Statement<'_>);

    /// The session is ready for a query and stands there.
    fn ready(&self, _session: &Session, _status: TransactionStatus, _at: Duration) {}

    /// A connection was refused, by the server or because there was none.
    fn refused(&self, _session: &Session, _error: &ServerError) {}

    /// A session has ended.
    fn ended(&self, _session: &Session, _at: Duration) {}

    /// Something that a reader of the record must know.
    fn trouble(&self, _session: &Session, _what: String) {}
}

/// Kinds of the client's messages whose bodies are read.
fn is_read(tag: u8) -> bool {
    matches!(tag, b'Q' | b'P' | b'B' | b'E' | b'C' | b'D')
}

/// Prepared statements or portals by their names. Most clients use the unnamed one, over and over.
#[derive(Debug)]
struct ByName<T> {
    unnamed: Arc<T>,
    named: BTreeMap<Vec<u8>, Arc<T>>,
}

impl<T: Default> Default for ByName<T> {
    fn default() -> Self {
        Self { unnamed: Arc::default(), named: BTreeMap::new() }
    }
}

impl<T: Default> ByName<T> {
    /// An empty one where there is none: the server will refuse what is asked of it.
    fn get(&self, name: &[u8]) -> Arc<T> {
        if name.is_empty() {
            return Arc::clone(&self.unnamed);
        }
        self.named.get(name).cloned().unwrap_or_default()
    }

    fn insert(&mut self, name: &[u8], value: Arc<T>) {
        if name.is_empty() {
            self.unnamed = value;
        } else {
            self.named.insert(name.to_vec(), value);
        }
    }

    fn remove(&mut self, name: &[u8]) {
        if name.is_empty() {
            self.unnamed = Arc::default();
        } else {
            self.named.remove(name);
        }
    }
}

/// Follows one session, from the server's first answer on.
pub struct Tracker {
    session: Session,
    client: Framer,
    server: Framer,
    pending: VecDeque<Pending>,
    prepared: ByName<Prepared>,
    portals: ByName<Bound>,
    /// Queries by the names that PREPARE gave them.
    named: HashMap<String, Arc<str>>,
    /// The server passes over what comes before the next Sync.
    discarding: bool,
    /// The server takes COPY's data, and passes over Flush and Sync.
    copying_in: bool,
    /// Whether the server has been ready for a query.
    began: bool,
    status: TransactionStatus,
    /// A message was malformed: nothing behind it is read.
    lost_track: bool,
    answer: Answer,
}

/// What has come of the answer to the queue's front.
#[derive(Debug, Default)]
struct Answer {
    first_row: Option<Duration>,
    rows: u64,
    bytes: u64,
    /// Types and formats of the columns.
    columns: Vec<(u32, i16)>,
    values: RowValues,
    /// When the one before it ended.
    last_end: Duration,
}

impl Tracker {
    /// For a session of which nothing but its first packet has passed.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self {
            session,
            client: Framer::new(is_read),
            server: Framer::new(backend::is_read),
            pending: VecDeque::new(),
            prepared: ByName::default(),
            portals: ByName::default(),
            named: HashMap::new(),
            discarding: false,
            copying_in: false,
            began: false,
            status: TransactionStatus::Idle,
            lost_track: false,
            answer: Answer::default(),
        }
    }

    /// Reads bytes that the client sent, in pieces of any size, before the server's answer to them is read. Times count
    /// from the tap's start.
    pub fn client_sent(&mut self, bytes: &[u8], now: Duration, sink: &dyn Sink) {
        let mut rest = bytes;
        // Taken out so that a frame, which borrows from it, can be dealt with.
        let mut framer = std::mem::replace(&mut self.client, Framer::new(is_read));
        while !self.lost_track {
            match framer.next(&mut rest) {
                None => break,
                Some(Ok(frame)) => self.asked(&frame, now),
                // What was asked before it is still answered; behind it the framer reads nothing.
                Some(Err(malformed)) => self.tell_of_malformed(&format!("the client sent {malformed}"), sink),
            }
        }
        self.client = framer;
    }

    /// Reads bytes that the server sent, after what the client sent before them.
    pub fn server_sent(&mut self, bytes: &[u8], now: Duration, sink: &dyn Sink) {
        let mut rest = bytes;
        let mut framer = std::mem::replace(&mut self.server, Framer::new(backend::is_read));
        while !self.lost_track {
            match framer.next(&mut rest) {
                None => break,
                Some(Ok(frame)) => self.answered(&frame, now, sink),
                Some(Err(malformed)) => {
                    self.lost_track = true;
                    self.tell_of_malformed(&format!("the server sent {malformed}"), sink);
                }
            }
        }
        self.server = framer;
    }

    fn tell_of_malformed(&self, why: &str, sink: &dyn Sink) {
        sink.trouble(
            &self.session,
            format!("{why}: it was passed on, and nothing behind it on that connection is recorded"),
        );
    }

    /// A message of the client's.
    fn asked(&mut self, frame: &Frame<'_>, now: Duration) {
        let mut body = Reader(frame.body);
        match frame.tag {
            b'Q' => self.ask(Pending::query(body.string(), now)),
            b'P' => {
                let name = body.string();
                let prepared = Arc::new(Prepared::read(name, body));
                self.prepared.insert(name, Arc::clone(&prepared));
                self.ask(Pending::Parse(prepared, now));
            }
            b'B' => {
                let (portal, name) = (body.string(), body.string());
                let prepared = self.prepared.get(name);
                let bound = Arc::new(parsed_bind(prepared, body));
                self.portals.insert(portal, Arc::clone(&bound));
                self.ask(Pending::Bind(bound, now));
            }
            b'D' => {
                let of_statement = body.byte() == Some(b'S');
                let name = body.string();
                let pending = if of_statement {
                    Pending::DescribeStatement(self.prepared.get(name), now)
                } else {
                    Pending::DescribePortal(self.portals.get(name), now)
                };
                self.ask(pending);
            }
            b'E' => {
                let bound = self.portals.get(body.string());
                self.ask(Pending::Execute(bound, now));
            }
            b'C' => {
                let of_statement = body.byte() == Some(b'S');
                let name = body.string();
                if of_statement {
                    self.prepared.remove(name);
                } else {
                    self.portals.remove(name);
                }
                self.ask(Pending::Close);
            }
            b'F' => self.ask(Pending::Call(now)),
            b'S' if !self.copying_in => {
                self.discarding = false;
                self.pending.push_back(Pending::Sync(now));
            }
            _ => {}
        }
    }

    fn ask(&mut self, pending: Pending) {
        // The server would pass over an extended query's message.
        if !self.discarding || matches!(pending, Pending::Query { .. } | Pending::Call(_)) {
            self.pending.push_back(pending);
        }
    }
}
