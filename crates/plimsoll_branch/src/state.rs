//! Where trunks and branches are: one folder, in which everything is found again after a crash or a restart of the machine.
//!
//! ```text
//! trunks/NAME/     trunk.json, work.lock, versions/1/data …
//! branches/NAME/   branch.json, work.lock, keeper.lock, keeper.json, data, server.log
//! building/…       what is being made; its lock is held by its maker
//! trash/…          what is being removed
//! s/…              the sockets' folders, by the branches' ids: short, as a socket's path has to be
//! yard.img, yard/  a file system of our own that clones files; then all of the above but s is in it
//! yard.lock        held by all who use the folder, so that a yard doesn't come or go meanwhile
//! ```
//!
//! A folder appears in `trunks` and `branches` by one rename, whole, and disappears by one. So whoever dies in the midst of
//! it leaves something in `building` or in `trash`, which the next command removes.

use std::fs::{DirBuilder, DirEntry, File, Metadata, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_pg::server::{
    Environment, LockKind, Privilege, SOCKET_PATH_BYTES, ServerUser, lock, open_lock_file,
};

use crate::error::{BranchError, file_error};
use crate::manifest::{self, Branch, Trunk};
use crate::mechanism::{self, BranchFolders, Kind};
use crate::name::Name;

const TRUNK_FILE: &str = "trunk.json";
const BRANCH_FILE: &str = "branch.json";
const WORK_LOCK: &str = "work.lock";
/// A branch's socket, below the folder of all.
const SOCKET_BELOW: &str = "/s/abcdefgh/.s.PGSQL.65535";
/// How long another command's work on the same trunk or branch is waited for.
const WORK_PATIENCE: Duration = Duration::from_secs(60);

/// The folder of all trunks and branches.
#[derive(Clone, Debug)]
pub struct State {
    root: PathBuf,
    /// Root, which is its own, or the yard in it.
    base: PathBuf,
    user: ServerUser,
}

impl State {
    /// The folder that the environment implies: `PLIMSOLL_STATE`, else `plimsoll` in `XDG_STATE_HOME`, else a usual place.
    /// It need not be there.
    ///
    /// # Errors
    /// When nothing says where it could be, or its path isn't text or is too long for a socket.
    pub fn locate(environment: &Environment, user: ServerUser) -> Result<Self, BranchError> {
        let root = Self::root_by(environment)?;
        if root.to_str().is_none() {
            let why = format!(
                "use {} for trunks and branches: its path is not valid UTF-8; set PLIMSOLL_STATE",
                root.display()
            );
            return Err(BranchError::Refused(why));
        }
        let (length, longest) = (root.as_os_str().len(), SOCKET_PATH_BYTES - SOCKET_BELOW.len());
        if length > longest {
            let why = format!(
                "use {} for trunks and branches: its path has {length} bytes, at most {longest} fit a socket's name; set PLIMSOLL_STATE to a shorter one",
                root.display()
            );
            return Err(BranchError::Refused(why));
        }
        Ok(Self::at(&root, user))
    }

    fn root_by(environment: &Environment) -> Result<PathBuf, BranchError> {
        if let Some(path) = &environment.plimsoll_state {
            return std::path::absolute(path).map_err(file_error("find the state folder", path));
        }
        if let Some(path) = environment.xdg_state_home.as_ref().filter(|path| path.is_absolute()) {
            return Ok(path.join("plimsoll"));
        }
        if environment.privilege == Privilege::Root {
            // Root's home is closed to the user that runs the server.
            return Ok(PathBuf::from("/var/lib/plimsoll"));
        }
        let home = environment.home.as_ref().filter(|home| home.is_absolute()).ok_or_else(|| {
            let why = "choose a folder for trunks and branches: neither PLIMSOLL_STATE nor HOME is set; set PLIMSOLL_STATE";
            BranchError::Refused(why.to_owned())
        })?;
        let below = if cfg!(target_os = "macos") {
            "Library/Application Support/plimsoll"
        } else {
            ".local/state/plimsoll"
        };
        Ok(home.join(below))
    }

    /// A state in exactly this folder.
    #[must_use]
    pub fn at(root: &Path, user: ServerUser) -> Self {
        let yard = root.join("yard");
        let base = if root.join("yard.img").exists() { yard } else { root.to_owned() };
        Self { root: root.to_owned(), base, user }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where data are: the folder itself, or the yard.
    #[must_use]
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Who runs the servers.
    #[must_use]
    pub fn user(&self) -> &ServerUser {
        &self.user
    }

    pub(crate) fn trunks(&self) -> PathBuf {
        self.base.join("trunks")
    }

    pub(crate) fn branches(&self) -> PathBuf {
        self.base.join("branches")
    }

    pub(crate) fn building(&self) -> PathBuf {
        self.base.join("building")
    }

    pub(crate) fn trash(&self) -> PathBuf {
        self.base.join("trash")
    }

    /// The folder of a branch's socket.
    pub(crate) fn sockets(&self) -> PathBuf {
        self.root.join("s")
    }

    /// A new folder for the socket of a server that is no branch's. It is somebody's as long as the file is open.
    pub(crate) fn new_sockets(&self) -> Result<(PathBuf, File), BranchError> {
        let folder = self.sockets().join(random_text(8));
        create_folder(&folder, 0o700)?;
        let held =
            take_lock(&folder, LockKind::Exclusive, Duration::ZERO).map_err(file_error("lock", &folder))?;
        self.user.own(&folder).map_err(file_error("give away", &folder))?;
        Ok((folder, held))
    }

    /// The folder of a pool's socket. By a number made of its name, since a socket's path has to be short.
    #[must_use]
    pub fn pool_folder(&self, pool: &Name) -> PathBuf {
        // FNV-1a: the same in every version of the program.
        let number = pool
            .as_str()
            .bytes()
            .fold(0x811c_9dc5_u32, |number, byte| (number ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        self.sockets().join(format!("p{number:08x}"))
    }

    /// Takes a pool's name for as long as the file is open; afterwards its folder is nobody's.
    ///
    /// # Errors
    /// When a pool of this name runs, or the folder can't be made.
    pub fn hold_pool(&self, pool: &Name) -> Result<File, BranchError> {
        let folder = self.pool_folder(pool);
        create_folder(&folder, 0o700)?;
        take_lock(&folder, LockKind::Exclusive, Duration::ZERO).map_err(|why| match why.kind() {
            io::ErrorKind::TimedOut => {
                BranchError::Refused(format!("keep pool {pool}: one of this name is kept by another program"))
            }
            _ => file_error("lock", &folder)(why),
        })
    }

    /// Makes the folders that aren't there.
    ///
    /// # Errors
    /// When one can't be made, or the server's user can't get there.
    pub fn prepare(&self) -> Result<(), BranchError> {
        create_folder(&self.root, self.mode())?;
        for folder in [self.trunks(), self.branches(), self.building(), self.trash(), self.sockets()] {
            create_folder(&folder, self.mode())?;
        }
        let advice = "set PLIMSOLL_STATE to a folder that this user can enter";
        self.user.check_can_enter(&self.root, advice).map_err(|why| BranchError::Environment(why.to_string()))
    }

    /// Others may at most pass through, where the server is run by another user than the files' owner.
    pub(crate) fn mode(&self) -> u32 {
        match self.user {
            ServerUser::Caller => 0o700,
            ServerUser::Other { .. } => 0o711,
        }
    }

    /// All trunks, by name. A damaged one is an error beside the others.
    pub fn all_trunks(&self) -> Vec<Result<Trunk, BranchError>> {
        names_in(&self.trunks()).iter().filter_map(|name| self.trunk(name).transpose()).collect()
    }

    /// All branches, by name. A damaged one is an error beside the others.
    pub fn all_branches(&self) -> Vec<Result<Branch, BranchError>> {
        self.branch_names().iter().filter_map(|name| self.branch(name).transpose()).collect()
    }

    /// The names of all branches, damaged ones too.
    pub(crate) fn branch_names(&self) -> Vec<Name> {
        names_in(&self.branches())
    }

    /// A trunk, if there is one of this name.
    ///
    /// # Errors
    /// When its manifest can't be read.
    pub fn trunk(&self, name: &Name) -> Result<Option<Trunk>, BranchError> {
        manifest::read(&self.trunk_folder(name).join(TRUNK_FILE))
    }

    /// A branch, if there is one of this name.
    ///
    /// # Errors
    /// When its manifest can't be read.
    pub fn branch(&self, name: &Name) -> Result<Option<Branch>, BranchError> {
        let mut branch: Option<Branch> = manifest::read(&self.branch_folder(name).join(BRANCH_FILE))?;
        if let Some(lower) = branch.as_mut().and_then(|branch| branch.lower.as_mut()) {
            *lower = self.base.join(&*lower);
        }
        Ok(branch)
    }

    /// A trunk that has to be there.
    ///
    /// # Errors
    /// When there is none, or its manifest can't be read.
    pub fn known_trunk(&self, name: &Name) -> Result<Trunk, BranchError> {
        self.trunk(name)?.ok_or_else(|| unknown("trunk", name, &names_in(&self.trunks())))
    }

    /// A branch that has to be there.
    ///
    /// # Errors
    /// When there is none, or its manifest can't be read.
    pub fn known_branch(&self, name: &Name) -> Result<Branch, BranchError> {
        self.branch(name)?.ok_or_else(|| unknown("branch", name, &self.branch_names()))
    }

    pub(crate) fn trunk_folder(&self, name: &Name) -> PathBuf {
        self.trunks().join(name.as_str())
    }

    pub(crate) fn branch_folder(&self, name: &Name) -> PathBuf {
        self.branches().join(name.as_str())
    }

    /// The data directory of a trunk's current version.
    pub(crate) fn trunk_data(&self, trunk: &Trunk) -> PathBuf {
        version_folder(&self.trunk_folder(&trunk.name), trunk.version).join("data")
    }

    /// The room that a branch takes of its own, in bytes: what it shares with others isn't counted. `None` where the file
    /// system doesn't tell.
    #[must_use]
    pub fn own_bytes(&self, branch: &Branch) -> Option<u64> {
        let folder = self.branch_folder(&branch.name);
        let folders = BranchFolders::of(&folder);
        match branch.mechanism {
            Kind::Fuse | Kind::Overlay => sum_of_files(&folders.own_files(), &allocated),
            Kind::Copy => sum_of_files(&folders.data(), &allocated),
            Kind::BtrfsSnapshot | Kind::BlockClone => sum_of_files(&folders.data(), &unshared),
        }
    }

    pub(crate) fn write_trunk(&self, folder: &Path, trunk: &Trunk) -> Result<(), BranchError> {
        manifest::write(&folder.join(TRUNK_FILE), trunk)
    }

    pub(crate) fn write_branch(&self, folder: &Path, branch: &Branch) -> Result<(), BranchError> {
        let mut written = branch.clone();
        if let Some(lower) = &mut written.lower {
            // The folder of all may be moved, or be reached by another path.
            *lower = lower.strip_prefix(&self.base).unwrap_or(lower).to_owned();
        }
        manifest::write(&folder.join(BRANCH_FILE), &written)
    }

    /// A new folder in `building`, which is removed unless it is published.
    pub(crate) fn build(&self) -> Result<Building, BranchError> {
        // Whoever collects what is abandoned doesn't come between the folder and its lock.
        let _begin = self.hold_building(LockKind::Shared, WORK_PATIENCE)?;
        let folder = tempfile::Builder::new()
            .prefix("b-")
            .rand_bytes(8)
            .permissions(Permissions::from_mode(self.mode()))
            .tempdir_in(self.building())
            .map_err(file_error("make a folder in", &self.building()))?;
        // The umask may have taken what the server's user needs to pass.
        set_mode(folder.path(), self.mode())?;
        let work = take_lock(folder.path(), LockKind::Exclusive, Duration::ZERO)
            .map_err(file_error("lock", folder.path()))?;
        Ok(Building { folder, work })
    }

    /// Shared, it lets folders be begun; exclusively held, every one in `building` whose lock is free is nobody's.
    pub(crate) fn hold_building(&self, kind: LockKind, patience: Duration) -> Result<File, BranchError> {
        let path = self.building();
        let held = File::open(&path).and_then(|file| lock(&file, kind, patience).map(|()| file));
        held.map_err(file_error("lock", &path))
    }

    /// A folder to try mechanisms in, where trunks and branches are.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn trial(&self) -> Result<Trial, BranchError> {
        self.build().map(Trial)
    }

    /// Moves something out of sight, and removes it then.
    pub(crate) fn discard(&self, path: &Path) -> Result<(), BranchError> {
        if path.starts_with(self.sockets()) {
            // Outside of the yard, and of no use to anybody in part.
            return remove_tree(path);
        }
        let trash = self.trash().join(random_text(12));
        match std::fs::rename(path, &trash) {
            Ok(()) => {}
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(why) => return Err(file_error("remove", path)(why)),
        }
        remove_tree(&trash)
    }

    /// Takes the lock of whoever changes this trunk or branch; `None` if it is gone.
    pub(crate) fn work_on(
        &self,
        folder: &Path,
        kind: LockKind,
        patience: Duration,
    ) -> io::Result<Option<File>> {
        loop {
            let path = folder.join(WORK_LOCK);
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(why) => return Err(why),
            };
            lock(&file, kind, patience)?;
            // It may have been removed, and made anew, while this waited.
            if is_still_at(&file, &path)? {
                return Ok(Some(file));
            }
        }
    }

    /// As [`Self::work_on`], waiting for others as long as a command of a person's may. Says what could not be done to which
    /// trunk or branch.
    pub(crate) fn wait_to_work_on(
        &self,
        folder: &Path,
        lock: LockKind,
        (action, kind, name): (&'static str, &'static str, &Name),
    ) -> Result<Option<File>, BranchError> {
        self.work_on(folder, lock, WORK_PATIENCE).map_err(|why| match why.kind() {
            io::ErrorKind::TimedOut => BranchError::Busy { action, kind, name: name.clone() },
            _ => file_error("lock", folder)(why),
        })
    }
}

/// A folder for trials, which is removed with this value.
#[derive(Debug)]
pub struct Trial(Building);

impl Trial {
    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A folder that is being made. Whoever finds it and can take its lock knows that its maker is gone.
#[derive(Debug)]
pub(crate) struct Building {
    folder: tempfile::TempDir,
    work: File,
}

impl Building {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name, unless one of this name is there. Returns its lock, still held.
    pub(crate) fn publish(self, place: &Path) -> io::Result<File> {
        // A folder can't replace another one that isn't empty, and none here ever is.
        std::fs::rename(self.folder.path(), place)?;
        let _renamed = self.folder.keep();
        Ok(self.work)
    }

    /// Gives the folder the name of another one, and the other this one's place, at once. Returns its lock, still held,
    /// and where the other one is now.
    pub(crate) fn exchange(self, place: &Path) -> io::Result<(File, PathBuf)> {
        let here = rustix::fs::CWD;
        let exchanged = rustix::fs::renameat_with(
            here,
            self.folder.path(),
            here,
            place,
            rustix::fs::RenameFlags::EXCHANGE,
        );
        exchanged?;
        Ok((self.work, self.folder.keep()))
    }
}

/// The folder of one version of a trunk.
pub(crate) fn version_folder(trunk: &Path, version: u32) -> PathBuf {
    trunk.join("versions").join(version.to_string())
}

/// Whether a file is the one at this path: another one may have taken its place.
pub(crate) fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(now) => Ok(now.ino() == file.metadata()?.ino()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(why),
    }
}

fn take_lock(folder: &Path, kind: LockKind, patience: Duration) -> io::Result<File> {
    let file = open_lock_file(&folder.join(WORK_LOCK))?;
    // Whoever can open it can hold it.
    file.set_permissions(Permissions::from_mode(0o600))?;
    lock(&file, kind, patience)?;
    Ok(file)
}

/// Tells whether a folder's maker or changer is gone, by taking its lock. A folder that has no lock yet has a maker who
/// died in the first moment, or one who is about to make it: that one is young.
pub(crate) fn is_abandoned(folder: &Path, age: Duration) -> bool {
    match File::open(folder.join(WORK_LOCK)) {
        Ok(file) => file.try_lock().is_ok(),
        Err(_) => folder
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|elapsed| elapsed > age)),
    }
}

