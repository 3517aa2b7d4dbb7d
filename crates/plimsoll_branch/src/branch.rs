//! Makes branches, resets and drops them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::units::bytes;
use plimsoll_pg::server::{LockKind, PRIVATE_MARKER};

use crate::configuration;
use crate::error::{BranchError, file_error};
use crate::host::Host;
use crate::keeper;
use crate::manifest::{Branch, Lifetime, Moment, Parent, Port, ServerFacts};
use crate::mechanism::{self, BranchFolders, Kind, Mechanism};
use crate::name::Name;
use crate::running::{Address, Backup, copy_running, in_words};
use crate::state::{Building, State, random_text};

/// The port of every server without one of its own: it names the socket's file alone.
pub const SOCKET_PORT: u16 = 5432;

/// What to cut a branch from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A trunk's current version.
    Trunk(Name),
    /// A branch, as it is, running or not.
    Branch(Name),
    /// A private server of Plimsoll's on this machine, as it is.
    Server(PrivateAddress),
}

/// Where a private server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateAddress {
    /// Its address, without a password.
    pub url: String,
    /// The folder of its socket, which is its own.
    pub folder: PathBuf,
    /// Its superuser.
    pub superuser: String,
    /// The database that is meant.
    pub database: String,
}

/// A branch to make.
#[derive(Clone, Debug)]
pub struct NewBranch {
    /// Its name.
    pub name: Name,
    /// What to cut it from.
    pub origin: Origin,
    /// How long it is to be there.
    pub lifetime: Lifetime,
    /// How to make it; the best way if none is named.
    pub mechanism: Option<Kind>,
    /// A port on 127.0.0.1.
    pub port: Option<u16>,
    /// Settings of the server.
    pub settings: Vec<(String, String)>,
    /// The moment.
    pub now: Moment,
}

impl NewBranch {
    /// One that goes with this program, made in the best way.
    #[must_use]
    pub fn with_program(name: Name, origin: Origin, settings: Vec<(String, String)>, now: Moment) -> Self {
        let lifetime = Lifetime::WithProgram;
        Self { name, origin, lifetime, mechanism: None, port: None, settings, now }
    }
}

/// What a maker of branches says meanwhile.
pub trait Say: Sync {
    /// Something that a person should know before it happens.
    fn say(&self, text: String);
}

/// Makes a branch. It doesn't run yet.
///
/// # Errors
/// When there is one of its name, the origin isn't there, or a file can't be made; nothing is left of it then.
pub async fn create(
    state: &State,
    host: &Host,
    new: &NewBranch,
    say: &dyn Say,
) -> Result<Branch, BranchError> {
    check_new(state, &new.name, &new.settings)?;
    let building = state.build()?;
    let branch = fill(state, host, new, &building, say).await?;
    publish(state, building, branch)
}

/// Tells what is wrong with a name or settings before anything is made.
pub(crate) fn check_new(
    state: &State,
    name: &Name,
    settings: &[(String, String)],
) -> Result<(), BranchError> {
    if state.branch_folder(name).exists() {
        return Err(BranchError::Taken { kind: "branch", name: name.clone() });
    }
    configuration::check(settings)
}

/// Gives a new branch its name, unless another one has it.
pub(crate) fn publish(state: &State, building: Building, branch: Branch) -> Result<Branch, BranchError> {
    let place = state.branch_folder(&branch.name);
    building.publish(&place).map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
            BranchError::Taken { kind: "branch", name: branch.name.clone() }
        }
        _ => file_error("make", &place)(why),
    })?;
    Ok(branch)
}

