//! Copies of a delta, holes kept, and what a delta takes on disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::journal::{Change, Content};
use crate::options::CopyError;
use crate::store::{DATA, JOURNAL, data_name};
use crate::tree::Tree;

/// As much as is read and written at a time, in bytes.
const CHUNK: usize = 256 * 1024;
/// A stretch of zeros of this length becomes a hole, in bytes.
const HOLE: usize = 4096;

/// Copies a delta folder to a new one, for a branch of a branch.
///
/// It may be mounted and written to meanwhile. Call [`Mounted::sync`](crate::Mounted::sync) before, so that nothing is left
/// in the kernel's cache. What is written during the copy may be in it or not, in part too: the caller holds PostgreSQL in
/// backup mode, and recovery from its WAL mends that.
///
/// # Errors
/// When `from` is no delta, `to` has one already, or something can't be read or written.
pub fn copy_delta(from: &Path, to: &Path) -> Result<(), CopyError> {
    copy(from, to).map_err(|why| CopyError { from: from.to_owned(), to: to.to_owned(), why })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let data = to.join(DATA);
    std::fs::create_dir_all(&data)?;
    if to.join(JOURNAL).exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a delta already"));
    }
    // The journal first: each file that it speaks of was there before it did.
    let mut tree = Tree::new(0o700);
    let mut lost = None;
    crate::journal::read(&from.join(JOURNAL), |change| {
        if let Change::Lost(_) = change {
            lost = Some(change.clone());
        }
        tree.apply(change);
    })?;
    let with_data: Vec<u64> = tree
        .iter()
        .filter(|(_, node)| node.record.content != Content::Lower && !node.places.is_empty())
        .map(|(number, _)| number)
        .collect();
    for node in with_data {
        match File::open(from.join(DATA).join(data_name(node))) {
            Ok(file) => copy_file(&file, &data.join(data_name(node)))?,
            // Removed since the journal was read: the copy is of a moment after that.
            Err(error) if error.kind() == io::ErrorKind::NotFound => remove_names(&mut tree, node),
            Err(error) => return Err(error),
        }
    }
    let mut changes = tree.as_changes();
    changes.extend(lost);
    crate::journal::write_new(&to.join(JOURNAL), &changes)?;
    Ok(())
}

fn remove_names(tree: &mut Tree, node: u64) {
    let places = tree.get(node).map(|node| node.places.clone()).unwrap_or_default();
    for (parent, name) in places {
        tree.apply(Change::Hide { parent, name });
    }
}

fn copy_file(from: &File, to: &Path) -> io::Result<()> {
    let copy = File::options().read(true).write(true).create(true).truncate(true).mode_600().open(to)?;
    let metadata = from.metadata()?;
    if rustix::fs::ioctl_ficlone(&copy, from).is_err() {
        // The head with its bits comes first: a block that is written meanwhile has its bit only in the original.
        copy_stretches(from, &copy, metadata.len())?;
    }
    copy.set_modified(metadata.modified()?)
}

/// Copies what isn't a hole. A file system that knows none says that all is data; its zeros become holes.
fn copy_stretches(from: &File, to: &File, length: u64) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < length {
        let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(start) => start.min(length),
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
            Err(error) => return Err(error.into()),
        };
        let end = match rustix::fs::seek(from, SeekFrom::Hole(start)) {
            // A hole right there can only be one that is being filled.
            Ok(end) if end > start => end.min(length),
            Ok(_) | Err(Errno::INVAL | Errno::OPNOTSUPP) => length,
            Err(Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        };
        copy_stretch(from, to, start..end, &mut buffer)?;
        at = end;
    }
    to.set_len(length)
}

fn copy_stretch(from: &File, to: &File, range: std::ops::Range<u64>, buffer: &mut [u8]) -> io::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let wanted = buffer.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        let count = from.read_at(&mut buffer[..wanted], at)?;
        if count == 0 {
            // It was made shorter meanwhile.
            break;
        }
        for (index, piece) in buffer[..count].chunks(HOLE).enumerate() {
            if piece.iter().any(|byte| *byte != 0) {
                to.write_all_at(piece, at + (index * HOLE) as u64)?;
            }
        }
        at += count as u64;
    }
    Ok(())
}

/// The disk space that a delta folder takes, in bytes: what its files have allocated, not their lengths.
///
/// # Errors
/// When the folder can't be read.
pub fn delta_bytes(delta: &Path) -> io::Result<u64> {
    let mut sectors = 0;
    for folder in [delta.to_owned(), delta.join(DATA)] {
        for entry in std::fs::read_dir(folder)? {
            match entry?.metadata() {
                Ok(metadata) if metadata.is_file() => sectors += metadata.blocks(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(512 * sectors)
}

trait Mode600 {
    fn mode_600(&mut self) -> &mut Self;
}

impl Mode600 for std::fs::OpenOptions {
    fn mode_600(&mut self) -> &mut Self {
        use std::os::unix::fs::OpenOptionsExt as _;

        self.mode(0o600)
    }
}
