//! Every byte is copied: the last resort, which works everywhere.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use plimsoll_pg::server::ServerUser;

use super::tree::{copy_tree, make_file, make_folder};
use super::{BranchFolders, Kind, Mechanism};

/// As above.
#[derive(Debug)]
pub(super) struct Copy;

impl Mechanism for Copy {
    fn kind(&self) -> Kind {
        Kind::Copy
    }

    fn probe(&self, _base: &Path) -> Result<(), String> {
        Ok(())
    }

    fn branch(&self, source: &Path, branch: BranchFolders<'_>, user: &ServerUser) -> io::Result<()> {
        make_folder(&branch.data(), user)?;
        copy_tree(source, &branch.data(), user, &|_| false, &copy_bytes).map(drop)
    }
}

/// Copies what a file has.
pub(crate) fn copy_bytes(source: &File, target: &Path) -> io::Result<File> {
    let (mut source, mut target) = (source, make_file(target)?);
    io::copy(&mut source, &mut target)?;
    Ok(target)
}

/// How long copying so many bytes would take, by a trial with a file of this size in that folder.
///
/// # Errors
/// When the trial can't write there.
pub(crate) fn estimate(bytes: u64, folder: &Path) -> io::Result<Duration> {
    use std::io::Write as _;
    const TRIAL: usize = 32 << 20;
    let mut file = tempfile::tempfile_in(folder)?;
    let block = vec![0x5a_u8; 1 << 20];
    let began = Instant::now();
    for _ in 0..TRIAL / block.len() {
        file.write_all(&block)?;
    }
    // What fits into memory at once would promise too much.
    file.sync_data()?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let times = bytes as f64 / TRIAL as f64;
    Ok(began.elapsed().mul_f64(times))
}
