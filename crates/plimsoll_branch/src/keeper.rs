//! The process that keeps one branch: it mounts what has to be mounted, runs the server, and ends both.
//!
//! A branch outlives the command that made it, so each has a keeper, a process of this same program. It holds a lock for
//! as long as it lives; by that lock, not by a process number, others know that the branch runs. However the keeper ends,
//! the server ends with it. What it can't do any more when it is killed, the next command on the branch does first.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use plimsoll_pg::server::{
    DirectoryServer, DirectoryStart, LockKind, Network, clear_up, end_orphans, network_can_be_taken,
    open_lock_file,
};
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::configuration;
use crate::error::{BranchError, advice_on_log, file_error};
use crate::host::Host;
use crate::manifest::{self, Branch, Lifetime, Moment, Port};
use crate::mechanism::BranchFolders;
use crate::name::Name;
use crate::running::{Address, in_words};
use crate::state::{State, create_folder, is_still_at, remove_file};

const KEEPER_LOCK: &str = "keeper.lock";
const KEEPER_FILE: &str = "keeper.json";
/// What a keeper writes to its standard output once the server takes connections.
const READY: &str = "ready";
/// What it writes where another one keeps the branch already.
const KEPT: &str = "kept";
/// Recovery of a branch that was killed reads what it wrote since its last checkpoint, at most an hour of it.
const RECOVERY: Duration = Duration::from_secs(600);
/// For a keeper that somebody else has started.
const STARTING: Duration = Duration::from_secs(120);
/// A fast shutdown writes what the branch's server holds in memory, 128 MB at most.
const STOP_PATIENCE: Duration = Duration::from_secs(150);
const POLL: Duration = Duration::from_millis(10);
const WATCH: Duration = Duration::from_millis(250);

/// What a keeper says of itself, in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The keeper's process.
    pub keeper: u32,
    /// The postmaster's process.
    pub postmaster: u32,
    /// The folder of the server's socket.
    pub sockets: PathBuf,
    /// When the server was started.
    pub since: Moment,
    /// Whether the server has no network.
    pub isolated: bool,
}

/// A branch that runs. Where its life is bound to this program's, dropping this value lets it be dropped.
#[derive(Debug)]
pub struct Kept {
    /// What the keeper says.
    pub running: Running,
    /// The keeper, which waits for the end of its standard input.
    pub(crate) keeper: Option<Child>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            // It ends when the branch is gone.
            keeper.wait().ok();
        }
    }
}

/// What runs of a branch, if it runs.
///
/// # Errors
/// When its lock can't be looked at.
pub fn running(state: &State, name: &Name) -> Result<Option<Running>, BranchError> {
    let folder = state.branch_folder(name);
    if is_free(&folder)? { Ok(None) } else { said_by_keeper(&folder) }
}

/// What the keeper that holds the lock has said of itself; none if it hasn't yet: what another one said, which was killed,
/// doesn't count.
fn said_by_keeper(folder: &Path) -> Result<Option<Running>, BranchError> {
    let path = folder.join(KEEPER_LOCK);
    let holder = std::fs::read_to_string(&path).map_err(file_error("read", &path))?;
    let said = manifest::read::<Running>(&folder.join(KEEPER_FILE))?;
    Ok(said.filter(|running| holder.trim() == running.keeper.to_string()))
}

