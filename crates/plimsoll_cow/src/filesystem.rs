//! What the kernel asks, put to the overlay, and its answers.
//!
//! Opening a file is no request here (`open` is answered by `ENOSYS` once, which tells the kernel that none is needed),
//! nor are locks, which the kernel then keeps itself, and extended attributes, which we don't have.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, FileAttr, FileHandle, FileType, FopenFlags, Generation, INodeNo, InitFlags, KernelConfig,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use crate::journal::{Kind, Time};
use crate::options::WriteCache;
use crate::overlay::{Attributes, Changes, Entry, NewOwner, Overlay, Replace};

/// Nobody but this mount changes what it shows, so that the kernel needn't ask twice.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The kernel's own limit for one request is as large: 256 pages.
const MAX_WRITE: u32 = 1024 * 1024;
/// Requests that the kernel has out without waiting: readahead, and what it writes back.
const MAX_BACKGROUND: u16 = 64;
/// For names whose number nobody asked for yet; what libfuse tells too.
const UNKNOWN_NUMBER: u64 = 0xffff_ffff;

/// The file system, as the kernel sees it.
#[derive(Debug)]
pub(crate) struct Filesystem {
    overlay: Arc<Overlay>,
    write_cache: WriteCache,
    lists: Mutex<Lists>,
}

/// Folders being listed: a list is made when it begins, and stays as it was.
#[derive(Debug, Default)]
struct Lists {
    open: HashMap<u64, Arc<Vec<Entry>>>,
    last: u64,
}

impl Filesystem {
    pub(crate) fn new(overlay: Arc<Overlay>, write_cache: WriteCache) -> Self {
        Self { overlay, write_cache, lists: Mutex::default() }
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, handle: FileHandle) -> Result<Arc<Vec<Entry>>, Errno> {
        self.lists().open.get(&handle.0).cloned().ok_or(Errno::BADF)
    }

    fn parent_of(&self, node: u64) -> u64 {
        self.overlay.parent(node).unwrap_or(node)
    }

