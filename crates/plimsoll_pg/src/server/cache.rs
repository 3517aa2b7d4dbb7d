//! The cache folder: installed servers and prepared data directories.
//!
//! Everything in it can be deleted at any time and is made again when needed. Nothing in it
//! belongs to one run of the program.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::environment::{Environment, Privilege};

/// The cache folder could not be chosen.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Neither a setting nor a home folder.
    #[error(
        "choose a cache folder: none of PLIMSOLL_CACHE, XDG_CACHE_HOME and HOME is set; set PLIMSOLL_CACHE to a folder that can be written"
    )]
    Homeless,
    /// A relative path, and no current folder to resolve it against.
    #[error("find the cache folder {}: {why}; set PLIMSOLL_CACHE to an absolute path", path.display())]
    Relative {
        /// What was set.
        path: PathBuf,
        /// Why it can't be made absolute.
        why: io::Error,
    },
}

/// The cache folder. It need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// A cache in exactly this folder, an absolute path.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The cache folder that the environment implies.
    ///
    /// # Errors
    /// When nothing says where it could be.
    pub fn locate(environment: &Environment) -> Result<Self, CacheError> {
        if let Some(path) = &environment.plimsoll_cache {
            return match std::path::absolute(path) {
                Ok(absolute) => Ok(Self::at(absolute)),
                Err(why) => Err(CacheError::Relative { path: path.clone(), why }),
            };
        }
        // The XDG specification says to ignore a relative path.
        if let Some(path) = environment.xdg_cache_home.as_ref().filter(|path| path.is_absolute()) {
            return Ok(Self::at(path.join("plimsoll")));
        }
        if environment.privilege == Privilege::Root {
            // Root's home is closed to the user that runs the server.
            return Ok(Self::at("/var/cache/plimsoll"));
        }
        let home = environment.home.as_ref().filter(|home| home.is_absolute()).ok_or(CacheError::Homeless)?;
        let below_home =
            if cfg!(target_os = "macos") { "Library/Caches/plimsoll" } else { ".cache/plimsoll" };
        Ok(Self::at(home.join(below_home)))
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where servers installed by Plimsoll are, one folder a version.
    #[must_use]
    pub fn servers(&self) -> PathBuf {
        self.root.join("servers")
    }

    /// Where prepared data directories are, one folder a kind of server.
    #[must_use]
    pub fn templates(&self) -> PathBuf {
        self.root.join("templates")
    }
}

/// Makes a folder of the cache and its missing parents.
///
/// Each new one is readable by everybody whatever the umask: root makes it, another user runs
/// the server from it. What is private (data directories) carries its own permissions.
pub(super) fn create_cache_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_cache_folder(parent)?;
    }
    match std::fs::create_dir(folder) {
        Ok(()) => std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(environment: &Environment, expected: &str) {
        let cache = Cache::locate(environment).expect("a cache folder");
        assert_eq!(cache.root(), Path::new(expected));
    }

    fn everything_set() -> Environment {
        Environment {
            plimsoll_cache: Some("/srv/own".into()),
            xdg_cache_home: Some("/srv/xdg".into()),
            home: Some("/home/ada".into()),
            ..Environment::default()
        }
    }

    #[test]
    fn the_own_variable_wins() {
        check(&everything_set(), "/srv/own");
    }

    #[test]
    fn then_the_xdg_folder() {
        check(&Environment { plimsoll_cache: None, ..everything_set() }, "/srv/xdg/plimsoll");
    }

    #[test]
    fn root_gets_a_folder_that_other_users_can_enter() {
        let root = Environment {
            plimsoll_cache: None,
            xdg_cache_home: None,
            privilege: Privilege::Root,
            ..everything_set()
        };
        check(&root, "/var/cache/plimsoll");
    }

    #[test]
    fn others_get_a_folder_in_their_home() {
        let expected = if cfg!(target_os = "macos") {
            "/home/ada/Library/Caches/plimsoll"
        } else {
            "/home/ada/.cache/plimsoll"
        };
        let environment =
            Environment { plimsoll_cache: None, xdg_cache_home: Some("relative".into()), ..everything_set() };
        check(&environment, expected);
    }

    #[test]
    fn nothing_set_is_an_error_that_names_the_variable() {
        let error = Cache::locate(&Environment::default()).expect_err("no folder");
        assert!(error.to_string().contains("set PLIMSOLL_CACHE"), "{error}");
    }
}