/// Whether no keeper is there.
fn is_free(folder: &Path) -> Result<bool, BranchError> {
    let path = folder.join(KEEPER_LOCK);
    match File::open(&path) {
        Ok(file) => Ok(file.try_lock_shared().is_ok()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(why) => Err(file_error("open", &path)(why)),
    }
}

/// Starts the branch's server, unless it runs. `program` is this program, which has to run [`keep`] when its arguments are
/// `keeper_arguments`, the state's folder and the branch's name. Call it with the branch's lock.
///
/// # Errors
/// When the server doesn't start; nothing runs then.
pub(crate) fn start(state: &State, branch: &Branch, program: &KeeperProgram) -> Result<Kept, BranchError> {
    let folder = state.branch_folder(&branch.name);
    let deadline = Instant::now() + STARTING;
    // A keeper whose starter was killed may be about to start the server, or about to take the lock for it.
    let child = loop {
        if let Some(running) = wait_for_keeper(&folder, &branch.name, deadline)? {
            return Ok(Kept { running, keeper: None });
        }
        let mut child = spawn(state, branch, program, &folder)?;
        let mut said = String::new();
        if let Some(stdout) = &mut child.stdout {
            // Its output ends when it is ready, or ends.
            stdout.read_to_string(&mut said).map_err(file_error("hear from the keeper of", &folder))?;
        }
        let said = said.trim();
        if said == READY {
            break child;
        }
        child.wait().ok();
        if said != KEPT || Instant::now() >= deadline {
            let why = if said.is_empty() { "it was killed; try again" } else { said };
            let advice = advice_on_log(&folder, why);
            return Err(BranchError::Environment(format!("start branch {}: {why}{advice}", branch.name)));
        }
    };
    let running = manifest::read(&folder.join(KEEPER_FILE))?.ok_or_else(|| {
        BranchError::Environment(format!(
            "start branch {}: its keeper ended at once; see {}",
            branch.name,
            folder.join("server.log").display()
        ))
    })?;
    let is_bound = branch.lifetime == Lifetime::WithProgram;
    Ok(Kept { running, keeper: is_bound.then_some(child) })
}

/// What the keeper says that holds the lock; none if nobody holds it.
fn wait_for_keeper(folder: &Path, name: &Name, deadline: Instant) -> Result<Option<Running>, BranchError> {
    while !is_free(folder)? {
        if let Some(running) = said_by_keeper(folder)? {
            return Ok(Some(running));
        }
        if Instant::now() >= deadline {
            let log = folder.join("server.log");
            return Err(BranchError::Environment(format!(
                "start branch {name}: its keeper has been starting its server for {} s; see {}",
                STARTING.as_secs(),
                log.display()
            )));
        }
        std::thread::sleep(POLL);
    }
    Ok(None)
}

/// How this program is run as a keeper.
#[derive(Clone, Debug)]
pub struct KeeperProgram {
    /// The program.
    pub program: PathBuf,
    /// Its arguments; the branch's name follows.
    pub arguments: Vec<String>,
}

/// Adds to a log; a disk that is full may not take it.
fn append(path: &Path, text: &str) {
    let file = File::options().append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).ok();
}

/// What a server says may have rows' values in it.
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn spawn(
    state: &State,
    branch: &Branch,
    program: &KeeperProgram,
    folder: &Path,
) -> Result<Child, BranchError> {
    let log = folder.join("keeper.log");
    let log = create_private(&log).map_err(file_error("write", &log))?;
    let mut command = Command::new(&program.program);
    command.args(&program.arguments).arg(branch.name.as_str()).env("PLIMSOLL_STATE", state.root());
    // It outlives what may be a temporary folder of the caller's.
    command.env_remove("TMPDIR");
    let stdin = if branch.lifetime == Lifetime::WithProgram { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(log).current_dir("/");
    // SAFETY: between fork and exec the closure makes one system call: it allocates nothing and takes no lock.
    unsafe {
        // No terminal's end or Ctrl-C is for it.
        command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?));
    }
    command.spawn().map_err(file_error("run", &program.program))
}

/// A branch that doesn't run. No keeper begins on its folder as long as this value is held.
#[derive(Debug)]
#[must_use]
pub(crate) struct Stopped {
    _keeper_lock: File,
}

/// Stops a branch's server, if it runs, and waits for its keeper's end. Call it with the branch's lock.
///
/// # Errors
/// When the keeper doesn't end.
pub(crate) fn stop(state: &State, name: &Name) -> Result<Stopped, BranchError> {
    let folder = state.branch_folder(name);
    let path = folder.join(KEEPER_LOCK);
    let deadline = Instant::now() + STOP_PATIENCE;
    let mut told = None;
    // Taken, not looked at: a keeper whose starter was killed may be about to take it.
    let keeper_lock = open_lock_file(&path).map_err(file_error("open", &path))?;
    while keeper_lock.try_lock().is_err() {
        // A keeper that has just begun says who it is a little later.
        let keeper = said_by_keeper(&folder)?.map(|running| running.keeper);
        if let Some(process) = keeper.filter(|keeper| told != Some(*keeper)) {
            tell(process);
            told = Some(process);
        }
        if Instant::now() >= deadline {
            let keeper = told
                .map_or_else(|| "its keeper".to_owned(), |keeper| format!("its keeper, process {keeper},"));
            let why = format!(
                "stop branch {name}: {keeper} runs on after {} s; see {}",
                STOP_PATIENCE.as_secs(),
                folder.join("server.log").display()
            );
            return Err(BranchError::Environment(why));
        }
        std::thread::sleep(POLL);
    }
    Ok(Stopped { _keeper_lock: keeper_lock })
}

