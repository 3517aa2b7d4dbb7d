//! Removes private folders whose program and watchdog are both gone (a machine that lost
//! power, a container that was killed as a whole).
//!
//! Touches a folder only if its name, its owner, its marker and its free lock all say that it
//! is an abandoned one of ours. Everything else, and every error, is left alone: the sweep is
//! housekeeping and must not keep a server from starting.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::private_folder::{MARKER_FILE, MARKER_LINE, is_private_name};
use super::server_user::ServerUser;
use super::watchdog::remove_abandoned;

/// Removes the abandoned private folders below `temp_root`.
pub(super) fn sweep(temp_root: &Path, user: &ServerUser) {
    let Ok(entries) = std::fs::read_dir(temp_root) else { return };
    for entry in entries.filter_map(Result::ok) {
        let folder = entry.path();
        let is_ours = is_private_name(&entry.file_name())
            && folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && is_owned(&metadata, user));
        if is_ours && let Some(_lock) = take_over(&folder) {
            // Left for the next sweep if it fails.
            remove_abandoned(&folder).ok();
        }
    }
}

fn is_owned(metadata: &Metadata, user: &ServerUser) -> bool {
    match user {
        ServerUser::Caller => metadata.uid() == own_number(),
        ServerUser::Other { uid, .. } => metadata.uid() == own_number() || metadata.uid() == *uid,
    }
}

/// Locks the marker, if this is a private folder of ours and nobody holds it.
fn take_over(folder: &Path) -> Option<File> {
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).ok()?;
    let mut marker =
        OpenOptions::new().read(true).custom_flags(no_follow).open(folder.join(MARKER_FILE)).ok()?;
    let metadata = marker.metadata().ok()?;
    let mut line = vec![0; MARKER_LINE.len()];
    marker.read_exact(&mut line).ok()?;
    // The server's user could write into the folder, but not make a file that belongs to root.
    let ours = metadata.is_file() && metadata.uid() == own_number() && line == MARKER_LINE.as_bytes();
    (ours && marker.try_lock().is_ok()).then_some(marker)
}

fn own_number() -> u32 {
    rustix::process::geteuid().as_raw()
}
