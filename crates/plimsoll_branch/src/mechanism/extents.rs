//! What a file has of its own, where files share their blocks.

use std::fs::File;
use std::io;

/// Bytes of a file's extents that no other file shares, as `FS_IOC_FIEMAP` tells them (Documentation/filesystems/fiemap.rst
/// of the Linux kernel). What isn't written to the disk yet counts.
///
/// # Errors
/// Where the file system doesn't tell.
#[cfg(target_os = "linux")]
pub(crate) fn own_bytes(file: &File) -> io::Result<u64> {
    use rustix::ioctl::{Direction, Opcode, Updater, ioctl, opcode};

    /// `struct fiemap_extent` of `linux/fiemap.h`.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Extent {
        logical: u64,
        physical: u64,
        length: u64,
        reserved: [u64; 2],
        flags: u32,
        more_reserved: [u32; 3],
    }
    /// `struct fiemap`, with room for extents.
    #[repr(C)]
    struct Map {
        start: u64,
        length: u64,
        flags: u32,
        mapped: u32,
        count: u32,
        reserved: u32,
        extents: [Extent; ROOM],
    }
    const ROOM: usize = 128;
    /// The size that the request's number has is that of a map without extents.
    const FIEMAP: Opcode = opcode::from_components(Direction::ReadWrite, b'f', 11, 32);
    const IS_LAST: u32 = 0x0001;
    const IS_SHARED: u32 = 0x2000;

    let (mut own, mut start) = (0, 0);
    loop {
        let mut map = Map {
            start,
            length: u64::MAX - start,
            flags: 0,
            mapped: 0,
            count: u32::try_from(ROOM).unwrap_or_default(),
            reserved: 0,
            extents: [Extent::default(); ROOM],
        };
        // SAFETY: the request reads and writes a `struct fiemap` followed by `count` extents, which `Map` is.
        unsafe { ioctl(file, Updater::<FIEMAP, Map>::new(&mut map))? };
        let Some(found) = map.extents.get(..map.mapped as usize) else { return Ok(own) };
        own += found
            .iter()
            .filter(|extent| extent.flags & IS_SHARED == 0)
            .map(|extent| extent.length)
            .sum::<u64>();
        match found.last() {
            Some(last) if last.flags & IS_LAST == 0 => start = last.logical + last.length,
            _ => return Ok(own),
        }
    }
}

/// Nothing tells it here.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub(crate) fn own_bytes(_file: &File) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
