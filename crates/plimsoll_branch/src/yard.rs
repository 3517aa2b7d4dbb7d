//! The yard: a file system of our own that clones files, an XFS in a sparse image on a loop device. Where nothing else
//! clones and root is at hand, trunks and branches live in it.
//!
//! The image gets its name by one rename, formatted; from then on there is a yard, mounted or not. Whoever uses the state
//! folder holds [`Entered`], so that a yard is neither made nor removed under anybody's feet.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use plimsoll_core::units::bytes;
use plimsoll_pg::server::{LockKind, lock, open_lock_file};

use crate::error::{BranchError, file_error};
use crate::state::{State, create_folder, remove_file, remove_tree, set_mode};

const LOCK: &str = "yard.lock";
/// Makers and removers of yards take a second at most.
const PATIENCE: Duration = Duration::from_secs(60);
/// A branch's keeper ends a little later than its branch.
const MAKER_PATIENCE: Duration = Duration::from_secs(2);
/// mkfs.xfs refuses smaller ones.
const SMALLEST: u64 = 300 << 20;

/// Keeps a yard from being made or removed for as long as it is there.
#[derive(Debug)]
pub struct Entered {
    _lock: File,
}

/// What there is of a yard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yard {
    /// The image.
    pub image: PathBuf,
    /// The most that it can grow to.
    pub size: u64,
    /// What it takes of the file system beneath.
    pub taken: u64,
    /// Where it is mounted.
    pub folder: PathBuf,
    /// What is used of it, where it is mounted.
    pub used: Option<u64>,
}

/// Goes to where trunks and branches are: mounts the yard if there is one, and makes the folders that aren't there.
///
/// # Errors
/// When a folder can't be made, or the yard can't be mounted.
pub fn enter(state: &State) -> Result<(State, Entered), BranchError> {
    create_folder(state.root(), state.mode())?;
    let held = take_lock(state, LockKind::Shared, PATIENCE)?;
    // It may have been made or removed before this lock was taken.
    let state = State::at(state.root(), state.user().clone());
    if image(&state).exists() {
        mount(&state)?;
    }
    state.prepare()?;
    Ok((state, Entered { _lock: held }))
}

/// What there is of a yard; `None` if there is none.
///
/// # Errors
/// When the image can't be looked at.
pub fn look(state: &State) -> Result<Option<Yard>, BranchError> {
    let (image, folder) = (image(state), folder(state));
    let metadata = match image.metadata() {
        Ok(metadata) => metadata,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(file_error("look at", &image)(why)),
    };
    let used = if is_mounted(state)? {
        let room = rustix::fs::statvfs(&folder).map_err(|why| file_error("look at", &folder)(why.into()))?;
        Some(room.f_frsize * (room.f_blocks - room.f_bfree))
    } else {
        None
    };
    Ok(Some(Yard { image, size: metadata.len(), taken: metadata.blocks() * 512, folder, used }))
}

