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

    /// Refuses where an installation lacks extensions without which a plan branch would be another database.
    ///
    /// # Errors
    /// When some are missing; all are named.
    pub fn require_extensions<'a>(
        &self,
        binaries: &Binaries,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), BranchError> {
        let missing = missing_extensions(binaries, &self.user, names);
        if missing.is_empty() {
            return Ok(());
        }
        Err(BranchError::Refused(format!(
            "make a plan branch: these extensions of its source aren't installed for PostgreSQL {} in {}: {}; install them, or choose another version by --postgres",
            binaries.version(),
            binaries.bin_folder().display(),
            missing.join(", ")
        )))
    }
}

/// What to say of a trunk's extensions that aren't installed: most of its data can do without.
pub(crate) fn missing_extensions_note<'a>(
    binaries: &Binaries,
    user: &ServerUser,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let missing = missing_extensions(binaries, user, names);
    (!missing.is_empty()).then(|| {
        format!(
            "not installed for PostgreSQL {} on this machine: {}; what uses them fails in branches",
            binaries.version().major,
            missing.join(", ")
        )
    })
}

/// Those of these extensions that aren't installed, as far as that can be told.
fn missing_extensions<'a>(
    binaries: &Binaries,
    user: &ServerUser,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let known = binaries.extensions(user);
    names.into_iter().filter(|name| known.as_ref().is_some_and(|known| !known.contains(*name))).collect()
}