fn tell(process: u32) {
    if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        // It may have ended: as wanted. Its number was written under a lock that is still held.
        rustix::process::kill_process(process, Signal::TERM).ok();
    }
}

/// Why a keeper ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was asked to stop: the branch stays.
    Asked,
    /// The branch's time is over, or the program that it was for has ended.
    Over,
    /// The server ended by itself.
    ServerDied,
}

/// Keeps a branch until it is asked to stop, its time is over, or its server ends. Says on standard output that the server takes connections, or why not.
///
/// # Errors
/// When the branch can't be kept.
pub fn keep(state: &State, host: &Host, name: &Name) -> Result<(), BranchError> {
    let folder = state.branch_folder(name);
    state.known_branch(name)?;
    let lock_path = folder.join(KEEPER_LOCK);
    let held = open_lock_file(&lock_path).map_err(file_error("open", &lock_path))?;
    let is_ours = held.try_lock().is_ok()
        && is_still_at(&held, &lock_path).map_err(file_error("look at", &lock_path))?;
    if !is_ours {
        // Another keeper was quicker, somebody looks whether there is one, or the branch was reset or dropped meanwhile.
        return say(KEPT).map_err(file_error("write to", Path::new("standard output")));
    }
    // What is kept: it may have been another one before the lock was taken.
    let branch = state.known_branch(name)?;
    held.set_len(0)
        .and_then(|()| (&held).write_all(std::process::id().to_string().as_bytes()))
        .map_err(file_error("write", &lock_path))?;
    let mechanism = branch.mechanism.mechanism().ok_or_else(|| {
        BranchError::Environment(format!("keep branch {name}: this system has no {}", branch.mechanism))
    })?;
    let folders = BranchFolders::of(&folder);
    let keeper_file = folder.join(KEEPER_FILE);
    if let Some(before) = manifest::read::<Running>(&keeper_file)? {
        // The keeper of before was killed. Its server's processes hold on to the mount that is taken away next.
        end_process(before.postmaster, &folders.data());
        end_orphans(&folders.data());
        remove_file(&keeper_file)?;
    }
    let mounted = mechanism
        .mount(branch.lower.as_deref(), folders, state.user())
        .map_err(file_error("mount the data of", &folder))?;
    let kept = serve(state, host, &branch, &folder);
    let ended = kept.and_then(|server| watch(&branch, server, &held));
    remove_file(&keeper_file)?;
    if let Some(mounted) = mounted {
        if let Some(why) = mounted.lost() {
            append(
                &folder.join("server.log"),
                &format!("plimsoll: what the server wrote could not be kept: {why}\n"),
            );
        }
        mounted.unmount().map_err(file_error("unmount the data of", &folder))?;
    }
    if ended? == End::Over {
        // Whoever works on the branch at this moment may be waiting for this lock.
        drop(held);
        remove_when_idle(state, &branch)?;
    }
    Ok(())
}

/// Removes a branch whose time is over, unless somebody else has.
fn remove_when_idle(state: &State, branch: &Branch) -> Result<(), BranchError> {
    let folder = state.branch_folder(&branch.name);
    // Whoever copies from it comes first.
    let patience = Duration::from_secs(600);
    let work = state.work_on(&folder, LockKind::Exclusive, patience).map_err(file_error("lock", &folder))?;
    let is_it = state.branch(&branch.name)?.is_some_and(|now| now.id == branch.id);
    if work.is_some() && is_it {
        let _stopped = stop(state, &branch.name)?;
        state.discard(&folder)?;
        state.discard(&state.sockets().join(&branch.id))?;
    }
    Ok(())
}

fn serve(state: &State, host: &Host, branch: &Branch, folder: &Path) -> Result<DirectoryServer, BranchError> {
    let data = BranchFolders::of(folder).data();
    clear_up(&data);
    let pid_file = data.join("postmaster.pid");
    remove_file(&pid_file)?;
    let sockets = state.sockets().join(&branch.id);
    create_folder(&sockets, 0o700)?;
    state.user().own(&sockets).map_err(file_error("give away", &sockets))?;
    configuration::write(&data, &sockets, branch, state.user())?;
    let binaries = host.installation(branch.server.major)?;
    let isolated = branch.port.is_none() && network_can_be_taken();
    let network = if isolated { Network::None } else { Network::Host };
    let log = folder.join("server.log");
    let start = DirectoryStart {
        binaries: &binaries,
        data: &data,
        log: &log,
        user: state.user(),
        recovery: RECOVERY,
        network,
    };
    let server = DirectoryServer::start(start)?;
    if let Some(port) = &branch.port {
        set_password(branch, port, &sockets)?;
    }
    let running = Running {
        keeper: std::process::id(),
        postmaster: server.process(),
        sockets,
        since: Moment::of(SystemTime::now()),
        isolated,
    };
    manifest::write(&folder.join(KEEPER_FILE), &running)?;
    Ok(server)
}

