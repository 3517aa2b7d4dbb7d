//! Passes bytes between clients and server on a thread of its own, and shows them to each session's tracker on the way.
//!
//! Readiness is asked of the kernel by edges, and for writing only where something couldn't be written: each piece costs one
//! read and one write. A runtime's tasks and locks around that cost as much again, measured with pgbench.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use rustix::io::Errno;
use rustix::net::Shutdown;

use super::tracker::{Sink, Tracker};

/// Bytes that are read at once. The server sends 8 KiB at a time.
const PIECE: usize = 16 * 1024;

/// Pieces that one direction passes before the others have their turn.
const TURN: usize = 16;

/// So long the relay stays awake when nothing comes. To be woken costs more than many a statement takes, in a virtual
/// machine above all, whose idle cores are given back to its host.
const AWAKE: Duration = Duration::from_micros(100);

/// To look and to give way takes longer than this only where somebody else had something to do.
const OTHERS_RAN: Duration = Duration::from_micros(3);

/// Tokens of connections are twice their place, one more for the server's side.
const WAKER: Token = Token(usize::MAX);

/// A client and its connection to the server, behind the first packet.
pub(super) struct Connection {
    pub(super) client: OwnedFd,
    pub(super) server: OwnedFd,
    /// None for what is no session.
    pub(super) tracker: Option<Tracker>,
}

enum Order {
    Take(Box<Connection>),
    Stop,
}

/// Hands connections over to the relay.
#[derive(Clone)]
pub(super) struct RelayHandle {
    orders: Sender<Order>,
    waker: Arc<Waker>,
}

impl RelayHandle {
    /// The relay serves the connection to its end. Both sockets must be non-blocking.
    pub(super) fn take(&self, connection: Connection) {
        self.order(Order::Take(Box::new(connection)));
    }

    fn order(&self, order: Order) {
        // A relay that has stopped drops what it is given, which closes it.
        if self.orders.send(order).is_ok() {
            self.waker.wake().unwrap_or_default();
        }
    }
}

/// The thread. It ends, with all its connections, when this is dropped.
pub(super) struct Relay {
    handle: RelayHandle,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Starts it. Times are told as since `opened`.
    pub(super) fn start(opened: Instant, sink: Arc<dyn Sink>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (orders, receiver) = channel();
        let loops = Loop {
            poll,
            orders: receiver,
            pairs: Vec::new(),
            free: Vec::new(),
            freed: Vec::new(),
            unfinished: Vec::new(),
            piece: vec![0; PIECE],
            opened,
            sink,
        };
        let thread = std::thread::Builder::new().name("tap".into()).spawn(move || loops.run())?;
        Ok(Self { handle: RelayHandle { orders, waker }, thread: Some(thread) })
    }

    pub(super) fn handle(&self) -> RelayHandle {
        self.handle.clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.handle.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            // If it panicked, its message has been printed.
            thread.join().unwrap_or_default();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// How far a side is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadTo {
    /// Until less comes than could: what comes next is told anew.
    ShortRead,
    /// Until nothing comes: an end may have been told already.
    Nothing,
}

/// One of a connection's two sockets.
struct Half {
    socket: OwnedFd,
    /// What couldn't be written to it yet.
    unsent: Vec<u8>,
    /// Nothing more comes from it.
    has_ended: bool,
    /// Reading from it waits for the other side's `unsent`.
    is_paused: bool,
    /// Nothing can be written to it any more.
    is_broken: bool,
}

impl Half {
    fn new(socket: OwnedFd) -> Self {
        Self { socket, unsent: Vec::new(), has_ended: false, is_paused: false, is_broken: false }
    }
}

struct Pair {
    client: Half,
    server: Half,
    tracker: Option<Tracker>,
}

impl Pair {
    fn halves(&mut self, from: Side) -> (&mut Half, &mut Half) {
        match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        }
    }

    /// The session is over when the server has ended it and the client has all of it, or the client is gone.
    fn is_over(&self) -> bool {
        self.client.is_broken || (self.server.has_ended && self.client.unsent.is_empty())
    }
}

struct Loop {
    poll: Poll,
    orders: Receiver<Order>,
    pairs: Vec<Option<Pair>>,
    free: Vec<usize>,
    /// Places of pairs that ended in this round: events of theirs may still come in it.
    freed: Vec<usize>,
    /// Directions that have had their turn and aren't at an end.
    unfinished: Vec<(usize, Side)>,
    piece: Vec<u8>,
    opened: Instant,
    sink: Arc<dyn Sink>,
}

