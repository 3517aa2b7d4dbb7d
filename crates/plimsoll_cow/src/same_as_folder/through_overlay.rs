//! The operations done as the kernel does them: names looked up, nodes held, forgotten in the end.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::Path;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::operation::{Bytes, Operation, Photograph, Seen};
use crate::journal::Kind;
use crate::overlay::{Attributes, Changes, NewOwner, Overlay, Replace};
use crate::tree::ROOT;

const OWNER: NewOwner = NewOwner { user: 0, group: 0 };

pub(super) struct Direct {
    pub(super) overlay: Overlay,
    held: RefCell<Vec<u64>>,
}

impl Direct {
    pub(super) fn new(overlay: Overlay) -> Self {
        Self { overlay, held: RefCell::default() }
    }

    pub(super) fn forget_all(&self) {
        for node in self.held.take() {
            self.overlay.forget(node, 1);
        }
    }

    fn hold(&self, attributes: Attributes) -> Attributes {
        self.held.borrow_mut().push(attributes.node);
        attributes
    }

    fn find(&self, path: &str) -> Result<Attributes, Errno> {
        let (parent, name) = self.place(path)?;
        self.overlay.lookup(parent, name)?.map(|found| self.hold(found)).ok_or(Errno::NOENT)
    }

    fn place<'path>(&self, path: &'path str) -> Result<(u64, &'path OsStr), Errno> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if folder.is_empty() { ROOT } else { self.find(folder)?.node };
        if self.overlay.attributes(parent)?.kind != Kind::Folder {
            return Err(Errno::NOTDIR);
        }
        Ok((parent, OsStr::new(name)))
    }

    pub(super) fn apply(&mut self, operation: &Operation) -> Result<(), Errno> {
        let done = self.apply_held(operation);
        // Half of the nodes are forgotten at once, as the kernel does under pressure; the others stay a while.
        if self.held.borrow().len().is_multiple_of(2) {
            self.forget_all();
        }
        done
    }

    fn apply_held(&self, operation: &Operation) -> Result<(), Errno> {
        let overlay = &self.overlay;
        match *operation {
            Operation::Write { path, offset, length, byte } => {
                let written = overlay.write(self.file(path)?, &vec![byte; length], offset)?;
                assert_eq!(written, length);
                Ok(())
            }
            Operation::Truncate { path, length } => {
                let size = Some(length);
                overlay.set_attributes(self.file(path)?, Changes { size, ..Changes::default() }).map(drop)
            }
            Operation::Allocate { path, offset, length } => {
                overlay.allocate(self.file(path)?, FallocateFlags::empty(), offset, length)
            }
            Operation::Create { path } => self.make(path, Kind::File, 0o644),
            Operation::Mkdir { path } => self.make(path, Kind::Folder, 0o755),
            Operation::Symlink { path } => {
                let (parent, name) = self.place(path)?;
                self.hold(overlay.make_symlink(parent, name, OsStr::new("anywhere"), OWNER)?);
                Ok(())
            }
            Operation::Unlink { path } => {
                let (parent, name) = self.place(path)?;
                overlay.unlink(parent, name)
            }
            Operation::Rmdir { path } => {
                let (parent, name) = self.place(path)?;
                overlay.rmdir(parent, name)
            }
            Operation::Rename { from, to } => {
                overlay.rename(self.place(from)?, self.place(to)?, Replace::Allowed)
            }
            Operation::Link { from, to } => {
                let found = self.find(from)?;
                if found.kind == Kind::Folder {
                    return Err(Errno::PERM);
                }
                let (parent, name) = self.place(to)?;
                self.hold(overlay.link(found.node, parent, name)?);
                Ok(())
            }
            Operation::Chmod { path, mode } => {
                let found = self.find(path)?;
                if found.kind == Kind::Symlink {
                    return Err(Errno::INVAL);
                }
                let mode = Some(mode);
                overlay.set_attributes(found.node, Changes { mode, ..Changes::default() }).map(drop)
            }
            Operation::Touch { path, seconds } => {
                let modified = Some((i64::from(seconds), 0));
                let changes = Changes { modified, ..Changes::default() };
                let set = overlay.set_attributes(self.file(path)?, changes)?;
                assert_eq!(Some(set.modified), modified);
                Ok(())
            }
            Operation::Reopen => Ok(()),
        }
    }

    fn file(&self, path: &str) -> Result<u64, Errno> {
        let found = self.find(path)?;
        if found.kind == Kind::File { Ok(found.node) } else { Err(Errno::LOOP) }
    }

    fn make(&self, path: &str, kind: Kind, mode: u32) -> Result<(), Errno> {
        let (parent, name) = self.place(path)?;
        self.hold(self.overlay.make(parent, name, kind, mode, OWNER)?);
        Ok(())
    }

    pub(super) fn photograph(&self) -> Photograph {
        let mut seen = Photograph::new();
        self.add(ROOT, Path::new(""), &mut seen);
        self.forget_all();
        seen
    }

    fn add(&self, folder: u64, path: &Path, seen: &mut Photograph) {
        for entry in self.overlay.list(folder).unwrap() {
            let found = self.hold(self.overlay.lookup(folder, &entry.name).unwrap().expect("it is listed"));
            assert_eq!(found.kind, entry.kind);
            let path = path.join(&entry.name);
            let what = match found.kind {
                Kind::Folder => {
                    self.add(found.node, &path, seen);
                    Seen::Folder { mode: found.mode }
                }
                Kind::Symlink => {
                    let target = self.overlay.link_target(found.node).unwrap();
                    Seen::Link { target: String::from_utf8(target).unwrap() }
                }
                _ => Seen::File {
                    mode: found.mode,
                    links: found.links.into(),
                    bytes: Bytes(self.bytes(found.node, found.size)),
                },
            };
            let before = seen.insert(path.to_str().unwrap().to_owned(), what);
            assert_eq!(before, None, "listed twice");
        }
    }

    fn bytes(&self, node: u64, size: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            // Not a multiple of a block: reads begin and end anywhere.
            let count = self.overlay.read(node, bytes.len() as u64, 20_000, |read| {
                let read = read.unwrap();
                bytes.extend_from_slice(read);
                read.len()
            });
            if count == 0 {
                break;
            }
        }
        assert_eq!(bytes.len() as u64, size);
        bytes
    }
}