/// Puts everything of a branch into a folder, its manifest last.
async fn fill(
    state: &State,
    host: &Host,
    new: &NewBranch,
    building: &Building,
    say: &dyn Say,
) -> Result<Branch, BranchError> {
    let (origin, _lock) = Opened::open(state, &new.origin).await?;
    // Named before anything is copied, where the installation is gone.
    host.installation(origin.server.major)?;
    let folders = BranchFolders::of(building.path());
    let mut notes = origin.notes.clone();
    let mut lower = None;
    let mechanism = if let Some(address) = origin.running() {
        let mechanism = choose(building.path(), new.mechanism, &origin, Source::Changes)?;
        warn(mechanism, &origin, state, say);
        match origin.mount.as_ref().filter(|mount| mount.kind == mechanism.kind()) {
            Some(mount) => {
                lower = Some(mount.lower.clone());
                copy_mounted(state, mount, mechanism, &address, &origin.data, folders).await?;
            }
            None => {
                mechanism::make_data_folder(&folders.data(), state.user())
                    .map_err(file_error("make", &folders.data()))?;
                let copy = |source: &Path, target: &Path, leave: mechanism::Leave<'_>| {
                    mechanism::copy_by(mechanism.kind(), source, target, state.user(), leave)
                };
                copy_running(&address, &origin.data, &folders.data(), state.user(), &copy).await?;
            }
        }
        notes.push("taken from a running server: rows of unlogged tables are not in it".to_owned());
        mechanism
    } else {
        let mechanism = choose(building.path(), new.mechanism, &origin, Source::Rests)?;
        warn(mechanism, &origin, state, say);
        mechanism
            .branch(&origin.data, folders, state.user())
            .map_err(file_error("make a branch in", building.path()))?;
        if let Some(mount) = &origin.mount {
            lower = Some(mount.lower.clone());
            copy_delta(mount, folders)?;
        }
        mechanism
    };
    let branch = Branch {
        name: new.name.clone(),
        id: random_text(8),
        parent: origin.parent,
        mechanism: mechanism.kind(),
        lower: lower.or(mechanism.needs_source().then_some(origin.data)),
        made_at: new.now,
        lifetime: new.lifetime,
        server: origin.server,
        extra_settings: new.settings.clone(),
        port: new.port.map(port).transpose()?,
        notes,
    };
    state.write_branch(building.path(), &branch)?;
    Ok(branch)
}

/// Copies what a branch by FUSE has of its own.
fn copy_delta(mount: &MountedOrigin, branch: BranchFolders<'_>) -> Result<(), BranchError> {
    let own = BranchFolders::of(&mount.folder).own_files();
    if !own.exists() {
        // It never ran.
        return Ok(());
    }
    plimsoll_cow::copy_delta(&own, &branch.own_files())
        .map_err(|why| BranchError::Environment(why.to_string()))
}

/// As [`copy_running`], where the files are a mount: what the parent has of its own is copied, and the rest is put right
/// through a mount of the new branch.
async fn copy_mounted(
    state: &State,
    mount: &MountedOrigin,
    mechanism: &dyn Mechanism,
    address: &Address<'_>,
    data: &Path,
    branch: BranchFolders<'_>,
) -> Result<(), BranchError> {
    let user = state.user();
    mechanism.branch(data, branch, user).map_err(file_error("make", &branch.data()))?;
    let backup = Backup::begin(address).await?;
    copy_delta(mount, branch)?;
    let mounted = mechanism
        .mount(Some(&mount.lower), branch, user)
        .map_err(file_error("mount the data of", &branch.data()))?;
    let copied = backup
        .end(data, &branch.data(), user, &|source, target, leave| {
            mechanism::copy_by(Kind::Copy, source, target, user, leave)
        })
        .await;
    if let Some(mounted) = mounted {
        mounted.unmount().map_err(file_error("unmount the data of", &branch.data()))?;
    }
    copied
}

/// A port, a free one for 0, with a password.
pub(crate) fn port(number: u16) -> Result<Port, BranchError> {
    let number = if number == 0 { free_port()? } else { number };
    Ok(Port { number, password: random_text(24) })
}

fn free_port() -> Result<u16, BranchError> {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(file_error("find a free port on", Path::new("127.0.0.1")))
}

