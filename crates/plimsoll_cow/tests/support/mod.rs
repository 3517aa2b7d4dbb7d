//! PostgreSQL on a view: programs of an installation, run as a user that it accepts.

pub(crate) mod cluster;
pub(crate) mod served;
pub(crate) mod server;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

/// Whether a view can be mounted here; else prints why the test is skipped.
pub(crate) fn can_mount(test: &str) -> bool {
    match plimsoll_cow::availability() {
        Ok(()) => true,
        Err(why) => {
            skip(test, &why.to_string());
            false
        }
    }
}

/// Says why a test isn't run.
#[expect(clippy::print_stdout, reason = "a test's output")]
pub(crate) fn skip(test: &str, why: &str) {
    println!("{test} is skipped: failed to {why}");
}

/// A folder that the server's user can enter, in memory where `PLIMSOLL_TEST_FOLDER` says so.
pub(crate) fn folder() -> TempDir {
    let root = std::env::var_os("PLIMSOLL_TEST_FOLDER").map_or_else(std::env::temp_dir, Into::into);
    let folder =
        tempfile::Builder::new().prefix("plimsoll-cow-").tempdir_in(root).expect("a temporary folder");
    set_mode(folder.path(), 0o755);
    folder
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its mode is set");
}