/// Makes a yard that can grow to `size` bytes, and mounts it. Killed at any moment, it leaves none, or a whole one.
///
/// # Errors
/// When there is one, when trunks or branches are outside of it, or this machine can't have one; none is left then.
pub fn make(state: &State, size: u64) -> Result<Yard, BranchError> {
    let refused =
        |why: String| BranchError::Refused(format!("make a yard in {}: {why}", state.root().display()));
    let lacks =
        |why: String| BranchError::Environment(format!("make a yard in {}: {why}", state.root().display()));
    if !cfg!(target_os = "linux") {
        return Err(refused("only Linux has such file systems; APFS clones files by itself".to_owned()));
    }
    if !rustix::process::geteuid().is_root() {
        return Err(lacks("only root can mount it; run it as root".to_owned()));
    }
    if size < SMALLEST {
        return Err(refused(format!(
            "{} is too small for an XFS; ask for {} or more",
            bytes(size),
            bytes(SMALLEST)
        )));
    }
    create_folder(state.root(), state.mode())?;
    if image(state).exists() {
        return Err(refused("there is one; `plimsoll branch yard` tells of it".to_owned()));
    }
    if let Some(inhabitant) = inhabitant(state) {
        return Err(refused(format!("{inhabitant} is outside of it; drop what is there first")));
    }
    let held = maker_lock(state)?;
    let state = State::at(state.root(), state.user().clone());
    // As above, but nobody else is at work any more.
    if image(&state).exists() {
        return Err(refused("another program has just made one".to_owned()));
    }
    if let Some(inhabitant) = inhabitant(&state) {
        return Err(refused(format!("{inhabitant} is outside of it; drop what is there first")));
    }
    state.prepare()?;
    let free = free_room(state.root())?;
    if size > free {
        return Err(lacks(format!(
            "the file system has {} free, and {} were asked for; a yard that finds no room beneath loses what is in it",
            bytes(free),
            bytes(size)
        )));
    }
    let building = state.build()?;
    let made = building.path().join("image");
    format(&made, size).map_err(lacks)?;
    let image = image(&state);
    std::fs::rename(&made, &image).map_err(file_error("make", &image))?;
    sync_folder(state.root())?;
    drop(building);
    let state = State::at(state.root(), state.user().clone());
    if let Err(why) = mount(&state) {
        // Nothing is in it yet.
        remove_file(&image)?;
        return Err(why);
    }
    state.prepare()?;
    drop(held);
    look(&state)?.ok_or_else(|| lacks("another program has just removed it".to_owned()))
}

/// Unmounts the yard and removes it.
///
/// # Errors
/// When there is none, something is in it, or it is used.
pub fn remove(state: &State) -> Result<(), BranchError> {
    let refused =
        |why: String| BranchError::Refused(format!("remove the yard in {}: {why}", state.root().display()));
    if !image(state).exists() {
        return Err(refused("there is none".to_owned()));
    }
    if is_mounted(state)?
        && let Some(inhabitant) = inhabitant(state)
    {
        return Err(refused(format!("{inhabitant} is in it; drop what is there first")));
    }
    let _held = maker_lock(state)?;
    let state = State::at(state.root(), state.user().clone());
    let (image, folder) = (image(&state), folder(&state));
    if !image.exists() {
        return Err(refused("another program has just removed it".to_owned()));
    }
    mount(&state)?;
    if let Some(inhabitant) = inhabitant(&state) {
        return Err(refused(format!("{inhabitant} is in it; drop what is there first")));
    }
    unmount(&folder).map_err(file_error("unmount", &folder))?;
    remove_file(&image)?;
    // What is left of it is an empty folder.
    std::fs::remove_dir(&folder).ok();
    Ok(())
}

fn image(state: &State) -> PathBuf {
    state.root().join("yard.img")
}

fn folder(state: &State) -> PathBuf {
    state.root().join("yard")
}

fn take_lock(state: &State, kind: LockKind, patience: Duration) -> Result<File, BranchError> {
    let path = state.root().join(LOCK);
    let file = open_lock_file(&path).map_err(file_error("open", &path))?;
    lock(&file, kind, patience).map_err(file_error("lock", &path))?;
    Ok(file)
}

fn maker_lock(state: &State) -> Result<File, BranchError> {
    take_lock(state, LockKind::Exclusive, MAKER_PATIENCE).map_err(|_| {
        BranchError::Environment(format!(
            "have {} for this program alone: other commands on trunks and branches are at work there; try again when they have ended",
            state.root().display()
        ))
    })
}

/// A trunk or a branch that is there, in words. Damaged ones count.
fn inhabitant(state: &State) -> Option<String> {
    let one = |folder: &Path, kind: &str| {
        let entry = std::fs::read_dir(folder).ok()?.find_map(Result::ok)?;
        Some(format!("{kind} {}", entry.file_name().to_string_lossy()))
    };
    one(&state.trunks(), "trunk").or_else(|| one(&state.branches(), "branch"))
}