    /// What was taken into the kernel's cache has to be kept as a whole, or be told as lost.
    fn write_cached(&self, node: u64, mut data: &[u8], mut offset: u64) -> Result<(), Errno> {
        while !data.is_empty() {
            match self.overlay.write(node, data, offset) {
                Ok(written) => {
                    data = &data[written..];
                    offset += written as u64;
                }
                Err(error) => {
                    self.overlay.note_lost(node, offset, error);
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl fuser::Filesystem for Filesystem {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        let mut wanted = InitFlags::FUSE_PARALLEL_DIROPS
            | InitFlags::FUSE_DO_READDIRPLUS
            | InitFlags::FUSE_READDIRPLUS_AUTO
            | InitFlags::FUSE_ASYNC_DIO
            | InitFlags::FUSE_NO_OPEN_SUPPORT
            | InitFlags::FUSE_CACHE_SYMLINKS;
        if self.write_cache == WriteCache::Back {
            wanted |= InitFlags::FUSE_WRITEBACK_CACHE;
        }
        let _ = config.add_capabilities(wanted & config.capabilities());
        // Each answers with the nearest value where this one is refused, which is then what there is already.
        let _ = config.set_max_write(MAX_WRITE);
        let _ = config.set_max_readahead(MAX_WRITE).or_else(|most| config.set_max_readahead(most));
        let _ = config.set_max_background(MAX_BACKGROUND);
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.overlay.lookup(parent.0, name) {
            Ok(Some(attributes)) => reply.entry(&FOREVER, &attr(&attributes), Generation(0)),
            // Number 0 says that there is none, and that the kernel may remember that.
            Ok(None) => reply.entry(&FOREVER, &no_attr(), Generation(0)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn forget(&self, _: &Request, node: INodeNo, lookups: u64) {
        self.overlay.forget(node.0, lookups);
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        answer_attr(reply, self.overlay.attributes(node.0));
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        mode: Option<u32>,
        user: Option<u32>,
        group: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let modified = modified.map(|time| match time {
            TimeOrNow::SpecificTime(time) => from_system(time),
            TimeOrNow::Now => from_system(SystemTime::now()),
        });
        let changes = Changes { mode, user, group, size, modified };
        answer_attr(reply, self.overlay.set_attributes(node.0, changes));
    }

    fn readlink(&self, _: &Request, node: INodeNo, reply: ReplyData) {
        match self.overlay.link_target(node.0) {
            Ok(target) => reply.data(&target),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let kind = match rustix::fs::FileType::from_raw_mode(mode) {
            rustix::fs::FileType::RegularFile => Kind::File,
            rustix::fs::FileType::Fifo => Kind::Fifo,
            rustix::fs::FileType::Socket => Kind::Socket,
            _ => return reply.error(errno(Errno::PERM)),
        };
        answer_entry(reply, self.overlay.make(parent.0, name, kind, mode, owner(request)));
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, _: u32, reply: ReplyEntry) {
        answer_entry(reply, self.overlay.make(parent.0, name, Kind::Folder, mode, owner(request)));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.overlay.unlink(parent.0, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.overlay.rmdir(parent.0, name));
    }

    fn symlink(&self, request: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        answer_entry(reply, self.overlay.make_symlink(parent.0, name, target.as_os_str(), owner(request)));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let replace = if flags.is_empty() {
            Replace::Allowed
        } else if flags == RenameFlags::RENAME_NOREPLACE {
            Replace::Never
        } else {
            return reply.error(errno(Errno::INVAL));
        };
        answer(reply, self.overlay.rename((parent.0, name), (new_parent.0, new_name), replace));
    }

    fn link(&self, _: &Request, node: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        answer_entry(reply, self.overlay.link(node.0, parent.0, name));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.error(errno(Errno::NOSYS));
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.overlay.make(parent.0, name, Kind::File, mode, owner(request)) {
            Ok(made) => reply.created(
                &FOREVER,
                &attr(&made),
                Generation(0),
                FileHandle(0),
                FopenFlags::FOPEN_KEEP_CACHE,
            ),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.overlay.read(node.0, offset, size as usize, |read| match read {
            Ok(bytes) => reply.data(bytes),
            Err(error) => reply.error(errno(error)),
        });
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        flags: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = if flags.contains(WriteFlags::FUSE_WRITE_CACHE) {
            self.write_cached(node.0, data, offset).map(|()| data.len())
        } else {
            self.overlay.write(node.0, data, offset)
        };
        match written {
            // No more than a request's length, which is 32 bits.
            Ok(written) => reply.written(u32::try_from(written).unwrap_or(u32::MAX)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // The kernel has brought its pages by then, tells their errors itself, and asks no more after this answer.
        reply.error(errno(Errno::NOSYS));
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(reply, self.overlay.sync_file(node.0));
    }

    fn opendir(&self, _: &Request, node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.overlay.list(node.0) {
            Ok(entries) => {
                let mut lists = self.lists();
                lists.last += 1;
                let handle = lists.last;
                lists.open.insert(handle, Arc::new(entries));
                drop(lists);
                reply.opened(FileHandle(handle), FopenFlags::empty());
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn readdir(
        &self,
        _: &Request,
        node: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let entries = match self.list(handle) {
            Ok(entries) => entries,
            Err(error) => return reply.error(errno(error)),
        };
        let own = [(node.0, "."), (self.parent_of(node.0), "..")];
        for index in offset.. {
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            let full = if let Some((number, name)) = own.get(at) {
                reply.add(INodeNo(*number), index + 1, FileType::Directory, name)
            } else if let Some(Entry { name, kind, node }) = entries.get(at - own.len()) {
                reply.add(INodeNo(node.unwrap_or(UNKNOWN_NUMBER)), index + 1, file_type(*kind), name)
            } else {
                break;
            };
            if full {
                break;
            }
        }
        reply.ok();
    }

    fn readdirplus(
        &self,
        _: &Request,
        node: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let entries = match self.list(handle) {
            Ok(entries) => entries,
            Err(error) => return reply.error(errno(error)),
        };
        let own = [(node.0, "."), (self.parent_of(node.0), "..")];
        for index in offset.. {
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            if let Some((number, name)) = own.get(at) {
                // The kernel doesn't count these two as looked up.
                let Ok(attributes) = self.overlay.attributes(*number) else { continue };
                if reply.add(INodeNo(*number), index + 1, name, &FOREVER, &attr(&attributes), Generation(0)) {
                    break;
                }
                continue;
            }
            let Some(entry) = entries.get(at - own.len()) else { break };
            // Gone since the list was made.
            let Ok(Some(found)) = self.overlay.lookup(node.0, &entry.name) else { continue };
            let number = INodeNo(found.node);
            if reply.add(number, index + 1, &entry.name, &FOREVER, &attr(&found), Generation(0)) {
                self.overlay.forget(found.node, 1);
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, handle: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.lists().open.remove(&handle.0);
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(reply, self.overlay.sync_names());
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        match rustix::fs::fstatvfs(self.overlay.data_folder()) {
            Ok(of) => reply.statfs(
                of.f_blocks,
                of.f_bfree,
                of.f_bavail,
                of.f_files,
                of.f_ffree,
                u32::try_from(of.f_bsize).unwrap_or(4096),
                255,
                u32::try_from(of.f_frsize).unwrap_or(4096),
            ),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn setxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: &[u8], _: i32, _: u32, reply: ReplyEmpty) {
        reply.error(errno(Errno::NOSYS));
    }

    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(errno(Errno::NOSYS));
    }

    fn listxattr(&self, _: &Request, _: INodeNo, _: u32, reply: ReplyXattr) {
        reply.error(errno(Errno::NOSYS));
    }

    fn removexattr(&self, _: &Request, _: INodeNo, _: &OsStr, reply: ReplyEmpty) {
        reply.error(errno(Errno::NOSYS));
    }

    fn fallocate(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let flags = FallocateFlags::from_bits_retain(mode.cast_unsigned());
        answer(reply, self.overlay.allocate(node.0, flags, offset, length));
    }
}

fn errno(error: Errno) -> fuser::Errno {
    fuser::Errno::from_i32(error.raw_os_error())
}

fn answer(reply: ReplyEmpty, result: Result<(), Errno>) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(errno(error)),
    }
}

fn answer_attr(reply: ReplyAttr, result: Result<Attributes, Errno>) {
    match result {
        Ok(attributes) => reply.attr(&FOREVER, &attr(&attributes)),
        Err(error) => reply.error(errno(error)),
    }
}

fn answer_entry(reply: ReplyEntry, result: Result<Attributes, Errno>) {
    match result {
        Ok(attributes) => reply.entry(&FOREVER, &attr(&attributes), Generation(0)),
        Err(error) => reply.error(errno(error)),
    }
}

fn owner(request: &Request) -> NewOwner {
    NewOwner { user: request.uid(), group: request.gid() }
}

fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::RegularFile,
        Kind::Folder => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::NamedPipe,
        Kind::Socket => FileType::Socket,
    }
}

fn attr(attributes: &Attributes) -> FileAttr {
    let modified = to_system(attributes.modified);
    FileAttr {
        ino: INodeNo(attributes.node),
        size: attributes.size,
        blocks: attributes.sectors,
        atime: modified,
        mtime: modified,
        ctime: to_system(attributes.changed),
        crtime: modified,
        kind: file_type(attributes.kind),
        perm: u16::try_from(attributes.mode & 0o7777).unwrap_or(0),
        nlink: attributes.links,
        uid: attributes.user,
        gid: attributes.group,
        rdev: 0,
        blksize: 8192,
        flags: 0,
    }
}

fn no_attr() -> FileAttr {
    attr(&Attributes {
        node: 0,
        kind: Kind::File,
        mode: 0,
        user: 0,
        group: 0,
        links: 0,
        size: 0,
        sectors: 0,
        modified: (0, 0),
        changed: (0, 0),
    })
}

fn to_system((seconds, nanoseconds): Time) -> SystemTime {
    let fraction = Duration::from_nanos(nanoseconds.into());
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    base.and_then(|base| base.checked_add(fraction)).unwrap_or(UNIX_EPOCH)
}

fn from_system(time: SystemTime) -> Time {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            let up = u32::from(before.subsec_nanos() > 0);
            let seconds = i64::try_from(before.as_secs()).unwrap_or(0) + i64::from(up);
            (-seconds, if up == 1 { 1_000_000_000 - before.subsec_nanos() } else { 0 })
        }
    }
}