impl Loop {
    fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            match self.wait(&mut events) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
                Ok(()) => {}
            }
            let mut stops = false;
            for event in &events {
                match event.token() {
                    WAKER => stops = !self.take_orders(),
                    Token(token) => {
                        let side = if token % 2 == 0 { Side::Client } else { Side::Server };
                        if event.is_writable() {
                            self.flush(token / 2, side);
                        }
                        if event.is_readable() || event.is_read_closed() || event.is_error() {
                            // The end that was announced with what comes before it isn't announced again.
                            let all = event.is_read_closed() || event.is_error();
                            self.pump(token / 2, side, if all { ReadTo::Nothing } else { ReadTo::ShortRead });
                        }
                    }
                }
            }
            for (at, side) in std::mem::take(&mut self.unfinished) {
                self.pump(at, side, ReadTo::Nothing);
            }
            self.free.append(&mut self.freed);
            if stops {
                break;
            }
        }
        for at in 0..self.pairs.len() {
            self.end(at);
        }
    }

    /// Waits until there is something to do: awake for a while, as long as this core has nothing else to do.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let began = Instant::now();
        let mut now = began;
        while now - began < AWAKE {
            self.poll.poll(events, Some(Duration::ZERO))?;
            if !events.is_empty() || !self.unfinished.is_empty() {
                return Ok(());
            }
            std::thread::yield_now();
            let last = std::mem::replace(&mut now, Instant::now());
            if now - last > OTHERS_RAN {
                break;
            }
        }
        self.poll.poll(events, None)
    }

    /// False if the relay is to stop.
    fn take_orders(&mut self) -> bool {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Take(connection) => self.begin(*connection),
                Order::Stop => return false,
            }
        }
        true
    }

    fn begin(&mut self, connection: Connection) {
        let Connection { client, server, tracker } = connection;
        let pair = Pair { client: Half::new(client), server: Half::new(server), tracker };
        let at = self.free.pop().unwrap_or_else(|| {
            self.pairs.push(None);
            self.pairs.len() - 1
        });
        let raw = [pair.client.socket.as_raw_fd(), pair.server.socket.as_raw_fd()];
        self.pairs[at] = Some(pair);
        for (side, socket) in raw.iter().enumerate() {
            let token = Token(2 * at + side);
            if self.poll.registry().register(&mut SourceFd(socket), token, Interest::READABLE).is_err() {
                return self.end(at);
            }
        }
    }

    /// Passes on what has come from a side.
    fn pump(&mut self, at: usize, from: Side, to: ReadTo) {
        let Some(Some(pair)) = self.pairs.get_mut(at) else { return };
        let mut pieces = 0;
        loop {
            let (source, target) = match from {
                Side::Client => (&mut pair.client, &mut pair.server),
                Side::Server => (&mut pair.server, &mut pair.client),
            };
            if source.has_ended {
                break;
            }
            if !target.unsent.is_empty() {
                source.is_paused = true;
                break;
            }
            let count = match rustix::io::read(&source.socket, &mut self.piece[..]) {
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => break,
                // A broken connection is one that has ended.
                Err(_) => 0,
            };
            if count == 0 {
                source.has_ended = true;
                if from == Side::Client {
                    // The server ends the session when it hears of it.
                    rustix::net::shutdown(&target.socket, Shutdown::Write).unwrap_or_default();
                }
                break;
            }
            let piece = &self.piece[..count];
            let now = self.opened.elapsed();
            // Before we look at it: who waits for it can go on meanwhile.
            write(target, piece);
            if let Some(tracker) = &mut pair.tracker {
                match from {
                    Side::Client => tracker.client_sent(piece, now, &*self.sink),
                    Side::Server => tracker.server_sent(piece, now, &*self.sink),
                }
            }
            if !target.unsent.is_empty() {
                source.is_paused = true;
                let (target, side) = (target.socket.as_raw_fd(), 1 - from as usize);
                let interest = Interest::READABLE | Interest::WRITABLE;
                let token = Token(2 * at + side);
                if self.poll.registry().reregister(&mut SourceFd(&target), token, interest).is_err() {
                    pair.client.is_broken = true;
                }
                break;
            }
            // A short read means that there was no more (epoll(7), "Questions and answers"): what comes next is told anew.
            if count < self.piece.len() && to == ReadTo::ShortRead {
                break;
            }
            pieces += 1;
            if pieces == TURN {
                self.unfinished.push((at, from));
                break;
            }
        }
        if pair.is_over() {
            self.end(at);
        }
    }

    /// Writes what couldn't be written to a side before.
    fn flush(&mut self, at: usize, side: Side) {
        let Some(Some(pair)) = self.pairs.get_mut(at) else { return };
        let (half, other) = pair.halves(side);
        let unsent = std::mem::take(&mut half.unsent);
        if unsent.is_empty() {
            return;
        }
        write(half, &unsent);
        if !half.unsent.is_empty() {
            return;
        }
        let resumes = std::mem::take(&mut other.is_paused);
        let (socket, token) = (half.socket.as_raw_fd(), Token(2 * at + side as usize));
        if self.poll.registry().reregister(&mut SourceFd(&socket), token, Interest::READABLE).is_err() {
            pair.client.is_broken = true;
        }
        if pair.is_over() {
            self.end(at);
        } else if resumes {
            let other = if side == Side::Client { Side::Server } else { Side::Client };
            self.pump(at, other, ReadTo::Nothing);
        }
    }

    fn end(&mut self, at: usize) {
        let Some(mut pair) = self.pairs[at].take() else { return };
        if let Some(tracker) = &mut pair.tracker {
            tracker.close(self.opened.elapsed(), &*self.sink);
        }
        // Closing the sockets takes them out of the poll.
        self.freed.push(at);
    }
}

/// Writes what can be written at once, and keeps the rest. What can't be written to a connection that is gone, is gone.
fn write(half: &mut Half, mut bytes: &[u8]) {
    while !bytes.is_empty() && !half.is_broken {
        match rustix::io::write(&half.socket, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                half.unsent.extend_from_slice(bytes);
                return;
            }
            Err(_) => half.is_broken = true,
        }
    }
}