/// Gives the superuser the password that the port asks for. Nobody comes by the port before: no role has one.
fn set_password(branch: &Branch, port: &Port, sockets: &Path) -> Result<(), BranchError> {
    let address = Address { sockets, port: port.number, superuser: &branch.server.superuser };
    let quoted = |text: &str, quote: char| text.replace(quote, &format!("{quote}{quote}"));
    let statement = format!(
        "ALTER ROLE \"{}\" PASSWORD '{}'",
        quoted(&branch.server.superuser, '"'),
        quoted(&port.password, '\'')
    );
    runtime()?.block_on(async {
        let client = address.connect("template1").await?;
        client.batch_execute(&statement).await.map_err(|why| {
            let why = in_words(&why);
            BranchError::Environment(format!("give branch {} a password: {why}", branch.name))
        })
    })
}

/// A runtime for what waits on this thread.
///
/// # Errors
/// When the system doesn't give what it needs.
pub fn runtime() -> Result<tokio::runtime::Runtime, BranchError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| BranchError::Environment(format!("start the asynchronous runtime: {why}")))
}

/// Says that the server is ready, and waits for the end. `held` is the keeper's lock.
fn watch(branch: &Branch, server: DirectoryServer, held: &File) -> Result<End, BranchError> {
    let end = runtime()?.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let over = program_ended(branch.lifetime);
        say_ready()?;
        let deadline = match branch.lifetime {
            Lifetime::Until(moment) => Some(moment),
            Lifetime::Unlimited | Lifetime::WithProgram => None,
        };
        loop {
            tokio::select! {
                _ = terminate.recv() => return Ok(End::Asked),
                _ = interrupt.recv() => return Ok(End::Asked),
                () = tokio::time::sleep(WATCH) => {}
            }
            if server.death().is_some() {
                return Ok(End::ServerDied);
            }
            let is_late = deadline.is_some_and(|deadline| Moment::of(SystemTime::now()) >= deadline);
            if is_late || over.as_ref().is_some_and(std::thread::JoinHandle::is_finished) {
                return Ok(End::Over);
            }
        }
    });
    let end = end.map_err(file_error("wait for signals as", Path::new("keeper")))?;
    // From here on nobody may take the server for one that runs: whoever wants it waits for the lock.
    held.set_len(0).map_err(file_error("write", Path::new(KEEPER_LOCK)))?;
    match end {
        End::Asked => server.shut_down()?,
        // Nobody will read what it hasn't written yet.
        End::Over | End::ServerDied => drop(server),
    }
    Ok(end)
}

/// Ends when the program that the branch is for has ended, however it ended.
fn program_ended(lifetime: Lifetime) -> Option<std::thread::JoinHandle<()>> {
    (lifetime == Lifetime::WithProgram).then(|| {
        std::thread::spawn(|| {
            io::copy(&mut io::stdin(), &mut io::sink()).ok();
        })
    })
}

fn say(word: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{word}")?;
    output.flush()
}

/// Says it and closes the output, whose end the starter waits for. A starter that was killed meanwhile doesn't hear it: the
/// branch is there all the same.
fn say_ready() -> io::Result<()> {
    say(READY).ok();
    let nothing = File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(nothing)?)
}

/// Stops a server whose keeper was killed, where the kernel didn't: only on Linux does it.
fn end_process(process: u32, data: &Path) {
    let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return };
    let began = Instant::now();
    while is_server_of(process, data) && began.elapsed() < Duration::from_secs(10) {
        let signal = if began.elapsed() < Duration::from_secs(5) { Signal::QUIT } else { Signal::KILL };
        // It may end at this moment: as wanted.
        rustix::process::kill_process(process, signal).ok();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A process number alone may meanwhile be another program's: the command line names the data directory.
fn is_server_of(process: Pid, data: &Path) -> bool {
    let mut command = Command::new("ps");
    command.args(["-ww", "-o", "args=", "-p"]).arg(process.as_raw_pid().to_string());
    command.stderr(Stdio::null()).output().is_ok_and(|output| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.contains("postgres") && said.contains(&*data.to_string_lossy())
    })
}
