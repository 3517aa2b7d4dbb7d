//! A copy-on-write view of a folder, by blocks of 8 KiB, on any file system: FUSE on Linux, without libfuse.
//!
//! [`mount`] shows an immutable *lower* folder, such as the data directory of a stopped PostgreSQL, at a mountpoint where
//! it can be changed. What changes goes into a *delta* folder; the lower one is only read. A branch of 4.7 GB costs its
//! delta's few megabytes, on ext4 and tmpfs as elsewhere.
//!
//! # The delta folder
//!
//! | name | what it holds |
//! |---|---|
//! | `journal` | names and attributes: append-only, a checksum a record (`journal.rs`) |
//! | `data/N` | the bytes of changed file N (hexadecimal): the whole file, or changed blocks behind a head with a bit a block (`blocks.rs`) |
//! | `lock` | its `flock` says that the folder is mounted |
//!
//! A journal, and not files beside each file or extended attributes: one append makes a change of several names whole or
//! undone, needs no file system that knows attributes, and starts in the time that it takes to read it.
//!
//! # Invariants
//!
//! - The lower folder doesn't change while a delta of it exists. Its symbolic links are shown, never followed.
//! - A request is answered after its effect was written to the delta's files. So the death of the serving process loses
//!   nothing that the kernel handed us; the next [`mount`] of the same folders goes on from there. With
//!   [`WriteCache::Back`] the kernel holds writes back until `fsync`: what was never synced is then lost as in a crash of a
//!   machine. **A PostgreSQL that has to survive that must run with `fsync = on`**, which costs little here since
//!   [`Durability::Process`] takes it no farther than to the delta's page cache. With [`WriteCache::Through`] nothing is
//!   held back, and `fsync = off` is as safe as PostgreSQL makes it after a crash of its own.
//! - Data before its bit, bit before the answer; a file in `data` before the journal speaks of it. What the journal
//!   doesn't speak of is removed at the next mount.
//! - A block that can be read from the lower folder has no bit; a block from the limit on, the shortest length that the
//!   file ever had, never comes from there. Holes aren't asked for, so that zeros and file systems without `SEEK_DATA` need
//!   no care.
//! - A full disk refuses what needs space, and never what frees it. A write that the kernel had taken already is then lost:
//!   `fsync` and `close` of that file fail, [`Mounted::lost_write`] tells of it from then on, in later mounts too, and
//!   `fsync`, `create` and `mkdir` fail everywhere in this mount's tree. With [`WriteCache::Through`] each `write` tells.
//! - One process mounts a delta; nobody else sees the tree through a path closed to them: `allow_other` is asked for only
//!   by root for another owner, with the kernel's own checks of permissions.
//!
//! # Deliberately absent
//!
//! Extended attributes, devices, `RENAME_EXCHANGE`, holes punched into files, times of access. A folder's own time is kept
//! in memory only. Hard links within the lower folder are files of their own.

mod options;

#[cfg(target_os = "linux")]
mod availability;
#[cfg(target_os = "linux")]
mod blocks;
#[cfg(target_os = "linux")]
mod copy;
#[cfg(target_os = "linux")]
mod dead_mount;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(target_os = "linux")]
mod device;
#[cfg(target_os = "linux")]
mod file;
#[cfg(target_os = "linux")]
mod filesystem;
#[cfg(target_os = "linux")]
mod journal;
#[cfg(target_os = "linux")]
mod mounted;
#[cfg(target_os = "linux")]
mod overlay;
#[cfg(target_os = "linux")]
mod positioned;
#[cfg(target_os = "linux")]
#[cfg(test)]
mod same_as_folder;
#[cfg(target_os = "linux")]
mod store;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(not(target_os = "linux"))]
mod unsupported;

pub use options::{
    CopyError, Durability, LostWrite, MountError, MountOptions, Unavailable, UnmountError, WriteCache,
};

#[cfg(not(target_os = "linux"))]
pub use unsupported::{Mounted, availability, clear_dead_mount, copy_delta, delta_bytes, mount};
#[cfg(target_os = "linux")]
pub use {
    availability::availability,
    copy::{copy_delta, delta_bytes},
    dead_mount::clear_dead_mount,
    mounted::{Mounted, mount},
};
