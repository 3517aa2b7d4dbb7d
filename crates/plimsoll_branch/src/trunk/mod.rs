//! Makes trunks, takes them anew from their source, and drops them.

mod calm;
mod dump;
mod recover;
mod server;
mod stopped;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_pg::catalogue::{Limits, Target};
use plimsoll_pg::server::{LockKind, PrivateServer, Wanted};

use crate::branch::Say;
use crate::error::{BranchError, file_error};
use crate::host::Host;
use crate::manifest::{Moment, ServerFacts, Source, Trunk};
use crate::masking::{Masked, Masking, Request};
use crate::mechanism::{self, Mechanism};
use crate::name::Name;
use crate::running::is_left;
use crate::state::{Building, State, version_folder};

pub use server::Checkpoint;

const PATIENCE: Duration = Duration::from_secs(60);

/// Where a trunk's data are to come from.
#[derive(Debug)]
pub enum Supply {
    /// A running server that isn't ours.
    Server {
        /// Its address, which a refresh takes again. No password.
        address: String,
        /// The server.
        target: Box<Target>,
        /// How long it may take to answer questions.
        limits: Limits,
        /// The most that is read from it, as `pg_basebackup --max-rate` takes it.
        max_rate: Option<String>,
        /// How its checkpoint is made.
        checkpoint: Checkpoint,
    },
    /// The data directory of a stopped server.
    DataDirectory(PathBuf),
    /// A file or folder that `pg_dump` wrote.
    Dump {
        /// It.
        path: PathBuf,
        /// The server to load it into.
        wanted: Wanted,
    },
    /// A private server in the state that the trunk is to have.
    Private {
        /// The server.
        server: Box<PrivateServer>,
        /// Its database.
        database: String,
        /// The scripts that brought it there.
        scripts: Vec<PathBuf>,
        /// The migration that begins what the trunk doesn't have, if one was named.
        before: Option<PathBuf>,
    },
    /// Another trunk.
    Trunk(Name),
}

/// A trunk's data, as they came from a source.
struct Supplied {
    source: Source,
    server: ServerFacts,
    notes: Vec<String>,
    /// What is masked in them.
    masked: Masked,
}

/// Makes a trunk.
///
/// # Errors
/// When there is one of its name, or its source can't be read; nothing is left of it then.
pub async fn create(
    state: &State,
    host: &Host,
    name: &Name,
    supply: Supply,
    masking: &Masking,
    now: Moment,
    say: &dyn Say,
) -> Result<Trunk, BranchError> {
    let taken = || BranchError::Taken { kind: "trunk", name: name.clone() };
    if state.trunk_folder(name).exists() {
        return Err(taken());
    }
    let building = state.build()?;
    let version = version_folder(building.path(), 1);
    let trunk = take(state, host, name, supply, masking, &building, &version, 1, now, say).await?;
    state.write_trunk(building.path(), &trunk)?;
    let place = state.trunk_folder(name);
    building.publish(&place).map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => taken(),
        _ => file_error("make", &place)(why),
    })?;
    Ok(trunk)
}

/// Takes a trunk anew. Branches that were cut from it stay as they are.
///
/// # Errors
/// When there is none of its name, or its source can't be read; it stays as it is then.
pub async fn refresh(
    state: &State,
    host: &Host,
    name: &Name,
    supply: Supply,
    masking: &Masking,
    now: Moment,
    say: &dyn Say,
) -> Result<Trunk, BranchError> {
    let old = state.known_trunk(name)?;
    let building = state.build()?;
    let new_version = building.path().join("version");
    let mut trunk =
        take(state, host, name, supply, masking, &building, &new_version, old.version + 1, now, say).await?;
    let folder = state.trunk_folder(name);
    let _work = work_on(state, &folder, "refresh", name)?;
    // Another refresh may have come first; this one is the later.
    let current = state.known_trunk(name)?;
    trunk.version = current.version + 1;
    let place = version_folder(&folder, trunk.version);
    // What a refresh that was killed here has left.
    state.discard(&place)?;
    std::fs::rename(&new_version, &place).map_err(file_error("make", &place))?;
    state.write_trunk(&folder, &trunk)?;
    discard_old_versions(state, &trunk)?;
    Ok(trunk)
}