/// The sum over all files and folders in a folder; `None` if one of them can't be told.
fn sum_of_files(folder: &Path, bytes_of: &dyn Fn(&DirEntry, &Metadata) -> io::Result<u64>) -> Option<u64> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.filter_map(Result::ok) {
            let read = entry.metadata().and_then(|metadata| Ok((bytes_of(&entry, &metadata)?, metadata)));
            match read {
                Ok((of_entry, metadata)) => {
                    bytes += of_entry;
                    if metadata.is_dir() {
                        folders.push(entry.path());
                    }
                }
                // A server removes files while this looks.
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                Err(_) => return None,
            }
        }
    }
    Some(bytes)
}

/// The blocks of a file or a folder, in bytes.
fn allocated(_entry: &DirEntry, metadata: &Metadata) -> io::Result<u64> {
    Ok(metadata.blocks() * 512)
}

/// Those of them that no other file shares.
fn unshared(entry: &DirEntry, metadata: &Metadata) -> io::Result<u64> {
    match metadata.is_file() && metadata.blocks() > 0 {
        true => mechanism::own_bytes(&File::open(entry.path())?),
        false => allocated(entry, metadata),
    }
}

/// What is in a folder and has a name that a trunk or a branch could have, in order.
fn names_in(folder: &Path) -> Vec<Name> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<Name> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    names.sort();
    names
}

