//! One change to names or attributes, and its bytes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Symlink,
    Fifo,
    Socket,
}

/// Where a file's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// In the lower folder alone.
    Lower,
    /// In the delta alone, as a plain file.
    Whole,
    /// Changed blocks in the delta, the others in the lower folder.
    Blocks,
}

/// Seconds and nanoseconds since 1970.
pub(crate) type Time = (i64, u32);

/// A node's attributes, as far as they don't come from its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) content: Content,
    /// Permission bits.
    pub(crate) mode: u32,
    /// User and group, where they were set.
    pub(crate) owner: Option<(u32, u32)>,
    /// Time of the last modification, where it was set and no file in the delta has it.
    pub(crate) modified: Option<Time>,
    /// The path in the lower folder that this node came from.
    pub(crate) origin: Option<PathBuf>,
    /// What a symbolic link made here points to.
    pub(crate) target: Option<OsString>,
}

/// A write that the kernel had taken for us and that couldn't be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LostWrite {
    pub(crate) node: u64,
    pub(crate) offset: u64,
    pub(crate) errno: i32,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A node is made, or its attributes change.
    Node(u64, Record),
    /// A name leads to a node, whatever it led to before.
    Link { parent: u64, name: OsString, node: u64 },
    /// A name of the lower folder is gone.
    Hide { parent: u64, name: OsString },
    /// A name that the lower folder doesn't have is gone.
    Remove { parent: u64, name: OsString },
    /// A write was lost.
    Lost(LostWrite),
}

impl Change {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Node(node, record) => {
                out.push(1);
                put(out, &node.to_le_bytes());
                record.encode(out);
            }
            Self::Link { parent, name, node } => {
                out.push(2);
                put(out, &parent.to_le_bytes());
                put_text(out, name);
                put(out, &node.to_le_bytes());
            }
            Self::Hide { parent, name } => {
                out.push(3);
                put(out, &parent.to_le_bytes());
                put_text(out, name);
            }
            Self::Remove { parent, name } => {
                out.push(4);
                put(out, &parent.to_le_bytes());
                put_text(out, name);
            }
            Self::Lost(LostWrite { node, offset, errno }) => {
                out.push(5);
                put(out, &node.to_le_bytes());
                put(out, &offset.to_le_bytes());
                put(out, &errno.to_le_bytes());
            }
        }
    }
}

impl Record {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self.kind {
            Kind::File => 0,
            Kind::Folder => 1,
            Kind::Symlink => 2,
            Kind::Fifo => 3,
            Kind::Socket => 4,
        });
        out.push(match self.content {
            Content::Lower => 0,
            Content::Whole => 1,
            Content::Blocks => 2,
        });
        put(out, &self.mode.to_le_bytes());
        let present = u8::from(self.owner.is_some())
            | u8::from(self.modified.is_some()) << 1
            | u8::from(self.origin.is_some()) << 2
            | u8::from(self.target.is_some()) << 3;
        out.push(present);
        if let Some((user, group)) = self.owner {
            put(out, &user.to_le_bytes());
            put(out, &group.to_le_bytes());
        }
        if let Some((seconds, nanoseconds)) = self.modified {
            put(out, &seconds.to_le_bytes());
            put(out, &nanoseconds.to_le_bytes());
        }
        if let Some(origin) = &self.origin {
            put_text(out, origin.as_os_str());
        }
        if let Some(target) = &self.target {
            put_text(out, target);
        }
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

fn put_text(out: &mut Vec<u8>, text: &OsStr) {
    let length = u32::try_from(text.len()).expect("a path is far smaller than 4 GiB");
    put(out, &length.to_le_bytes());
    put(out, text.as_bytes());
}

/// The changes of one record; nothing where one of them can't be read.
pub(super) fn decode_all(mut bytes: &[u8]) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    while !bytes.is_empty() {
        changes.push(decode(&mut bytes)?);
    }
    Some(changes)
}

fn decode(bytes: &mut &[u8]) -> Option<Change> {
    Some(match byte(bytes)? {
        1 => Change::Node(long(bytes)?, decode_record(bytes)?),
        2 => Change::Link { parent: long(bytes)?, name: text(bytes)?, node: long(bytes)? },
        3 => Change::Hide { parent: long(bytes)?, name: text(bytes)? },
        4 => Change::Remove { parent: long(bytes)?, name: text(bytes)? },
        5 => Change::Lost(LostWrite {
            node: long(bytes)?,
            offset: long(bytes)?,
            errno: i32::from_le_bytes(array(bytes)?),
        }),
        _ => return None,
    })
}

fn decode_record(bytes: &mut &[u8]) -> Option<Record> {
    let kind = match byte(bytes)? {
        0 => Kind::File,
        1 => Kind::Folder,
        2 => Kind::Symlink,
        3 => Kind::Fifo,
        4 => Kind::Socket,
        _ => return None,
    };
    let content = match byte(bytes)? {
        0 => Content::Lower,
        1 => Content::Whole,
        2 => Content::Blocks,
        _ => return None,
    };
    let mode = word(bytes)?;
    let present = byte(bytes)?;
    let has = |bit: u8| present & (1 << bit) != 0;
    let owner = if has(0) { Some((word(bytes)?, word(bytes)?)) } else { None };
    let modified = if has(1) { Some((i64::from_le_bytes(array(bytes)?), word(bytes)?)) } else { None };
    let origin = if has(2) { Some(PathBuf::from(text(bytes)?)) } else { None };
    let target = if has(3) { Some(text(bytes)?) } else { None };
    Some(Record { kind, content, mode, owner, modified, origin, target })
}

fn array<const LENGTH: usize>(bytes: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (first, rest) = bytes.split_first_chunk::<LENGTH>()?;
    *bytes = rest;
    Some(*first)
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    array::<1>(bytes).map(|[byte]| byte)
}

fn word(bytes: &mut &[u8]) -> Option<u32> {
    array(bytes).map(u32::from_le_bytes)
}

fn long(bytes: &mut &[u8]) -> Option<u64> {
    array(bytes).map(u64::from_le_bytes)
}

fn text(bytes: &mut &[u8]) -> Option<OsString> {
    let length = usize::try_from(word(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(OsString::from_vec(text.to_vec()))
}
