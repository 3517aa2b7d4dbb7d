//! A file system of our own, by FUSE, that keeps the blocks which a branch writes and reads all others from its source:
//! for plain ext4 and the like.

use std::io;
use std::path::Path;

use plimsoll_cow::{Durability, MountOptions, WriteCache};
use plimsoll_pg::server::ServerUser;

use super::tree::make_folder;
use super::{BranchFolders, Kind, Mechanism, Mounted};

/// As above.
#[derive(Debug)]
pub(super) struct Fuse;

impl Mechanism for Fuse {
    fn kind(&self) -> Kind {
        Kind::Fuse
    }

    fn probe(&self, place: &Path) -> Result<(), String> {
        // Only a mount tells whether this user may mount there.
        super::try_mount(self, place).map_err(|why| why.to_string())
    }

    fn branch(&self, _source: &Path, branch: BranchFolders<'_>, user: &ServerUser) -> io::Result<()> {
        make_folder(&branch.data(), user)
    }

    fn needs_source(&self) -> bool {
        true
    }

    fn mount(
        &self,
        lower: Option<&Path>,
        branch: BranchFolders<'_>,
        user: &ServerUser,
    ) -> io::Result<Option<Box<dyn Mounted>>> {
        self.clear_dead_mount(branch)?;
        let lower = lower.ok_or_else(|| io::Error::other("its manifest names no folder below it"))?;
        let owner = match user {
            ServerUser::Caller => None,
            ServerUser::Other { uid, gid, .. } => Some((*uid, *gid)),
        };
        let options = MountOptions {
            owner,
            write_cache: WriteCache::Back,
            durability: Durability::Process,
            ..MountOptions::new(lower, branch.own_files(), branch.data())
        };
        let mounted = plimsoll_cow::mount(&options).map_err(io::Error::other)?;
        Ok(Some(Box::new(MountedByUs(mounted))))
    }

    fn clear_dead_mount(&self, branch: BranchFolders<'_>) -> io::Result<()> {
        plimsoll_cow::clear_dead_mount(&branch.data()).map(drop)
    }

    /// What the server hasn't synced is lost where the keeper is killed: its WAL has to be there, and to have whole pages.
    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &[("fsync", "on"), ("full_page_writes", "on")]
    }
}

#[derive(Debug)]
struct MountedByUs(plimsoll_cow::Mounted);

impl Mounted for MountedByUs {
    fn unmount(self: Box<Self>) -> io::Result<()> {
        self.0.unmount().map_err(io::Error::other)
    }

    fn lost(&self) -> Option<String> {
        self.0.lost_write().map(|lost| lost.why.to_string())
    }
}