fn unknown(kind: &'static str, name: &Name, all: &[Name]) -> BranchError {
    let known = if all.is_empty() {
        format!("; `plimsoll {kind} create` makes one")
    } else {
        let names: Vec<&str> = all.iter().map(Name::as_str).collect();
        format!("; there are {}", names.join(", "))
    };
    BranchError::Unknown { kind, name: name.clone(), known }
}

/// Makes a folder and those above it. Ours get this mode whatever the umask says.
pub(crate) fn create_folder(folder: &Path, mode: u32) -> Result<(), BranchError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.is_dir()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o755);
        builder.create(parent).map_err(file_error("make", parent))?;
    }
    match DirBuilder::new().mode(mode).create(folder) {
        Ok(()) => set_mode(folder, mode),
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(why) => Err(file_error("make", folder)(why)),
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<(), BranchError> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(file_error("set the permissions of", path))
}

/// Removes a tree that may be gone already, or go at the same time.
pub(crate) fn remove_tree(path: &Path) -> Result<(), BranchError> {
    // Another `gc` may be removing the same: its finds are our misses.
    for _ in 0..3 {
        match std::fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(why) if why.kind() == io::ErrorKind::NotFound && !path.exists() => return Ok(()),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) if why.kind() == io::ErrorKind::NotADirectory => return remove_file(path),
            Err(why) => return Err(file_error("remove", path)(why)),
        }
    }
    Ok(())
}

/// Removes a file that may not be there.
pub(crate) fn remove_file(path: &Path) -> Result<(), BranchError> {
    match std::fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(file_error("remove", path)(why)),
        _ => Ok(()),
    }
}

/// Letters and digits that nobody can guess.
pub(crate) fn random_text(length: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = vec![0; length];
    // It fails nowhere that a server could run; a name is merely likelier to be taken then.
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    debug_assert!(read.is_ok());
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}