/// Removes the versions that no branch shows any more, unless somebody works on the trunk. Says how many.
pub(crate) fn collect_versions(state: &State, name: &Name) -> Result<usize, BranchError> {
    let folder = state.trunk_folder(name);
    let Ok(Some(_work)) = state.work_on(&folder, LockKind::Exclusive, Duration::ZERO) else { return Ok(0) };
    state.trunk(name)?.map_or(Ok(0), |trunk| discard_old_versions(state, &trunk))
}

/// Call it with the trunk's lock.
fn discard_old_versions(state: &State, trunk: &Trunk) -> Result<usize, BranchError> {
    let versions = state.trunk_folder(&trunk.name).join("versions");
    let current = version_folder(&state.trunk_folder(&trunk.name), trunk.version);
    let mut discarded = 0;
    for entry in std::fs::read_dir(&versions).map_err(file_error("read", &versions))? {
        let path = entry.map_err(file_error("read", &versions))?.path();
        if path != current && crate::branch::dependents(state, &path)?.is_none() {
            state.discard(&path)?;
            discarded += 1;
        }
    }
    Ok(discarded)
}

/// Removes a trunk. Branches that don't need its files stay.
///
/// # Errors
/// When there is none, or a branch shows its files.
pub fn drop_trunk(state: &State, name: &Name) -> Result<(), BranchError> {
    let folder = state.trunk_folder(name);
    if !folder.exists() {
        state.known_trunk(name)?;
    }
    let _work = work_on(state, &folder, "drop", name)?;
    if let Some(dependent) = crate::branch::dependents(state, &folder)? {
        let why = format!("drop trunk {name}: branch {dependent} shows its files; drop that one first");
        return Err(BranchError::Refused(why));
    }
    state.discard(&folder)
}

fn work_on(
    state: &State,
    folder: &Path,
    action: &'static str,
    name: &Name,
) -> Result<std::fs::File, BranchError> {
    let gone = || BranchError::Busy { action, kind: "trunk", name: name.clone() };
    let lock = state.wait_to_work_on(folder, LockKind::Exclusive, (action, "trunk", name))?;
    lock.ok_or_else(|| state.known_trunk(name).err().unwrap_or_else(gone))
}

/// Puts a source's data into a folder `version`, safe and stopped.
#[expect(clippy::too_many_arguments, reason = "two callers, which differ in where the version is to be")]
async fn take(
    state: &State,
    host: &Host,
    name: &Name,
    supply: Supply,
    masking: &Masking,
    building: &Building,
    version: &Path,
    number: u32,
    now: Moment,
    say: &dyn Say,
) -> Result<Trunk, BranchError> {
    let mechanism = mechanism::best(building.path());
    crate::state::create_folder(version, state.mode())?;
    if let Some(versions) = version.parent() {
        crate::state::set_mode(versions, state.mode())?;
    }
    let data = version.join("data");
    let place = Place { state, host, mechanism, data: &data, scratch: building.path(), say };
    let mut supplied = match supply {
        Supply::Server { address, target, limits, max_rate, checkpoint } => {
            let asked = server::BaseBackup { address, limits, max_rate, checkpoint };
            server::take(&place, &target, asked).await?
        }
        Supply::DataDirectory(path) => stopped::take(&place, &path)?,
        Supply::Dump { path, wanted } => dump::take(&place, &path, wanted).await?,
        Supply::Private { server, database, scripts, before } => {
            let source = Source::Scripts { paths: scripts, before };
            keep_private(&place, *server, database, source)?
        }
        Supply::Trunk(name) => from_trunk(&place, &name)?,
    };
    calm::make_safe(&data, state.user())?;
    let request = Request { masking, already: &supplied.masked };
    let found = recover::recover(&place, &supplied.server, &request).await?;
    supplied.server.superuser = found.superuser;
    supplied.server.database = found.database;
    supplied.notes.extend(found.notes);
    // Servers of copies don't wait for the disk; what others are cut from has to be there after a loss of power.
    sync(&data)?;
    let size = mechanism::TreeSize::of(&data).map_err(file_error("measure", &data))?;
    Ok(Trunk {
        name: name.clone(),
        source: supplied.source,
        version: number,
        taken_at: now,
        server: supplied.server,
        files: size.files,
        bytes: size.bytes,
        masked: !found.masked.columns.is_empty(),
        masking: found.masked,
        notes: supplied.notes,
    })
}

