//! Removes what no manifest owns any more: what killed programs left, and branches whose time is over. Nothing else: what
//! has a name that none of ours has, or a manifest that can't be read, is left alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_pg::server::LockKind;

use crate::branch::{self, drop_branch};
use crate::error::BranchError;
use crate::keeper;
use crate::manifest::{Branch, Lifetime, Moment};
use crate::mechanism::BranchFolders;
use crate::state::{State, is_abandoned, remove_tree};
use crate::trunk;

/// What is younger may belong to somebody who has just begun.
const YOUNG: Duration = Duration::from_secs(120);

/// What was removed, in words, and what could not be.
#[derive(Debug, Default)]
pub struct Collected {
    /// What was removed.
    pub removed: Vec<String>,
    /// What should have been.
    pub failed: Vec<BranchError>,
}

impl Collected {
    fn note(&mut self, what: String, done: Result<(), BranchError>) {
        match done {
            Ok(()) => self.removed.push(what),
            Err(error) => self.failed.push(error),
        }
    }
}

/// Removes it all.
#[must_use]
pub fn collect(state: &State, now: Moment) -> Collected {
    let mut collected = Collected::default();
    let mut left = entries(&state.trash());
    match abandoned_buildings(state) {
        Ok(buildings) => left.extend(buildings),
        Err(error) => collected.failed.push(error),
    }
    for path in left {
        clear_mounts_below(&path);
        let done = remove_tree(&path);
        collected.note(format!("{}, left by a program that was stopped", path.display()), done);
    }
    let mut ids = Vec::new();
    for branch in state.all_branches().into_iter().filter_map(Result::ok) {
        match is_over(state, &branch, now) {
            Ok(true) => {
                let done = drop_branch(state, &branch.name);
                collected.note(format!("branch {}, whose time is over", branch.name), done);
            }
            Ok(false) => ids.push(branch.id),
            Err(error) => collected.failed.push(error),
        }
    }
    for path in entries(&state.sockets()) {
        let is_owned = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_none_or(|name| ids.iter().any(|id| id == name));
        if !is_owned && is_abandoned(&path, YOUNG) {
            let done = remove_tree(&path);
            collected.note(format!("{}, the socket of a server that is gone", path.display()), done);
        }
    }
    for trunk in state.all_trunks().into_iter().filter_map(Result::ok) {
        match trunk::collect_versions(state, &trunk.name) {
            Ok(0) => {}
            Ok(count) => collected.removed.push(format!("{count} old versions of trunk {}", trunk.name)),
            Err(error) => collected.failed.push(error),
        }
    }
    collected
}

/// What nobody is making any more.
fn abandoned_buildings(state: &State) -> Result<Vec<PathBuf>, BranchError> {
    if !state.building().is_dir() {
        return Ok(Vec::new());
    }
    let _none_begins = state.hold_building(LockKind::Exclusive, Duration::from_secs(10))?;
    let mut buildings = entries(&state.building());
    buildings.retain(|path| is_abandoned(path, Duration::ZERO));
    Ok(buildings)
}

/// A mount of a keeper that was killed, in a branch that is being removed.
fn clear_mounts_below(folder: &Path) {
    // Its own, and those of trials in it.
    let trials = entries(folder).into_iter().filter(|path| path.join("source").is_dir());
    let folders: Vec<_> = trials.chain([folder.to_owned()]).collect();
    for kind in crate::mechanism::Kind::ALL {
        if let Some(mechanism) = kind.mechanism() {
            // What stays mounted shows when the folder is removed.
            for folder in &folders {
                mechanism.clear_dead_mount(BranchFolders::of(folder)).ok();
            }
        }
    }
}

fn is_over(state: &State, branch: &Branch, now: Moment) -> Result<bool, BranchError> {
    match branch.lifetime {
        Lifetime::Unlimited => Ok(false),
        Lifetime::Until(moment) => Ok(now >= moment),
        // Its keeper removes it with its program's end, unless the keeper is killed.
        Lifetime::WithProgram => {
            let is_young = branch.made_at.until(now) < YOUNG;
            Ok(!is_young
                && keeper::running(state, &branch.name)?.is_none()
                && branch::is_idle(state, &branch.name))
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use plimsoll_pg::server::ServerUser;

    use super::*;

    #[test]
    fn the_socket_of_a_server_at_work_stays_however_long_that_takes() {
        let root = tempfile::tempdir().unwrap();
        let state = State::at(root.path(), ServerUser::Caller);
        state.prepare().unwrap();
        let (folder, held) = state.new_sockets().unwrap();
        let long_ago = SystemTime::now() - 10 * YOUNG;
        std::fs::File::open(&folder).unwrap().set_modified(long_ago).unwrap();
        assert!(collect(&state, Moment::of(SystemTime::now())).removed.is_empty());
        assert!(folder.exists());
        drop(held);
        assert_eq!(collect(&state, Moment::of(SystemTime::now())).removed.len(), 1);
        assert!(!folder.exists());
    }
}
