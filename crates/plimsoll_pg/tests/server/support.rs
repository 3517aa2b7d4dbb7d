//! What the tests of private servers share: a temporary folder that can be checked for
//! remains, the servers of this machine, and waiting.

use std::fs::DirEntry;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use plimsoll_pg::server::{
    Binaries, Cache, Environment, PrivateServer, SearchPlaces, ServerUser, StartOptions, Wanted, find,
};
use tempfile::TempDir;

/// The versions that tests run on.
pub(crate) const MAJORS: [u32; 2] = [15, 18];

/// The server of a major version on this machine.
pub(crate) fn binaries(major: u32) -> Binaries {
    let environment = Environment::read();
    let cache = Cache::locate(&environment).unwrap();
    let places = SearchPlaces::new(&environment, &cache, None);
    find(Wanted::Major(major), &places, &user())
        .unwrap_or_else(|error| panic!("run `make test`, which installs it: failed to {error}"))
}

/// Who runs servers here.
pub(crate) fn user() -> ServerUser {
    ServerUser::choose(&Environment::read()).unwrap()
}

/// A temporary folder of one test, for private folders; everybody can enter it.
pub(crate) struct Ground {
    folder: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        // `make test` names a folder in memory.
        let root = std::env::var_os("PLIMSOLL_TEST_FOLDER").unwrap_or_else(|| "/tmp".into());
        let folder = tempfile::Builder::new().prefix("pg-").rand_bytes(4).tempdir_in(root).unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts here, with the usual cache.
    pub(crate) fn options(&self) -> StartOptions {
        let environment = Environment::read();
        let cache = Cache::locate(&environment).unwrap();
        let temp_root = Some(self.path().to_owned());
        StartOptions { temp_root, ..StartOptions::new(&environment, cache, user()) }
    }

    /// Starts here, with a cache of its own in this folder.
    pub(crate) fn options_with_own_cache(&self) -> StartOptions {
        StartOptions { cache: Cache::at(self.path().join("cache")), ..self.options() }
    }

    pub(crate) fn start(&self, major: u32) -> PrivateServer {
        start(&binaries(major), &self.options())
    }

    /// The private folders that are here, and the processes that mention this folder.
    pub(crate) fn remains(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let mut remains: Vec<String> = names.filter(|name| name.starts_with("plimsoll-")).collect();
        remains.extend(processes_that_mention(self.path()));
        remains.extend(processes_that_work_in(self.path()));
        remains
    }

    pub(crate) fn check_nothing_remains(&self) {
        assert_eq!(self.remains(), Vec::<String>::new());
    }

    pub(crate) fn check_nothing_remains_within(&self, patience: Duration) {
        wait_until(patience, "nothing remains", || self.remains().is_empty().then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.remains()));
    }
}

pub(crate) fn start(binaries: &Binaries, options: &StartOptions) -> PrivateServer {
    PrivateServer::start(binaries, options).unwrap_or_else(|error| panic!("failed to {error}"))
}

/// Polls until there is an answer.
pub(crate) fn wait_until<T>(
    patience: Duration,
    what: &str,
    mut attempt: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = attempt() {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            return Err(format!("not within {patience:?}: {what}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The command lines of other processes that contain a path.
pub(crate) fn processes_that_mention(path: &Path) -> Vec<String> {
    let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = path.to_string_lossy();
    text.lines().filter(|line| line.contains(&*path)).map(str::to_owned).collect()
}

/// The processes whose current folder is below a path: a server's children are among them,
/// and their command lines mention no path.
fn processes_that_work_in(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let works_here = |entry: &DirEntry| {
        std::fs::read_link(entry.path().join("cwd")).is_ok_and(|current| current.starts_with(path))
    };
    entries.filter(works_here).map(|entry| format!("process {}", entry.file_name().display())).collect()
}

/// A file system of its own in memory, for tests of full and read-only disks. Only root can
/// mount one; elsewhere those tests say so and end.
pub(crate) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    pub(crate) fn mount(folder: PathBuf, options: &str) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", options, "plimsoll-test"], &folder);
        if !mounted {
            println!("skipped: this user can't mount a file system");
        }
        mounted.then(|| Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.folder));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(&self.folder).status().unwrap();
        assert!(status.success());
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}
