//! `plimsoll branch pool` and `take`: branches that are ready before they are asked for.
//!
//! Every branch of a pool is bound to the pool's process, as with `create --exec`: however that ends, they go. Who takes one
//! asks on a socket, and where a program is to have it for its own time, the open connection is that time.
//!
//! With `--databases`, one branch's server has them all: each is a database, copied from the branch's own.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_branch::{BranchError, Name, NewBranch, Origin, runtime};
use plimsoll_pg::server::{Environment, MISLEADING, PrivateServer};
use serde::{Deserialize, Serialize};

use super::branch::{Talk, Workshop, failure, located, origin};
use super::trunk::now;
use crate::branch_args::{PoolArguments, TakeArguments};
use crate::exit::{CLEAN, Failure, unless_stopped};
use crate::output::{print, tell};
use crate::program;

const SOCKET: &str = "pool";
/// How long who takes a branch waits for one: a copy of a big trunk, byte for byte, takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// After a branch could not be made, the next attempt waits.
const PAUSE: Duration = Duration::from_secs(1);

/// What who takes a branch asks, one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    pool: Name,
    /// For as long as the connection is open; else until `seconds` are over, or the pool ends.
    held: bool,
    seconds: Option<u64>,
}

/// What the pool answers, one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Taken { what: String, url: String, variables: Vec<(String, String)> },
    Failed(String),
}

/// A branch, or a database of one.
struct Ready {
    /// Ends with the last that has it.
    server: Arc<PrivateServer>,
    branch: Name,
    database: String,
}

#[derive(Default)]
struct Stock {
    ready: VecDeque<Ready>,
    /// Until the pool ends.
    taken: Vec<Ready>,
    last_failure: Option<String>,
    is_over: bool,
}

/// What a pool has ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Branches,
    /// Of one branch.
    Databases(Copied),
}

/// How databases are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copied {
    ByCloning,
    ByteForByte,
}

struct Pool {
    shop: Workshop,
    name: Name,
    origin: Origin,
    size: usize,
    kind: Kind,
    stock: Mutex<Stock>,
    changed: Condvar,
}

/// What the thread that fills the stock remembers.
#[derive(Default)]
struct Maker {
    number: u32,
    /// The branch whose databases the stock has.
    shared: Option<Ready>,
}

impl Pool {
    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the stock full until the pool is over.
    fn fill(&self) {
        let mut maker = Maker::default();
        loop {
            let mut stock = self.stock();
            while stock.ready.len() >= self.size && !stock.is_over {
                stock = self.changed.wait(stock).unwrap_or_else(PoisonError::into_inner);
            }
            if stock.is_over {
                return;
            }
            drop(stock);
            match self.make(&mut maker) {
                Ok(ready) => self.stock().ready.push_back(ready),
                Err(failed) => {
                    self.stock().last_failure = Some(failed.to_string());
                    self.changed.notify_all();
                    std::thread::sleep(PAUSE);
                }
            }
            self.changed.notify_all();
        }
    }

    fn make(&self, maker: &mut Maker) -> Result<Ready, BranchError> {
        let runtime = runtime()?;
        if self.kind == Kind::Branches {
            return runtime.block_on(self.make_branch(&mut maker.number));
        }
        let shared = match maker.shared.take() {
            Some(shared) if shared.server.is_alive() => shared,
            dead => {
                if let Some(dead) = dead {
                    // Its keeper has ended with the server; should it stay, `gc` removes it.
                    plimsoll_branch::drop_branch(&self.shop.state, &dead.branch).ok();
                }
                runtime.block_on(self.make_branch(&mut maker.number))?
            }
        };
        maker.number += 1;
        let database = format!("{}_{}", self.name, maker.number);
        let server = Arc::clone(&shared.server);
        let copied = runtime.block_on(server.copy_database(&shared.database, &database));
        let branch = shared.branch.clone();
        maker.shared = Some(shared);
        copied?;
        Ok(Ready { server, branch, database })
    }

    async fn make_branch(&self, number: &mut u32) -> Result<Ready, BranchError> {
        let settings = match self.kind {
            Kind::Databases(Copied::ByCloning) => vec![("file_copy_method".to_owned(), "clone".to_owned())],
            _ => Vec::new(),
        };
        loop {
            *number += 1;
            let name = format!("{}-{number}", self.name);
            let name: Name = name.parse().map_err(|why| BranchError::Refused(format!("{why}")))?;
            let new = NewBranch::with_program(name.clone(), self.origin.clone(), settings.clone(), now());
            let Workshop { state, host, keeper, .. } = &self.shop;
            match plimsoll_branch::on_branch(state, host, keeper, &new, &Talk).await {
                // Somebody's own, or one of a pool of before that was killed just now.
                Err(BranchError::Taken { .. }) => {}
                made => {
                    let (server, branch) = made?;
                    let database = branch.server.database;
                    return Ok(Ready { server: Arc::new(server), branch: name, database });
                }
            }
        }
    }

