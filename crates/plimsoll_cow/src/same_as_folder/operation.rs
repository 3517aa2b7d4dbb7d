//! One random operation, what it does to a folder, and what a folder looks like.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use proptest::prelude::*;

/// Few, so that operations meet; all but the last have something in the lower folder.
const PATHS: [&str; 12] = ["a", "b", "link", "d", "d/a", "d/b", "d/e", "d/e/a", "f", "f/a", "new", "d/new"];

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Write {
        path: &'static str,
        offset: u64,
        length: usize,
        byte: u8,
    },
    Truncate {
        path: &'static str,
        length: u64,
    },
    Allocate {
        path: &'static str,
        offset: u64,
        length: u64,
    },
    Create {
        path: &'static str,
    },
    Symlink {
        path: &'static str,
    },
    Mkdir {
        path: &'static str,
    },
    Unlink {
        path: &'static str,
    },
    Rmdir {
        path: &'static str,
    },
    Rename {
        from: &'static str,
        to: &'static str,
    },
    Link {
        from: &'static str,
        to: &'static str,
    },
    Chmod {
        path: &'static str,
        mode: u32,
    },
    Touch {
        path: &'static str,
        seconds: u32,
    },
    /// Ends the state in memory and starts anew.
    Reopen,
}

pub(super) fn arbitrary_operations(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    let path = || prop::sample::select(&PATHS[..]);
    let offset = || prop_oneof![0..200_000_u64, (0..25_u64).prop_map(|block| block * 8192)];
    let length = || prop_oneof![1..30_000_usize, (1..4_usize).prop_map(|blocks| blocks * 8192)];
    let operation = prop_oneof![
        6 => (path(), offset(), length(), 1..=255_u8)
            .prop_map(|(path, offset, length, byte)| Operation::Write { path, offset, length, byte }),
        2 => (path(), offset()).prop_map(|(path, length)| Operation::Truncate { path, length }),
        1 => (path(), offset(), 1..30_000_u64)
            .prop_map(|(path, offset, length)| Operation::Allocate { path, offset, length }),
        2 => path().prop_map(|path| Operation::Create { path }),
        1 => path().prop_map(|path| Operation::Symlink { path }),
        2 => path().prop_map(|path| Operation::Mkdir { path }),
        2 => path().prop_map(|path| Operation::Unlink { path }),
        2 => path().prop_map(|path| Operation::Rmdir { path }),
        // Moves of a folder into itself are refused before a file system is asked.
        4 => (path(), path())
            .prop_filter("into itself", |(from, to)| !Path::new(to).starts_with(from) && !Path::new(from).starts_with(to))
            .prop_map(|(from, to)| Operation::Rename { from, to }),
        1 => (path(), path()).prop_map(|(from, to)| Operation::Link { from, to }),
        1 => (path(), 0o600..0o777_u32).prop_map(|(path, mode)| Operation::Chmod { path, mode: mode | 0o700 }),
        1 => (path(), any::<u32>()).prop_map(|(path, seconds)| Operation::Touch { path, seconds }),
        2 => Just(Operation::Reopen),
    ];
    prop::collection::vec(operation, 1..most)
}

/// Files below and above the length up to which they are copied whole, with and without a part of a block at the end.
pub(super) fn fill_lower(root: &Path) {
    std::fs::create_dir_all(root.join("d/e")).unwrap();
    std::fs::create_dir(root.join("f")).unwrap();
    for (path, length) in
        [("a", 150_123), ("b", 5000), ("d/a", 81_920), ("d/b", 32_768), ("d/e/a", 40_001), ("f/a", 0)]
    {
        let bytes: Vec<u8> =
            (0..length).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
        std::fs::write(root.join(path), bytes).unwrap();
    }
    symlink("d/a", root.join("link")).unwrap();
}

impl Operation {
    /// Whether a path leads through a symbolic link: the kernel follows those before it asks a file system.
    pub(super) fn passes_a_link(&self, folder: &Path) -> bool {
        let paths = match self {
            Self::Write { path, .. }
            | Self::Truncate { path, .. }
            | Self::Allocate { path, .. }
            | Self::Create { path }
            | Self::Symlink { path }
            | Self::Mkdir { path }
            | Self::Unlink { path }
            | Self::Rmdir { path }
            | Self::Chmod { path, .. }
            | Self::Touch { path, .. } => vec![*path],
            Self::Rename { from, to } | Self::Link { from, to } => vec![*from, *to],
            Self::Reopen => Vec::new(),
        };
        let parents = |path: &'static str| Path::new(path).ancestors().skip(1);
        paths.into_iter().flat_map(parents).any(|parent| folder.join(parent).is_symlink())
    }

    pub(super) fn apply_to_folder(&self, root: &Path) -> io::Result<()> {
        match *self {
            Self::Write { path, offset, length, byte } => {
                writable(&root.join(path))?.write_all_at(&vec![byte; length], offset)
            }
            Self::Truncate { path, length } => writable(&root.join(path))?.set_len(length),
            Self::Allocate { path, offset, length } => {
                let file = writable(&root.join(path))?;
                Ok(rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), offset, length)?)
            }
            Self::Create { path } => File::create_new(root.join(path)).map(drop),
            Self::Symlink { path } => symlink("anywhere", root.join(path)),
            Self::Mkdir { path } => std::fs::create_dir(root.join(path)),
            Self::Unlink { path } => std::fs::remove_file(root.join(path)),
            Self::Rmdir { path } => std::fs::remove_dir(root.join(path)),
            Self::Rename { from, to } => std::fs::rename(root.join(from), root.join(to)),
            Self::Link { from, to } => std::fs::hard_link(root.join(from), root.join(to)),
            Self::Chmod { path, mode } => {
                not_a_link(&root.join(path))?;
                std::fs::set_permissions(root.join(path), Permissions::from_mode(mode))
            }
            Self::Touch { path, seconds } => {
                let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds.into());
                writable(&root.join(path))?.set_modified(time)
            }
            Self::Reopen => Ok(()),
        }
    }
}

fn writable(path: &Path) -> io::Result<File> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    File::options().write(true).custom_flags(nofollow).open(path)
}

fn not_a_link(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_symlink() { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(()) }
}

/// What is told about one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    File { mode: u32, links: u64, bytes: Bytes },
    Folder { mode: u32 },
    Link { target: String },
}

/// A file's content, short in a message.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes:", self.0.len())?;
        let mut at = 0;
        for run in self.0.chunk_by(|one, next| one == next).filter(|run| run.len() > 100) {
            at += 1;
            if at < 20 {
                write!(formatter, " {}×{}", run.len(), run[0])?;
            }
        }
        Ok(())
    }
}

pub(super) type Photograph = BTreeMap<String, Seen>;

pub(super) fn photograph(root: &Path) -> Photograph {
    let mut seen = Photograph::new();
    add(root, "", &mut seen);
    seen
}

fn add(root: &Path, folder: &str, seen: &mut Photograph) {
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let metadata = root.join(&path).symlink_metadata().unwrap();
        let mode = metadata.mode() & 0o7777;
        let what = if metadata.is_dir() {
            add(root, &path, seen);
            Seen::Folder { mode }
        } else if metadata.is_symlink() {
            let target = std::fs::read_link(root.join(&path)).unwrap();
            Seen::Link { target: target.to_str().unwrap().to_owned() }
        } else {
            let bytes = std::fs::read(root.join(&path)).unwrap();
            assert_eq!(bytes.len() as u64, metadata.len());
            Seen::File { mode, links: metadata.nlink(), bytes: Bytes(bytes) }
        };
        seen.insert(path, what);
    }
}
