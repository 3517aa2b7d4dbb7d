//! Measures a mechanism with a small data directory of our own making.

use std::io;
use std::path::Path;
use std::time::Instant;

use plimsoll_pg::server::ServerUser;

use super::{BranchFolders, Kind};

/// About as many as a database of a small service has.
const FILES: usize = 300;
const BYTES: usize = 64 << 10;

/// The time of a branch of so many files, and of a mount where it takes one.
pub(super) fn measure(kind: Kind, base: &Path) -> Result<String, String> {
    let told = |why: io::Error| why.to_string();
    let mechanism = kind.mechanism().ok_or("this system doesn't have it")?;
    let user = ServerUser::Caller;
    let folder = tempfile::tempdir_in(base).map_err(told)?;
    let (source, branch) = (folder.path().join("source"), folder.path().join("branch"));
    mechanism.make_trunk_folder(&source, &user).map_err(told)?;
    let contents = vec![0x5a; BYTES];
    for number in 0..FILES {
        std::fs::write(source.join(number.to_string()), &contents).map_err(told)?;
    }
    std::fs::create_dir(&branch).map_err(told)?;
    let folders = BranchFolders::of(&branch);
    let began = Instant::now();
    mechanism.branch(&source, folders, &user).map_err(told)?;
    let mounted = mechanism.mount(Some(&source), folders, &user).map_err(told)?;
    let taken = began.elapsed();
    let seen = std::fs::read_dir(folders.data()).map_err(told)?.count();
    if let Some(mounted) = mounted {
        mounted.unmount().map_err(told)?;
    }
    if seen != FILES {
        return Err(format!("a trial showed {seen} of {FILES} files"));
    }
    Ok(format!("a trial with {FILES} files took {:.1} ms", taken.as_secs_f64() * 1e3))
}