    /// Removes one that nobody has any more.
    fn release(&self, ready: &Ready) {
        if self.kind != Kind::Branches
            && let Ok(runtime) = runtime()
        {
            // A server that has ended took it along.
            runtime.block_on(ready.server.drop_database(&ready.database)).ok();
        }
    }

    /// Waits until the stock is full, or can't be filled.
    fn wait_until_full(&self) -> Result<(), Failure> {
        let mut stock = self.stock();
        while stock.ready.len() < self.size {
            if let Some(why) = stock.last_failure.take() {
                return Err(Failure::environment(format!("fill pool {}: {why}", self.name)));
            }
            stock = self.changed.wait(stock).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// One whose server runs, which the stock then makes good.
    fn take(&self) -> Result<Ready, String> {
        let mut stock = self.stock();
        loop {
            let Some(ready) = stock.ready.pop_front() else {
                let (after, waited) =
                    self.changed.wait_timeout(stock, PATIENCE).unwrap_or_else(PoisonError::into_inner);
                stock = after;
                if waited.timed_out() || stock.is_over {
                    let why = stock.last_failure.clone();
                    return Err(why.unwrap_or_else(|| "it has none ready".to_owned()));
                }
                continue;
            };
            self.changed.notify_all();
            if ready.server.is_alive() {
                return Ok(ready);
            }
        }
    }

    /// Hands one over. An error is that of a connection whose other end has gone: the branch goes as well.
    fn serve(&self, connection: &UnixStream) -> std::io::Result<()> {
        let mut line = String::new();
        BufReader::new(connection.take(4096)).read_line(&mut line)?;
        let request: Request = serde_json::from_str(&line)?;
        let mut connection = connection;
        let answer = |mut connection: &UnixStream, answer: &Answer| {
            connection.write_all(format!("{}\n", serde_json::to_string(answer)?).as_bytes())
        };
        if request.pool != self.name {
            return answer(connection, &Answer::Failed(format!("the pool that runs is {}", self.name)));
        }
        let ready = match self.take() {
            Ok(ready) => ready,
            Err(why) => return answer(connection, &Answer::Failed(why)),
        };
        let environment = ready.server.environment(&ready.database);
        let said = Answer::Taken {
            what: match self.kind {
                Kind::Branches => format!("branch {}", ready.branch),
                Kind::Databases(_) => format!("database {} of branch {}", ready.database, ready.branch),
            },
            url: ready.server.url(&ready.database),
            variables: environment.set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        let held = answer(connection, &said).and_then(|()| {
            if request.held {
                connection.read_to_end(&mut Vec::new())?;
            } else if let Some(seconds) = request.seconds {
                std::thread::sleep(Duration::from_secs(seconds));
            }
            Ok(())
        });
        if held.is_ok() && !request.held && request.seconds.is_none() {
            self.stock().taken.push(ready);
        } else {
            self.release(&ready);
        }
        held
    }
}

/// What a pool of this origin has ready.
fn kind(shop: &Workshop, origin: &Origin, databases: bool) -> Result<Kind, Failure> {
    /// The first version that clones a database's files.
    const FIRST_THAT_CLONES: u32 = 18;
    if !databases {
        return Ok(Kind::Branches);
    }
    let server = match origin {
        Origin::Trunk(name) => shop.state.known_trunk(name).map_err(failure)?.server,
        Origin::Branch(name) => shop.state.known_branch(name).map_err(failure)?.server,
        Origin::Server(_) => return Ok(Kind::Databases(Copied::ByteForByte)),
    };
    if server.major >= FIRST_THAT_CLONES && shop.clones() {
        return Ok(Kind::Databases(Copied::ByCloning));
    }
    tell(
        "note: each database is copied byte for byte; cloning takes PostgreSQL 18 and a file system that clones files (`plimsoll branch doctor`)",
    );
    Ok(Kind::Databases(Copied::ByteForByte))
}

/// Keeps a pool until it is asked to stop, or its program ends.
pub(super) async fn keep(arguments: &PoolArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let shop = Workshop::open(config)?;
    let origin = origin(&shop, arguments.from.as_ref().map(Name::as_str))?;
    let kind = kind(&shop, &origin, arguments.databases)?;
    let _held = shop.state.hold_pool(&arguments.name).map_err(failure)?;
    let socket = shop.state.pool_folder(&arguments.name).join(SOCKET);
    let said = |why| Failure::environment(format!("listen on {}: {why}", socket.display()));
    // Of a pool of before, which was killed.
    std::fs::remove_file(&socket).ok();
    let pool = Arc::new(Pool {
        shop,
        name: arguments.name.clone(),
        origin,
        size: usize::from(arguments.size),
        kind,
        stock: Mutex::default(),
        changed: Condvar::new(),
    });
    let filler = std::thread::spawn({
        let pool = Arc::clone(&pool);
        move || pool.fill()
    });
    let full = tokio::task::spawn_blocking({
        let pool = Arc::clone(&pool);
        move || pool.wait_until_full()
    });
    let ended = unless_stopped(async {
        full.await.map_err(Failure::environment)??;
        let listener = UnixListener::bind(&socket).map_err(said)?;
        std::thread::spawn({
            let pool = Arc::clone(&pool);
            move || listen(&pool, &listener)
        });
        let what = match pool.kind {
            Kind::Branches => "branches",
            Kind::Databases(_) => "databases of a branch",
        };
        tell(&format!("pool {}: {} {what} of {} are ready", pool.name, pool.size, in_words(&pool.origin)));
        if arguments.exec.is_empty() {
            return std::future::pending().await;
        }
        let status = program::run_in_front(&arguments.exec, |_| {}).await?;
        Ok(program::code(status))
    })
    .await;
    std::fs::remove_file(&socket).ok();
    pool.stock().is_over = true;
    pool.changed.notify_all();
    // It may be making one more.
    filler.join().ok();
    let (ready, taken) = {
        let mut stock = pool.stock();
        (std::mem::take(&mut stock.ready), std::mem::take(&mut stock.taken))
    };
    drop((ready, taken));
    ended
}

fn listen(pool: &Arc<Pool>, listener: &UnixListener) {
    for connection in listener.incoming().filter_map(Result::ok) {
        let pool = Arc::clone(pool);
        // Who asked and went away has no use for an error.
        std::thread::spawn(move || pool.serve(&connection).ok());
    }
}

fn in_words(origin: &Origin) -> String {
    match origin {
        Origin::Trunk(name) => format!("trunk {name}"),
        Origin::Branch(name) => format!("branch {name}"),
        Origin::Server(address) => format!("the private server {}", address.url),
    }
}

/// Takes a branch from a pool, for a program or for later.
pub(super) async fn take(arguments: &TakeArguments) -> Result<u8, Failure> {
    let state = located(&Environment::read())?;
    let name = &arguments.name;
    let failed = |why: String| Failure::environment(format!("take a branch from pool {name}: {why}"));
    let mut connection = UnixStream::connect(state.pool_folder(name).join(SOCKET)).map_err(|_| {
        Failure::input(format!(
            "take a branch from pool {name}: no pool of this name is ready; `plimsoll branch pool {name} --size 4` keeps one"
        ))
    })?;
    let request = Request {
        pool: name.clone(),
        held: !arguments.exec.is_empty(),
        seconds: arguments.ttl.map(|span| span.as_secs().max(1)),
    };
    let asked = serde_json::to_string(&request).map_err(|why| failed(why.to_string()))?;
    let mut line = String::new();
    connection
        .write_all(format!("{asked}\n").as_bytes())
        .and_then(|()| BufReader::new(&connection).read_line(&mut line))
        .map_err(|why| failed(why.to_string()))?;
    let answer = serde_json::from_str(&line).map_err(|_| failed("it has ended".to_owned()))?;
    let (what, url, variables) = match answer {
        Answer::Taken { what, url, variables } => (what, url, variables),
        Answer::Failed(why) => return Err(failed(why)),
    };
    if arguments.exec.is_empty() {
        tell(&what);
        print(&format!("{url}\n"))?;
        return Ok(CLEAN);
    }
    let status = program::run_in_front(&arguments.exec, |child| {
        for name in MISLEADING {
            child.env_remove(name);
        }
        child.envs(variables);
    })
    .await?;
    // With this connection ends the branch.
    drop(connection);
    Ok(program::code(status))
}