/// Whether the folder is another file system than the one it is in.
fn is_mounted(state: &State) -> Result<bool, BranchError> {
    let folder = folder(state);
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev());
    match device(&folder) {
        Ok(inside) => Ok(inside != device(state.root()).map_err(file_error("look at", state.root()))?),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(file_error("look at", &folder)(why)),
    }
}

fn free_room(folder: &Path) -> Result<u64, BranchError> {
    let room = rustix::fs::statvfs(folder).map_err(|why| file_error("look at", folder)(why.into()))?;
    Ok(room.f_frsize * room.f_bavail)
}

/// Makes the image, on the disk when this returns. Says why not.
fn format(path: &Path, size: u64) -> Result<(), String> {
    let told = |why: io::Error| format!("{}: {why}", path.display());
    let file = File::options().read(true).write(true).create_new(true).open(path).map_err(told)?;
    file.set_len(size).map_err(told)?;
    if file.metadata().map_err(told)?.blocks() * 512 >= size {
        return Err("the file system can't hold sparse files; choose another by PLIMSOLL_STATE".to_owned());
    }
    let output = run("mkfs.xfs", &["-q".as_ref(), "-m".as_ref(), "reflink=1".as_ref(), path.as_os_str()]);
    match output {
        Ok(()) => file.sync_all().map_err(told),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            Err("there is no mkfs.xfs; install the package xfsprogs".to_owned())
        }
        Err(why) => Err(format!("mkfs.xfs: {why}")),
    }
}

/// Mounts the image unless it is mounted. Blocks that nobody uses any more go back to the file system beneath.
fn mount(state: &State) -> Result<(), BranchError> {
    if is_mounted(state)? {
        return Ok(());
    }
    let (image, folder) = (image(state), folder(state));
    if !rustix::process::geteuid().is_root() {
        return Err(BranchError::Environment(format!(
            "use the yard {}: it isn't mounted, as after a restart of the machine, and only root can mount it; run `plimsoll branch yard` as root with PLIMSOLL_STATE={}",
            image.display(),
            state.root().display()
        )));
    }
    // Others come as far at the same time.
    let file = File::open(&image).map_err(file_error("open", &image))?;
    lock(&file, LockKind::Exclusive, PATIENCE).map_err(file_error("lock", &image))?;
    if is_mounted(state)? {
        return Ok(());
    }
    create_folder(&folder, state.mode())?;
    let options = "loop,discard,noatime,nodev,nosuid";
    run(
        "mount",
        &[
            "-t".as_ref(),
            "xfs".as_ref(),
            "-o".as_ref(),
            options.as_ref(),
            image.as_os_str(),
            folder.as_os_str(),
        ],
    )
    .map_err(|why| {
        BranchError::Environment(format!(
            "mount the yard {} at {}: {why}; it takes loop devices (/dev/loop-control) and a kernel with XFS",
            image.display(),
            folder.display()
        ))
    })?;
    set_mode(&folder, state.mode())?;
    // From before there was a yard: nobody's, and empty where it counts.
    for left in ["building", "trash"] {
        remove_tree(&state.root().join(left))?;
    }
    for left in ["trunks", "branches"] {
        std::fs::remove_dir(state.root().join(left)).ok();
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn unmount(folder: &Path) -> io::Result<()> {
    Ok(rustix::mount::unmount(folder, rustix::mount::UnmountFlags::empty())?)
}

#[cfg(not(target_os = "linux"))]
fn unmount(_folder: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Runs a program of the system's. Its complaint is the error.
fn run(program: &str, arguments: &[&OsStr]) -> io::Result<()> {
    // A user's PATH may leave out where such programs are.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    let found =
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no {program}")))?;
    let output = Command::new(found).args(arguments).env("LC_ALL", "C").output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Err(io::Error::other(lines.join(" ")))
}

fn sync_folder(folder: &Path) -> Result<(), BranchError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file_error("write to the disk what is in", folder))
}