/// Gives a branch what its parent has now, instead of what it has. It doesn't run then.
///
/// # Errors
/// When the parent is gone, or the branch can't be stopped; the branch stays as it was then.
pub async fn reset(
    state: &State,
    host: &Host,
    name: &Name,
    now: Moment,
    say: &dyn Say,
) -> Result<Branch, BranchError> {
    let old = state.known_branch(name)?;
    let folder = state.branch_folder(name);
    let _work = work_on(state, &folder, "reset", name)?;
    let origin = match &old.parent {
        Parent::Trunk { name, .. } => Origin::Trunk(name.clone()),
        Parent::Branch { name } => Origin::Branch(name.clone()),
        Parent::Plans { .. } | Parent::Server { .. } => {
            let why = format!(
                "reset branch {name}: it is made of {}; drop it and create it anew",
                old.parent.in_words()
            );
            return Err(BranchError::Refused(why));
        }
    };
    let new = NewBranch {
        name: name.clone(),
        origin,
        lifetime: old.lifetime,
        mechanism: None,
        port: None,
        settings: old.extra_settings.clone(),
        now,
    };
    let building = state.build()?;
    let mut branch = fill(state, host, &new, &building, say).await?;
    // Whoever has its address goes on with it.
    (branch.id, branch.port) = (old.id.clone(), old.port.clone());
    state.write_branch(building.path(), &branch)?;
    let _stopped = keeper::stop(state, name)?;
    clear_mount(&old, &folder)?;
    let (_lock, old_folder) = building.exchange(&folder).map_err(file_error("replace", &folder))?;
    state.discard(&old_folder)?;
    Ok(branch)
}

/// Stops a branch and removes it.
///
/// # Errors
/// When there is none, it doesn't stop, or a file can't be removed.
pub fn drop_branch(state: &State, name: &Name) -> Result<(), BranchError> {
    let folder = state.branch_folder(name);
    if !folder.exists() {
        state.known_branch(name)?;
    }
    let _work = work_on(state, &folder, "drop", name)?;
    if let Some(dependent) = dependents(state, &folder)? {
        let why = format!("drop branch {name}: branch {dependent} shows its files; drop that one first");
        return Err(BranchError::Refused(why));
    }
    let branch = state.branch(name);
    let _stopped = keeper::stop(state, name)?;
    if let Ok(Some(branch)) = &branch {
        clear_mount(branch, &folder)?;
        state.discard(&state.sockets().join(&branch.id))?;
    }
    state.discard(&folder)
}

/// Another branch, whose files are partly in this folder.
pub(crate) fn dependents(state: &State, folder: &Path) -> Result<Option<Name>, BranchError> {
    for name in state.branch_names() {
        // Its own manifest may be damaged: it can be dropped then.
        if state.branch_folder(&name) == folder {
            continue;
        }
        let Some(branch) = state.branch(&name)? else { continue };
        if branch.lower.as_ref().is_some_and(|lower| lower.starts_with(folder)) {
            return Ok(Some(branch.name));
        }
    }
    Ok(None)
}

fn clear_mount(branch: &Branch, folder: &Path) -> Result<(), BranchError> {
    let Some(mechanism) = branch.mechanism.mechanism() else { return Ok(()) };
    mechanism.clear_dead_mount(BranchFolders::of(folder)).map_err(file_error("unmount the data of", folder))
}

/// Takes a branch's lock for a change.
pub(crate) fn work_on(
    state: &State,
    folder: &Path,
    action: &'static str,
    name: &Name,
) -> Result<std::fs::File, BranchError> {
    let gone = || BranchError::Busy { action, kind: "branch", name: name.clone() };
    let lock = state.wait_to_work_on(folder, LockKind::Exclusive, (action, "branch", name))?;
    lock.ok_or_else(|| state.known_branch(name).err().unwrap_or_else(gone))
}

/// Whether nobody works on a branch at this moment.
pub(crate) fn is_idle(state: &State, name: &Name) -> bool {
    let lock = state.work_on(&state.branch_folder(name), LockKind::Exclusive, Duration::ZERO);
    lock.is_ok_and(|lock| lock.is_some())
}

/// Starts a branch if it doesn't run.
///
/// # Errors
/// When it doesn't start.
pub fn start(
    state: &State,
    branch: &Branch,
    program: &keeper::KeeperProgram,
) -> Result<keeper::Kept, BranchError> {
    let folder = state.branch_folder(&branch.name);
    let _work = work_on(state, &folder, "start", &branch.name)?;
    keeper::start(state, branch, program)
}

/// Stops a branch's server, if it runs.
///
/// # Errors
/// When there is no such branch, others work on it for too long, or its server doesn't stop.
pub fn stop(state: &State, name: &Name) -> Result<(), BranchError> {
    state.known_branch(name)?;
    let _work = work_on(state, &state.branch_folder(name), "stop", name)?;
    keeper::stop(state, name).map(drop)
}

