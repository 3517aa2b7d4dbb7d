//! Every byte is copied: the last resort, which works everywhere.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
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

/// Copies what a file has. Holes stay holes: the files of a plan branch are hardly anything else.
pub(crate) fn copy_bytes(source: &File, target: &Path) -> io::Result<File> {
    let mut target = make_file(target)?;
    let mut reader = source;
    let metadata = source.metadata()?;
    let has_holes = metadata.blocks() * 512 < metadata.len();
    if has_holes && copy_parts(source, &mut target, metadata.len()).is_ok() {
        return Ok(target);
    }
    reader.seek(SeekFrom::Start(0))?;
    target.seek(SeekFrom::Start(0))?;
    io::copy(&mut reader, &mut target)?;
    Ok(target)
}

/// Copies what lies between the holes, where the file system tells them.
#[cfg(target_os = "linux")]
fn copy_parts(mut source: &File, target: &mut File, length: u64) -> io::Result<()> {
    use rustix::fs::SeekFrom as Seek;
    let mut place = 0;
    while place < length {
        let begin = match rustix::fs::seek(source, Seek::Data(place)) {
            Ok(begin) => begin,
            // Nothing but a hole follows.
            Err(rustix::io::Errno::NXIO) => break,
            Err(why) => return Err(why.into()),
        };
        let end = rustix::fs::seek(source, Seek::Hole(begin))?;
        source.seek(SeekFrom::Start(begin))?;
        target.seek(SeekFrom::Start(begin))?;
        io::copy(&mut source.take(end - begin), target)?;
        place = end;
    }
    target.set_len(length)
}

#[cfg(not(target_os = "linux"))]
fn copy_parts(_source: &File, _target: &mut File, _length: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_stay_holes() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let mut file = File::create_new(&from).unwrap();
        io::Write::write_all(&mut file, b"begin").unwrap();
        file.seek(SeekFrom::Start(50 << 20)).unwrap();
        io::Write::write_all(&mut file, b"middle").unwrap();
        file.set_len(100 << 20).unwrap();
        copy_bytes(&File::open(&from).unwrap(), &to).unwrap();
        assert_eq!(std::fs::read(&from).unwrap(), std::fs::read(&to).unwrap());
        let (before, after) = (from.metadata().unwrap(), to.metadata().unwrap());
        assert!(after.blocks() <= before.blocks() + 16, "{} {}", before.blocks(), after.blocks());
    }
}
