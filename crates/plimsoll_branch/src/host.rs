//! What this machine has for running servers.

use std::path::PathBuf;

use plimsoll_pg::server::{Binaries, Cache, Environment, SearchPlaces, ServerUser, Wanted, find};

use crate::error::BranchError;

/// Where installations are looked for, and who runs them.
#[derive(Clone, Debug)]
pub struct Host {
    /// What was read of the environment.
    pub environment: Environment,
    /// The cache, with installed servers.
    pub cache: Cache,
    /// Who runs servers.
    pub user: ServerUser,
    /// The folder of an installation that the configuration names.
    pub explicit: Option<PathBuf>,
}

impl Host {
    /// An installation of this major version: a data directory can be run by no other.
    ///
    /// # Errors
    /// When there is none.
    pub fn installation(&self, major: u32) -> Result<Binaries, BranchError> {
        let places = SearchPlaces::new(&self.environment, &self.cache, self.explicit.clone());
        Ok(find(Wanted::Major(major), &places, &self.user)?)
    }

    /// The newest installation, or one of this major version.
    ///
    /// # Errors
    /// When there is none.
    pub fn newest(&self, wanted: Wanted) -> Result<Binaries, BranchError> {
        let places = SearchPlaces::new(&self.environment, &self.cache, self.explicit.clone());
        Ok(find(wanted, &places, &self.user)?)
    }
}