#[cfg(target_os = "linux")]
fn sync(data: &Path) -> Result<(), BranchError> {
    let folder = std::fs::File::open(data).map_err(file_error("open", data))?;
    rustix::fs::syncfs(&folder).map_err(|why| file_error("write to the disk what is in", data)(why.into()))
}

#[cfg(not(target_os = "linux"))]
fn sync(_data: &Path) -> Result<(), BranchError> {
    rustix::fs::sync();
    Ok(())
}

/// Where data are to be put, and with what.
struct Place<'a> {
    state: &'a State,
    host: &'a Host,
    mechanism: &'static dyn Mechanism,
    /// The data directory to make.
    data: &'a Path,
    /// A folder for what is needed meanwhile.
    scratch: &'a Path,
    say: &'a dyn Say,
}

impl Place<'_> {
    /// Makes the data directory, empty, so that branches can be cut from it.
    fn make_data_folder(&self) -> Result<(), BranchError> {
        self.mechanism.make_trunk_folder(self.data, self.state.user()).map_err(file_error("make", self.data))
    }

    /// Copies a stopped server's files, by cloning if the file system can.
    fn copy(&self, source: &Path) -> Result<(), BranchError> {
        self.make_data_folder()?;
        let leave = |path: &Path| is_left(path);
        let cloned =
            mechanism::copy_by(mechanism::Kind::BlockClone, source, self.data, self.state.user(), &leave);
        if cloned.is_ok() {
            return Ok(());
        }
        // Another file system, or one that doesn't clone: begin again.
        empty(self.data).map_err(file_error("empty", self.data))?;
        mechanism::copy_by(mechanism::Kind::Copy, source, self.data, self.state.user(), &leave)
            .map_err(file_error("copy", source))
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Takes the data of a private server, which ends with it.
fn keep_private(
    place: &Place<'_>,
    server: PrivateServer,
    database: String,
    source: Source,
) -> Result<Supplied, BranchError> {
    let version = server.server_version().clone();
    let kept = place.scratch.join("kept");
    server.keep_data(&kept, place.state.user())?;
    place.copy(&kept)?;
    crate::state::remove_tree(&kept)?;
    let server = ServerFacts {
        major: version.major,
        version: version.to_string(),
        superuser: plimsoll_pg::server::SUPERUSER.to_owned(),
        database,
        settings: Vec::new(),
    };
    Ok(Supplied { source, server, notes: Vec::new(), masked: Masked::default() })
}

fn from_trunk(place: &Place<'_>, name: &Name) -> Result<Supplied, BranchError> {
    place.state.known_trunk(name)?;
    let folder = place.state.trunk_folder(name);
    let lock =
        place.state.work_on(&folder, LockKind::Shared, PATIENCE).map_err(file_error("lock", &folder))?;
    let trunk = place.state.known_trunk(name)?;
    place.copy(&place.state.trunk_data(&trunk))?;
    drop(lock);
    let source = Source::Trunk { name: name.clone() };
    Ok(Supplied { source, server: trunk.server, notes: trunk.notes, masked: trunk.masking })
}