/// A private server's data directory and version, from itself.
async fn ask(address: &PrivateAddress) -> Result<(PathBuf, ServerFacts), BranchError> {
    let not_ours = |why: &str| {
        BranchError::Refused(format!(
            "branch from {}: {why}; a branch is cut from a trunk, a branch or a private server of Plimsoll's, and other servers are taken by `plimsoll trunk create --from`",
            address.url
        ))
    };
    if !address.folder.join(PRIVATE_MARKER).is_file() {
        return Err(not_ours("it is no private server of Plimsoll's"));
    }
    let server = Address { sockets: &address.folder, port: SOCKET_PORT, superuser: &address.superuser };
    let client = server.connect(&address.database).await?;
    let query = "SELECT current_setting('data_directory'), current_setting('server_version_num')::int4 / 10000, current_setting('server_version')";
    let row = client.query_one(query, &[]).await.map_err(|why| {
        BranchError::Environment(format!("ask {} for its data directory: {}", address.url, in_words(&why)))
    })?;
    let (data, major, version): (String, i32, String) = (row.get(0), row.get(1), row.get(2));
    if !Path::new(&data).starts_with(&address.folder) {
        return Err(not_ours("its data are elsewhere"));
    }
    let facts = ServerFacts {
        major: u32::try_from(major).unwrap_or_default(),
        version,
        superuser: address.superuser.clone(),
        database: address.database.clone(),
        settings: Vec::new(),
    };
    Ok((PathBuf::from(data), facts))
}

/// As [`start()`], for a branch that was just made: it is dropped if it doesn't start.
///
/// # Errors
/// When it doesn't start; nothing is left of it then.
pub fn start_new(
    state: &State,
    branch: &Branch,
    program: &keeper::KeeperProgram,
) -> Result<keeper::Kept, BranchError> {
    // Why it doesn't start is what counts.
    start(state, branch, program).inspect_err(|_| drop_branch(state, &branch.name).unwrap_or_default())
}

/// An origin whose files stay as they are for as long as its lock is held, but for what its own server writes.
struct Opened {
    parent: Parent,
    data: PathBuf,
    server: ServerFacts,
    notes: Vec<String>,
    bytes: Option<u64>,
    running: Option<(PathBuf, u16)>,
    /// Where the data are a mount.
    mount: Option<MountedOrigin>,
}

/// What an origin's mount is made of.
struct MountedOrigin {
    kind: Kind,
    lower: PathBuf,
    folder: PathBuf,
}

impl Opened {
    async fn open(state: &State, origin: &Origin) -> Result<(Self, Option<std::fs::File>), BranchError> {
        match origin {
            Origin::Trunk(name) => {
                state.known_trunk(name)?;
                let lock = shared(state, &state.trunk_folder(name), "trunk", name)?;
                let trunk = state.known_trunk(name)?;
                let opened = Self {
                    parent: Parent::Trunk { name: trunk.name.clone(), version: trunk.version },
                    data: state.trunk_data(&trunk),
                    server: trunk.server,
                    notes: trunk.notes,
                    bytes: Some(trunk.bytes),
                    running: None,
                    mount: None,
                };
                Ok((opened, Some(lock)))
            }
            Origin::Server(address) => {
                let (data, server) = ask(address).await?;
                let opened = Self {
                    parent: Parent::Server { url: address.url.clone() },
                    data,
                    server,
                    notes: Vec::new(),
                    bytes: None,
                    running: Some((address.folder.clone(), SOCKET_PORT)),
                    mount: None,
                };
                Ok((opened, None))
            }
            Origin::Branch(name) => {
                state.known_branch(name)?;
                let folder = state.branch_folder(name);
                let lock = shared(state, &folder, "branch", name)?;
                let branch = state.known_branch(name)?;
                let port = branch.port.as_ref().map_or(SOCKET_PORT, |port| port.number);
                let running = keeper::running(state, name)?.map(|running| (running.sockets, port));
                let mount = branch.lower.map(|lower| MountedOrigin {
                    kind: branch.mechanism,
                    lower,
                    folder: folder.clone(),
                });
                if branch.mechanism == Kind::Overlay && running.is_none() {
                    let why = format!(
                        "branch from {name}: it doesn't run, and by {} its files are there only then; start it with `plimsoll branch url {name}`",
                        branch.mechanism
                    );
                    return Err(BranchError::Refused(why));
                }
                let opened = Self {
                    parent: Parent::Branch { name: name.clone() },
                    data: BranchFolders::of(&folder).data(),
                    server: branch.server,
                    notes: branch.notes,
                    bytes: None,
                    running,
                    mount,
                };
                Ok((opened, Some(lock)))
            }
        }
    }

