//! `plimsoll branch pool` and `take`: branches that are ready before they are asked for.
//!
//! Every branch of a pool is bound to the pool's process, as with `create --exec`: however that ends, they go. Who takes one
//! asks on a socket, and where a program is to have it for its own time, the open connection is that time.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_branch::{Branch, BranchError, Kept, Name, NewBranch, Origin};
use plimsoll_pg::server::{Environment, MISLEADING};
use serde::{Deserialize, Serialize};

use super::branch::{Talk, Workshop, environment, failure, located, origin, url};
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
    Branch { name: Name, url: String, variables: Vec<(String, String)> },
    Failed(String),
}

struct Ready {
    branch: Branch,
    kept: Kept,
}

#[derive(Default)]
struct Stock {
    ready: VecDeque<Ready>,
    /// Until the pool ends.
    taken: Vec<Kept>,
    last_failure: Option<String>,
    is_over: bool,
}

struct Pool {
    shop: Workshop,
    name: Name,
    origin: Origin,
    size: usize,
    stock: Mutex<Stock>,
    changed: Condvar,
}

impl Pool {
    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the stock full until the pool is over.
    fn fill(&self) {
        let mut number = 0;
        loop {
            let mut stock = self.stock();
            while stock.ready.len() >= self.size && !stock.is_over {
                stock = self.changed.wait(stock).unwrap_or_else(PoisonError::into_inner);
            }
            if stock.is_over {
                return;
            }
            drop(stock);
            match self.make(&mut number) {
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

    fn make(&self, number: &mut u32) -> Result<Ready, BranchError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|why| BranchError::Environment(format!("start the asynchronous runtime: {why}")))?;
        let branch = loop {
            *number += 1;
            let name = format!("{}-{number}", self.name);
            let name = name.parse().map_err(|why| BranchError::Refused(format!("{why}")))?;
            let new = NewBranch::with_program(name, self.origin.clone(), Vec::new(), now());
            let shop = &self.shop;
            match runtime.block_on(plimsoll_branch::create(&shop.state, &shop.host, &new, &Talk)) {
                // Somebody's own, or one of a pool of before that was killed just now.
                Err(BranchError::Taken { .. }) => {}
                made => break made?,
            }
        };
        let kept = plimsoll_branch::start_new(&self.shop.state, &branch, &self.shop.keeper)?;
        Ok(Ready { branch, kept })
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
            if matches!(plimsoll_branch::running(&self.shop.state, &ready.branch.name), Ok(Some(_))) {
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
        let variables = environment(&ready.branch, &ready.kept.running);
        let said = Answer::Branch {
            name: ready.branch.name.clone(),
            url: url(&ready.branch, &ready.kept.running, None),
            variables: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        answer(connection, &said)?;
        if request.held {
            connection.read_to_end(&mut Vec::new())?;
        } else if let Some(seconds) = request.seconds {
            std::thread::sleep(Duration::from_secs(seconds));
        } else {
            self.stock().taken.push(ready.kept);
        }
        Ok(())
    }
}

/// Keeps a pool until it is asked to stop, or its program ends.
pub(super) async fn keep(arguments: &PoolArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let shop = Workshop::open(config)?;
    let origin = origin(&shop, arguments.from.as_ref().map(Name::as_str))?;
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
        tell(&format!("pool {}: {} branches of {} are ready", pool.name, pool.size, in_words(&pool.origin)));
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
    let (branch, url, variables) = match answer {
        Answer::Branch { name, url, variables } => (name, url, variables),
        Answer::Failed(why) => return Err(failed(why)),
    };
    if arguments.exec.is_empty() {
        tell(&format!("branch {branch}"));
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