    fn running(&self) -> Option<Address<'_>> {
        let (sockets, port) = self.running.as_ref()?;
        Some(Address { sockets, port: *port, superuser: &self.server.superuser })
    }
}

fn shared(
    state: &State,
    folder: &Path,
    kind: &'static str,
    name: &Name,
) -> Result<std::fs::File, BranchError> {
    let lock = state.wait_to_work_on(folder, LockKind::Shared, ("branch from", kind, name))?;
    let known = || "; it was dropped meanwhile".to_owned();
    lock.ok_or_else(|| BranchError::Unknown { kind, name: name.clone(), known: known() })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Nobody writes to it.
    Rests,
    /// A server of ours does.
    Changes,
}

/// The mechanism asked for, or the best one; only some can follow a server at work.
fn choose(
    place: &Path,
    wanted: Option<Kind>,
    origin: &Opened,
    source: Source,
) -> Result<&'static dyn Mechanism, BranchError> {
    let suits = |mechanism: &dyn Mechanism| -> Result<(), String> {
        let kind = mechanism.kind();
        let is_same_mount =
            origin.mount.as_ref().is_some_and(|mount| mount.kind == kind && kind == Kind::Fuse);
        if origin.mount.is_some() && !is_same_mount && kind != Kind::Copy {
            return Err("its parent's files are a mount, which can only be copied".to_owned());
        }
        if origin.mount.is_some() && source == Source::Rests && kind == Kind::Copy {
            return Err(
                "its parent's files are a mount, which is there only while the parent runs".to_owned()
            );
        }
        let is_trunk = matches!(origin.parent, Parent::Trunk { .. });
        if mechanism.needs_source() && !is_trunk && !is_same_mount {
            return Err("it needs its parent's files as they are, and a branch's change".to_owned());
        }
        let follows = matches!(kind, Kind::BlockClone | Kind::Copy) || is_same_mount;
        if source == Source::Changes && !follows {
            return Err("its parent runs, and it can't follow a server at work".to_owned());
        }
        mechanism.can_use(&origin.data)?;
        mechanism.probe(place)
    };
    if let Some(kind) = wanted {
        let refused = |why| {
            BranchError::Refused(format!(
                "make a branch by {kind}: {why}; `plimsoll branch doctor` tells what can be used"
            ))
        };
        let mechanism = kind.mechanism().ok_or_else(|| refused("this system doesn't have it".to_owned()))?;
        suits(mechanism).map_err(refused)?;
        return Ok(mechanism);
    }
    let best = Kind::ALL.into_iter().filter_map(Kind::mechanism).find(|mechanism| suits(*mechanism).is_ok());
    best.ok_or_else(|| BranchError::Environment("make a branch: not even a copy can be made".to_owned()))
}

/// Says before it begins what will be slow.
fn warn(mechanism: &dyn Mechanism, origin: &Opened, state: &State, say: &dyn Say) {
    let size = origin.bytes.or_else(|| mechanism::TreeSize::of(&origin.data).ok().map(|size| size.bytes));
    let Some(size) = size else { return };
    match mechanism.kind() {
        Kind::Copy => {
            let time = mechanism::estimated_copy(size, &state.building()).map_or_else(
                |_| String::new(),
                |time| format!(", which takes about {} s", time.as_secs().max(1)),
            );
            say.say(format!(
                "no cheaper way here: copying {}{time}; `plimsoll branch doctor` says what would help",
                bytes(size)
            ));
        }
        Kind::Overlay => say.say(format!("by overlay: {}", Kind::Overlay.cost())),
        Kind::BtrfsSnapshot | Kind::BlockClone | Kind::Fuse => {}
    }
}
